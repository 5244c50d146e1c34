"""Replies of provider `google` read: draws, log-probabilities, and what is no answer."""

import json
import math
from typing import Any

import numpy as np
import pytest

from harness.adapters import google
from harness.types import Failure, Request, Response
from tests.adapters.service_asking import CHAT, draw

NEXT = Request("next_token", CHAT, (2,), top_logprobs=3)


def candidate(text: str | None, reason: str | None, **changes: Any) -> dict[str, Any]:
    content = {"role": "model", **({} if text is None else {"parts": [{"text": text}]})}
    return {"content": content, **({"finishReason": reason} if reason else {}), "index": 0, **changes}


def content(*candidates: dict[str, Any], tokens: int = 1, **changes: Any) -> bytes:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": tokens, "totalTokenCount": 5 + tokens}
    return json.dumps(
        {"candidates": list(candidates), "usageMetadata": usage, "modelVersion": "g-001", **changes}
    ).encode()


def steps(*tops: dict[str, float], chosen: str = "0") -> dict[str, Any]:
    """Log-probabilities as the service writes them; the first step's chosen token as given."""
    return {
        "topCandidates": [
            {"candidates": [{"token": t, "tokenId": 1, "logProbability": v} for t, v in top.items()]}
            for top in tops
        ],
        "chosenCandidates": [
            {"token": chosen, "tokenId": 1, "logProbability": top.get(chosen, -4.0)} for top in tops
        ],
    }


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> str:
    inner = {"code": code, "message": message, "status": status, "details": list(details)}
    return json.dumps({"error": inner})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (content(candidate("1", "MAX_TOKENS")), [0, 1, 0]),
        (content(candidate("0\n", "STOP"), tokens=1), [1, 0, 0]),
        (content(candidate("It", "MAX_TOKENS")), [0, 0, 1]),
        (content(candidate(None, "STOP")), [0, 0, 1]),  # the model ended its turn: one token, no symbol
        (content(candidate("1", "STOP"), usageMetadata={"promptTokenCount": 5}), [0, 1, 0]),
    ],
)
def test_an_answer_is_one_draw(raw: bytes, expected: list[int]) -> None:
    response = google.read(draw(), raw)
    assert isinstance(response, Response)
    assert response.counts is not None
    assert response.counts.tolist() == [expected]


def test_several_candidates_are_several_draws_and_fewer_than_asked_are_none() -> None:
    raw = content(*(candidate(text, "MAX_TOKENS", index=i) for i, text in enumerate("011x")), tokens=4)
    response = google.read(Request("samples", CHAT, (2,), n=4), raw)
    assert isinstance(response, Response)
    assert response.counts is not None
    assert response.counts.tolist() == [[1, 2, 1]]
    got = google.read(Request("samples", CHAT, (2,), n=5), raw)
    assert got == Failure("truncated", "4 of 5 choices came back")


def test_thoughts_are_no_part_of_an_answer() -> None:
    parts = [{"text": "Hm.", "thought": True}, {"text": "1"}]
    raw = content(candidate("", "STOP", content={"role": "model", "parts": parts}))
    response = google.read(draw(), raw)
    assert isinstance(response, Response)
    assert response.counts is not None
    assert response.counts.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        *((reason, "filtered") for reason in ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "SPII")),
        *((reason, "filtered") for reason in ("PROHIBITED_CONTENT", "MODEL_ARMOR", "ESCALATION")),
        *((f"IMAGE_{reason}", "filtered") for reason in ("SAFETY", "PROHIBITED_CONTENT", "RECITATION")),
        *((reason, "malformed") for reason in ("OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL")),
        *((reason, "malformed") for reason in ("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE")),
        *((reason, "malformed") for reason in ("MALFORMED_RESPONSE", "FINISH_REASON_UNSPECIFIED")),
        *((reason, "malformed") for reason in ("IMAGE_OTHER", "NO_IMAGE", "ANY_NEW_REASON", None)),
        ("CONTINUATION", "truncated"),
        ("PUP_LIMITED_DISABLED", "auth"),
    ],
)
@pytest.mark.parametrize("text", ["1", None])
def test_a_reason_that_is_no_end_of_an_answer_is_a_typed_failure(
    reason: str | None, kind: str, text: str | None
) -> None:
    for request in (draw(), NEXT):
        got = google.read(request, content(candidate(text, reason, finishMessage="why")))
        assert isinstance(got, Failure)
        assert got.kind == kind
        assert repr(reason) in got.detail


def test_every_reason_of_the_official_package_is_in_the_table() -> None:
    types = pytest.importorskip("google.genai.types")
    for reason in types.FinishReason:
        got = google.read(draw(), content(candidate("1", reason.value)))
        assert isinstance(got, Failure) == (reason.value not in ("STOP", "MAX_TOKENS"))
    for blocked in types.BlockedReason:
        got = google.read(draw(), content(promptFeedback={"blockReason": blocked.value}))
        assert isinstance(got, Failure)
        assert got.kind == "filtered"


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (content(), "malformed", "no candidates"),
        (content(candidate(None, "MAX_TOKENS")), "truncated", "empty"),
        (content(candidate(None, "STOP"), tokens=0), "malformed", "no tokens"),
        (content(candidate("1", "STOP"), candidate("1", "SAFETY")), "filtered", "'SAFETY'"),
        (
            content(candidate(None, "MAX_TOKENS"), usageMetadata={"thoughtsTokenCount": 1}),
            "truncated",
            "hidden reasoning",
        ),
        (b"", "malformed", "not a GenerateContentResponse"),
        (b'{"candidates": [', "malformed", "not a GenerateContentResponse"),
        (b'{"candidates": "1"}', "malformed", "(candidates)"),
        (error(503, "UNAVAILABLE", "The model is overloaded.").encode(), "server", "overloaded"),
    ],
)
def test_what_is_no_answer_is_a_typed_failure(raw: bytes, kind: str, words: str) -> None:
    got = google.read(draw(), raw)
    assert isinstance(got, Failure)
    assert got.kind == kind
    assert words in got.detail


def test_log_probabilities_are_read_at_the_first_token() -> None:
    law = {"0": math.log(0.5), " 1": math.log(0.2), "1": math.log(0.1)}
    raw = content(candidate("0", "MAX_TOKENS", logprobsResult=steps(law, {"x": -1.0})))
    response = google.read(NEXT, raw)
    assert isinstance(response, Response)
    assert response.logprob is not None
    assert response.covered is not None
    np.testing.assert_allclose(np.exp(response.logprob), [[0.5, 0.3]])  # two spellings of "1" summed
    np.testing.assert_allclose(response.covered, [0.8])


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"topCandidates": [], "chosenCandidates": []},
        steps({"0": 0.7}),
        {"topCandidates": [{"candidates": [{"token": "0"}]}], "chosenCandidates": [{"token": "0"}]},
    ],
)
def test_log_probabilities_that_are_missing_or_none_are_malformed(result: Any) -> None:
    changes = {} if result is None else {"logprobsResult": result}
    got = google.read(NEXT, content(candidate("0", "MAX_TOKENS", **changes)))
    assert isinstance(got, Failure)
    assert got.kind == "malformed"


def test_log_probabilities_behind_hidden_reasoning_are_not_taken_for_the_answers() -> None:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 1, "thoughtsTokenCount": 3}
    raw = content(candidate("0", "STOP", logprobsResult=steps({"0": -1.0})), usageMetadata=usage)
    got = google.read(NEXT, raw)
    assert isinstance(got, Failure)
    assert "hidden reasoning" in got.detail
