"""vLLM's prompt_logprobs: the prompt's own token is found by its id, or by being the only one that fits."""

import json
import math
from typing import Any

import numpy as np
import pytest

from harness.adapters._reading import read_reply
from harness.types import Failure, Prompt, Request, Response

PROMPT = Prompt("Q:", (" H", " T"), ",", (0, 1, 1))
REQUEST = Request("prefixes", PROMPT, (0, 1, 2), top_logprobs=2)


def entry(*tokens: tuple[int, str, float]) -> dict[str, Any]:
    ranked = sorted(tokens, key=lambda t: -t[2])
    return {
        str(i): {"logprob": p, "rank": rank, "decoded_token": token}
        for rank, (i, token, p) in enumerate(ranked, start=1)
    }


HEADS, TAILS, COMMA, COLON = (7, " H", -1.0), (8, " T", -0.5), (9, ",", -0.1), (6, ":", -2.0)
# The prompt " H" has the ids 5 6 7 9 8 9 8; the first entry is null, as vLLM writes it.
ENTRIES = [
    None,
    entry(COLON, (10, " A", -0.2)),
    entry(HEADS, TAILS),
    entry(COMMA, (11, ".", -3.0)),
    entry(HEADS, TAILS),
    entry(COMMA, (11, ".", -3.0)),
    entry(HEADS, TAILS, (12, " Th", -4.0)),
]
IDS = [5, 6, 7, 9, 8, 9, 8]


def reply(entries: list[Any] | None = None, ids: list[int] | None = IDS) -> bytes:
    choice = {"index": 0, "text": ",", "logprobs": None, "finish_reason": "length"}
    choice |= {"prompt_logprobs": ENTRIES if entries is None else entries, "prompt_token_ids": ids}
    return json.dumps({"model": "m", "choices": [choice]}).encode()


def test_every_length_is_read_with_the_alternatives() -> None:
    got = read_reply(REQUEST, reply())
    assert isinstance(got, Response)
    assert got.logprob is not None
    assert not got.failures
    np.testing.assert_allclose(got.logprob, [[-1.0, -0.5]] * 3)


def test_without_ids_a_token_that_alone_fits_is_taken() -> None:
    got = read_reply(REQUEST, reply(ids=None))
    assert isinstance(got, Response)
    assert got.logprob is not None
    np.testing.assert_allclose(got.logprob[1], [-1.0, -0.5])


def test_without_ids_two_tokens_that_both_fit_are_not_guessed_between() -> None:
    ambiguous = [*ENTRIES[:4], entry(HEADS, TAILS, (13, " ", -3.0)), *ENTRIES[5:]]
    got = read_reply(REQUEST, reply(ambiguous, None))
    assert isinstance(got, Failure)
    assert got.kind == "tokenization"
    assert "without prompt_token_ids" in got.detail
    assert isinstance(read_reply(REQUEST, reply(ambiguous)), Response)


@pytest.mark.parametrize(
    ("entries", "ids", "kind"),
    [
        (ENTRIES[:-1], IDS[:-1], "tokenization"),  # the prompt's end is not scored
        (ENTRIES, IDS[:-1], "malformed"),
        ([*ENTRIES[:3], None, *ENTRIES[4:]], IDS, "truncated"),
        ([*ENTRIES[:2], entry(TAILS), *ENTRIES[3:]], IDS, "tokenization"),  # the own token is missing
        ([*ENTRIES[:2], entry((7, " H", 0.5), TAILS), *ENTRIES[3:]], IDS, "malformed"),  # p above 1
        ([*ENTRIES[:2], entry((7, " X", -1.0), TAILS), *ENTRIES[3:]], IDS, "tokenization"),
    ],
)
def test_what_does_not_spell_the_prompt_is_a_failure(entries: list[Any], ids: list[int], kind: str) -> None:
    got = read_reply(REQUEST, reply(entries, ids))
    assert isinstance(got, Failure)
    assert got.kind == kind


def test_a_first_token_that_is_no_bos_is_known_by_what_is_left() -> None:
    prompt = Prompt("", ("0", "1"), "", (0, 1, 1))
    entries = [None, entry((1, "1", -0.3), (0, "0", -1.5)), entry((1, "1", -0.2))]
    got = read_reply(Request("prefixes", prompt, (0, 1, 2), top_logprobs=2), reply(entries, [0, 1, 1]))
    assert isinstance(got, Response)
    assert got.logprob is not None
    assert [(n, f.kind) for n, f in got.failures] == [(0, "uncovered")]
    np.testing.assert_allclose(got.logprob[1], [-1.5, -0.3])


@pytest.mark.parametrize("ids", [[0, 1], None])
def test_ids_that_are_decoded_alike_are_summed(ids: list[int] | None) -> None:
    prompt = Prompt("", ("0", "1"), "", (0, 1))
    alike = entry((1, "1", math.log(0.25)), (21, "1", math.log(0.5)), (0, "0", math.log(0.2)))
    got = read_reply(Request("prefixes", prompt, (1,), top_logprobs=3), reply([None, alike], ids))
    assert isinstance(got, Response)
    assert got.logprob is not None
    np.testing.assert_allclose(np.exp(got.logprob), [[0.2, 0.75]])
