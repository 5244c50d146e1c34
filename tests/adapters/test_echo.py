"""Echoed prompts: every context length is read from the right token, or not at all."""

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters._echo import align, echoed_text, read_prefixes
from harness.adapters._payload import Position
from harness.adapters.openai_api import read
from harness.types import Failure, Prompt, Request, Response

PROMPT = Prompt("", ("0", "1"), "", (0, 1, 1, 0, 1))

# One reply of llama-cpp-python 0.3: the first position is null, each further one lists its top tokens and its own.
RECORDED = {
    "id": "cmpl-1",
    "object": "text_completion",
    "model": "tiny",
    "choices": [
        {
            "text": "011010",
            "index": 0,
            "logprobs": {
                "text_offset": [0, 1, 2, 3, 4, 5],
                "token_logprobs": [None, -0.5, -1.25, -0.75, -0.125, -0.25],
                "tokens": ["0", "1", "1", "0", "1", "0"],
                "top_logprobs": [
                    None,
                    {"1": -0.5, "0": -1.0},
                    {"0": -0.375, "1": -1.25},
                    {"0": -0.75, "a": -1.5},
                    {"1": -0.125, "0": -2.5},
                    {"0": -0.25, "1": -1.5},
                ],
            },
            "finish_reason": "length",
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}


def request(prompt: Prompt = PROMPT, lengths: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Request:
    return Request("prefixes", prompt, lengths, top_logprobs=2)


def reply(**logprobs: Any) -> bytes:
    return json.dumps({"choices": [{"text": "", "logprobs": logprobs, "finish_reason": "length"}]}).encode()


def echo(tokens: list[str], offsets: list[int] | None) -> list[Position]:
    """Positions in which token i has log-probability -i and no alternatives."""
    places: list[int | None] = [*offsets] if offsets else [None] * len(tokens)
    return [Position(t, o, -float(i), ()) for i, (t, o) in enumerate(zip(tokens, places, strict=True))]


def own(response: Response | Failure, prompt: Prompt) -> list[float]:
    """The log-probability of the target at each context length."""
    assert isinstance(response, Response), response
    assert response.logprob is not None
    return [float(response.logprob[i, prompt.symbols[n]]) for i, n in enumerate(response.context_lengths)]


def test_a_recorded_reply_gives_every_context_length() -> None:
    got = read(request(), json.dumps(RECORDED).encode())
    assert isinstance(got, Response)
    assert got.logprob is not None
    assert got.covered is not None
    nan = math.nan
    expected = [[nan, nan], [-1.0, -0.5], [-0.375, -1.25], [-0.75, nan], [-2.5, -0.125]]
    np.testing.assert_allclose(got.logprob, expected, rtol=1e-12)
    np.testing.assert_allclose(got.covered[1], math.exp(-0.5) + math.exp(-1.0))
    np.testing.assert_allclose(got.covered[3], math.exp(-0.75) + math.exp(-1.5))
    assert [(n, f.kind) for n, f in got.failures] == [(0, "uncovered")]


def test_the_generated_token_is_never_read_as_part_of_the_prompt() -> None:
    without = json.loads(json.dumps(RECORDED))
    for column in without["choices"][0]["logprobs"].values():
        column.pop()  # llama-cpp-python reports no token where generation ended at once
    whole, cut = (read(request(), json.dumps(body).encode()) for body in (RECORDED, without))
    assert isinstance(whole, Response)
    assert isinstance(cut, Response)
    assert whole.logprob is not None
    assert cut.logprob is not None
    np.testing.assert_array_equal(whole.logprob, cut.logprob)


def test_the_prompt_sent_holds_the_target_of_the_longest_context() -> None:
    assert echoed_text(request(lengths=(0, 3))) == "0110"


@pytest.mark.parametrize(
    ("tokens", "offsets"),
    [
        (["0", "1", "1", "0", "1", "0"], [0, 1, 2, 3, 4, 5]),
        (["0", "1", "1", "0", "1", "0"], None),
        (["<s>", "0", "1", "1", "0", "1", "0"], [0, 3, 4, 5, 6, 7, 8]),  # BOS counted in the offsets
        (["<s>", "0", "1", "1", "0", "1", "0"], [0, 0, 1, 2, 3, 4, 5]),  # and not counted
        (["", "0", "1", "1", "0", "1", "0"], [0, 0, 1, 2, 3, 4, 5]),  # BOS decoded to nothing
        (["<bos>", "<s>", "0", "1", "1", "0", "1"], None),
        (["<s>", "▁0", "1", "1", "0", "1"], [0, 3, 5, 6, 7, 8]),  # SentencePiece, word start in the offsets
        (["<s>", "▁0", "1", "1", "0", "1"], [0, 3, 4, 5, 6, 7]),
    ],
)
def test_targets_are_found_behind_special_tokens(tokens: list[str], offsets: list[int] | None) -> None:
    first = next(i for i, t in enumerate(tokens) if t.strip("▁") == "0")
    got = read_prefixes(request(), echo(tokens, offsets))
    assert own(got, PROMPT) == [-float(first + i) for i in range(5)]


def test_alternatives_are_spelled_like_the_token_that_stands_there() -> None:
    top = [("▁0", -0.5), ("▁1", -1.0), ("x", -2.0)]
    first = Position("▁0", None, -0.5, top)
    got = read_prefixes(request(lengths=(0,)), [Position("<s>", None, None, ()), first])
    assert isinstance(got, Response)
    assert got.logprob is not None
    assert got.logprob.tolist() == [[-0.5, -1.0]]


@pytest.mark.parametrize("start", [" ", "Ġ", "▁"])
def test_surfaces_with_a_leading_space_are_found_in_any_spelling(start: str) -> None:
    prompt = Prompt("Flips:", (" Heads", " Tails"), ",", (0, 1, 1))
    tokens = ["Flips", ":", f"{start}Heads", ",", f"{start}Tails", ",", f"{start}Tails", ","]
    got = read_prefixes(request(prompt, (0, 1, 2)), echo(tokens, None))
    assert own(got, prompt) == [-2, -4, -6]


def test_a_space_lost_in_decoding_is_bridged() -> None:
    prompt = Prompt("x", (" a", " b"), "", (0, 1))
    got = read_prefixes(request(prompt, (0, 1)), echo(["x", "a", "b", "c"], [0, 2, 4, 5]))
    assert own(got, prompt) == [-1, -2]


def test_a_symbol_of_two_tokens_fails_at_its_levels_only() -> None:
    prompt = Prompt("", ("a", "bc"), "", (0, 1, 0, 0))
    got = read_prefixes(
        request(prompt, (0, 1, 2, 3)), echo(["a", "b", "c", "a", "a", "x"], [0, 1, 2, 3, 4, 5])
    )
    assert isinstance(got, Response)
    assert [(n, f.kind) for n, f in got.failures] == [(1, "tokenization")]
    assert "'bc'" in got.failures[0][1].detail
    assert own(got, prompt)[2:] == [-3, -4]


def test_symbols_merged_into_one_token_fail_at_both_levels() -> None:
    got = read_prefixes(request(), echo(["0", "11", "0", "1", "x"], [0, 1, 3, 4, 5]))
    assert isinstance(got, Response)
    assert [n for n, f in got.failures if f.kind == "tokenization"] == [1, 2]


@pytest.mark.parametrize(
    "positions",
    [
        echo(["1"], [5]),
        echo(["0"], [0]),  # a generated token that happens to continue the prompt from its start
        echo(["0", "1", "1"], [0, 1, 2]),
    ],
)
def test_fewer_positions_than_symbols_are_truncated_not_scored(positions: list[Position]) -> None:
    got = read_prefixes(request(), positions)
    assert isinstance(got, Failure)
    assert got.kind == "truncated"


@pytest.mark.parametrize(
    ("tokens", "offsets"),
    [
        (["0", "1", "0", "0", "1", "0"], [0, 1, 2, 3, 4, 5]),  # another text
        (["0", "1", "1", "0", "1", "0"], [0, 1, 2, 4, 5, 6]),  # texts that fit, offsets that do not
        (["0", "1", "1", "0", "1", "0"], [0, 1, 2, 2, 3, 4]),
    ],
)
def test_tokens_that_leave_the_prompt_are_refused_whole(tokens: list[str], offsets: list[int]) -> None:
    got = read_prefixes(request(), echo(tokens, offsets))
    assert isinstance(got, Failure)
    assert got.kind == "tokenization"


@settings(deadline=None)  # a busy machine is no failure
@given(
    symbols=st.lists(st.integers(0, 2), min_size=2, max_size=30),
    between=st.sampled_from(["", ",", " ", ", "]),
    header=st.sampled_from(["", "x", "Data: "]),
    cuts=st.sets(st.integers(1, 120)),
    bos=st.booleans(),
)
def test_however_a_prompt_is_cut_into_tokens_a_symbol_is_read_from_its_own_token_or_not_at_all(
    symbols: list[int], between: str, header: str, cuts: set[int], bos: bool
) -> None:
    prompt = Prompt(header, ("a", "b", "ab"), between, tuple(symbols))
    lengths = tuple(range(len(symbols)))
    text = echoed_text(request(prompt, lengths))
    edges = [0, *sorted(c for c in cuts if c < len(text)), len(text)]
    spans = list(pairwise(edges))
    tokens = (["<s>"] if bos else []) + [text[i:j] for i, j in spans] + ["?"]
    offsets = ([0] if bos else []) + [i + 3 * bos for i, _ in spans] + [len(text) + 3 * bos]
    got = read_prefixes(request(prompt, lengths), echo(tokens, offsets))
    assert isinstance(got, Response)
    starts = prompt.starts(lengths[-1])
    failed = {n for n, _ in got.failures}
    for n, value in zip(lengths, own(got, prompt), strict=True):
        span = (starts[n], starts[n] + len(prompt.surfaces[symbols[n]]))
        if span in spans:
            assert value == -float(spans.index(span) + bos)
        else:
            assert n in failed
            assert math.isnan(value)


def test_a_long_prompt_is_aligned_in_linear_time() -> None:
    text = "01" * 20_000
    aligned = align(text, echo(list(text), list(range(len(text)))))
    assert (aligned.end, len(aligned.by_start)) == (len(text), len(text))
