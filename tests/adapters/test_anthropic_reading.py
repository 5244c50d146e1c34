"""Replies of provider `anthropic` read: which are draws, and which are no answers."""

import json
from typing import Any

import anthropic.types as sdk
import pytest

from harness.adapters import anthropic
from harness.types import Failure, Response
from tests.adapters.service_asking import draw


def message(text: str | None, stop: str | None, **changes: Any) -> bytes:
    content = [] if text is None else [{"type": "text", "text": text}]
    usage = {"input_tokens": 5, "output_tokens": 1}
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": content}
    return json.dumps({**whole, "stop_reason": stop, "usage": usage, **changes}).encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (message("1", "max_tokens"), [0, 1, 0]),
        (message("0", "end_turn"), [1, 0, 0]),
        (message(" 1\n", "stop_sequence"), [0, 1, 0]),
        (message("It", "max_tokens"), [0, 0, 1]),
        (message("10", "max_tokens"), [0, 0, 1]),
        (message("", "end_turn"), [0, 0, 1]),  # the model ended its turn: one token, no symbol
        (message(None, "end_turn"), [0, 0, 1]),
    ],
)
def test_an_answer_is_one_draw(raw: bytes, expected: list[int]) -> None:
    sdk.Message.model_validate_json(raw)
    response = anthropic.read(draw(), raw)
    assert isinstance(response, Response)
    assert response.counts is not None
    assert response.counts.tolist() == [expected]
    assert response.context_lengths.tolist() == [2]


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (message("I", "refusal"), "refused", "declined"),
        (
            message(None, "refusal", stop_details={"type": "refusal", "category": "bio"}),
            "refused",
            "(bio)",
        ),
        (message("1", "model_context_window_exceeded"), "overflow", "context window"),
        (message(None, "tool_use"), "malformed", "'tool_use'"),
        (message("1", "pause_turn"), "malformed", "'pause_turn'"),
        (message("1", None), "malformed", "None"),
        (message(None, "max_tokens"), "truncated", "empty"),
        (message(None, "end_turn", usage={"input_tokens": 5, "output_tokens": 0}), "malformed", "no tokens"),
        (
            message(None, "max_tokens", content=[{"type": "thinking", "thinking": "", "signature": ""}]),
            "truncated",
            "hidden reasoning",
        ),
    ],
)
def test_what_is_no_answer_is_a_typed_failure(raw: bytes, kind: str, words: str) -> None:
    sdk.Message.model_validate_json(raw)
    got = anthropic.read(draw(), raw)
    assert isinstance(got, Failure)
    assert got.kind == kind
    assert words in got.detail


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"type": "message"',
        b'{"content": "1"}',
        message("1", "end_turn")[:-9],
    ],
)
def test_bytes_that_are_no_message_are_malformed(raw: bytes) -> None:
    got = anthropic.read(draw(), raw)
    assert isinstance(got, Failure)
    assert got.kind == "malformed"
