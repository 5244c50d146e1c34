"""A question about a sequence on a local model: one row a context length, read at the options."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.adapters.local import read
from harness.errors import TokenizationError
from harness.local_models.adapter import LocalModel, open_local
from harness.local_models.alignment import Aligner
from harness.prompts.judgment import ask
from harness.types import Prompt, Reply, Request, Response, Sequence

FLIPS = Sequence(("H", "T"), np.array([0, 1, 1, 0, 1]), np.full((6, 2), 0.5), {}, "", "")


@pytest.fixture(scope="module")
def gpt2(gpt2_dir: Path) -> LocalModel:
    return open_local(str(gpt2_dir), device="cpu")


def question(template: str = "{sequence}\nHeads, Tails, ", separator: str = ", ") -> Prompt:
    return ask(FLIPS, template=template, options=("Heads", "Tails"), separator=separator)


def test_each_context_is_a_row_of_its_own_that_ends_in_the_question(gpt2: LocalModel) -> None:
    prompt = question()
    aligned = Aligner(gpt2.loaded.tokenizer, 96).align(Request("prefixes", prompt, (0, 1, 3)))
    texts = [gpt2.loaded.tokenizer.decode(list(row.tokens)) for row in aligned.rows]
    assert texts == ["\nHeads, Tails,", " H\nHeads, Tails,", " H, T, T\nHeads, Tails,"]
    assert [row.context_lengths for row in aligned.rows] == [(0,), (1,), (3,)]
    assert [row.positions for row in aligned.rows] == [(len(row.tokens) - 1,) for row in aligned.rows]
    names = gpt2.loaded.tokenizer.convert_ids_to_tokens(list(aligned.symbol_ids))
    assert names == ["ĠHeads", "ĠTails"]


def test_the_numbers_are_those_of_the_whole_text_asked_alone(gpt2: LocalModel) -> None:
    """Against a plain completion whose header is the whole question, scored at no symbols."""
    prompt = question()
    together = answered(gpt2, Request("prefixes", prompt, (0, 2, 5)))
    for row, n in enumerate((0, 2, 5)):
        whole = Prompt(prompt.text(n), prompt.surfaces, ",", (0,))
        alone = answered(gpt2, Request("next_token", whole, (0,)))
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)  # float32
    assert not np.allclose(together[0], together[2])


def test_an_option_of_several_tokens_is_refused(gpt2: LocalModel) -> None:
    prompt = replace(question(), surfaces=(" Heads", " Edges"))
    with pytest.raises(TokenizationError, match=r"symbol ' Edges' after .* does not add one token"):
        gpt2.check(Request("next_token", prompt, (2,)))


def test_an_option_that_merges_with_the_question_is_refused(gpt2: LocalModel) -> None:
    prompt = ask(FLIPS, template="{sequence}\n0", options=("1", "2"))
    with pytest.raises(TokenizationError, match=r"symbol '1' after .* does not add one token"):
        gpt2.check(Request("next_token", prompt, (2,)))


def answered(model: LocalModel, request: Request) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    (reply,) = asyncio.run(model.send([request]))
    assert isinstance(reply, Reply)
    response = read(request, reply.raw)
    assert isinstance(response, Response)
    assert response.logprob is not None
    return response.logprob
