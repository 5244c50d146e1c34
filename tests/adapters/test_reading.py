"""Replies read: what is a distribution, what are draws, and what is no answer."""

import json
import math
from typing import Any

import numpy as np
import pytest

from harness.adapters.openai_api import read
from harness.types import Failure, FailureKind, Floats, Form, Prompt, Request, Response

# A reply of llama.cpp's server to /v1/completions with logprobs=3, echo=true: the echo is ignored.
LLAMA_CPP = (
    b'{"choices":[{"text":"0","index":0,"logprobs":{"content":[{"id":6,"token":"0","bytes":[48],'
    b'"logprob":-1.0929239988327026,"top_logprobs":[{"id":6,"token":"0","bytes":[48],'
    b'"logprob":-1.0929239988327026},{"id":15,"token":"h","bytes":[104],"logprob":-1.817060112953186},'
    b'{"id":7,"token":"1","bytes":[49],"logprob":-2.1289188861846924}]}]},"finish_reason":"length"}],'
    b'"created":1795269347,"model":"tiny","system_fingerprint":"b0-unknown","object":"text_completion",'
    b'"usage":{"completion_tokens":1,"prompt_tokens":6,"total_tokens":7},"id":"chatcmpl-1"}'
)
# A reply of transformers serve: log-probabilities were asked for, null came back with HTTP 200.
TRANSFORMERS = (
    b'{"id":"1","choices":[{"text":"0","index":0,"logprobs":null,"finish_reason":"length"}],"model":"t"}'
)


# What llama.cpp's server answers to /v1/responses with max_output_tokens=16: it does not say that it was cut off.
LLAMA_CPP_RESPONSE = (
    b'{"completed_at":1795279634,"created_at":1795279634,"id":"resp_KQNG","model":"tiny","object":"response",'
    b'"output":[{"content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"0101010101010101"}],'
    b'"id":"msg_Lqbv","role":"assistant","status":"completed","type":"message"}],"status":"completed","usage":'
    b'{"input_tokens":19,"output_tokens":16,"total_tokens":35,"input_tokens_details":{"cached_tokens":0}}}'
)


def prompt(*surfaces: str, form: Form = "completion") -> Prompt:
    return Prompt("", surfaces, "", (0, 1, 0, 1), form)


def next_token(*surfaces: str, form: Form = "completion") -> Request:
    return Request("next_token", prompt(*surfaces, form=form), (2,), top_logprobs=5)


def samples(n: int, *surfaces: str, form: Form = "completion") -> Request:
    return Request("samples", prompt(*surfaces, form=form), (2,), n=n)


def chat(token: str, logprob: float, top: dict[str, float] | list[tuple[str, float]]) -> bytes:
    pairs = list(top.items()) if isinstance(top, dict) else top
    listed = [{"token": t, "logprob": v, "bytes": None} for t, v in pairs]
    content = [{"token": token, "logprob": logprob, "bytes": None, "top_logprobs": listed}]
    message = {"role": "assistant", "content": token, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": {"content": content}, "finish_reason": "length"}
    return json.dumps({"choices": [choice], "model": "m"}).encode()


def drawn(*texts: str, form: Form = "completion", **fields: Any) -> bytes:
    said: list[dict[str, Any]] = [
        {"text": t} if form == "completion" else {"message": {"content": t}} for t in texts
    ]
    choices = [{"index": i, "finish_reason": "length", **part, **fields} for i, part in enumerate(said)]
    return json.dumps({"choices": choices}).encode()


def row(got: Response | Failure) -> Floats:
    assert isinstance(got, Response), got
    assert got.logprob is not None
    first: Floats = got.logprob[0]
    return first


def test_the_chat_shape_is_read_from_the_completions_endpoint_too() -> None:
    got = read(next_token("0", "1"), LLAMA_CPP)
    np.testing.assert_allclose(row(got), [-1.0929239988327026, -2.1289188861846924])
    assert isinstance(got, Response)
    assert got.covered is not None
    expected = math.exp(-1.0929239988327026) + math.exp(-1.817060112953186) + math.exp(-2.1289188861846924)
    assert got.covered[0] == pytest.approx(expected)
    assert got.failures == ()


def test_an_ignored_echo_is_truncated_never_a_zero() -> None:
    got = read(Request("prefixes", prompt("0", "1"), (0, 1, 2, 3), top_logprobs=3), LLAMA_CPP)
    assert isinstance(got, Failure)
    assert got.kind == "truncated"


def test_a_symbol_that_was_not_reported_is_nan() -> None:
    got = row(read(next_token("0", "z"), LLAMA_CPP))
    assert got[0] == pytest.approx(-1.0929239988327026)
    assert math.isnan(got[1])


def test_spellings_of_a_symbol_are_summed_in_a_chat() -> None:
    top = {"Heads": math.log(0.5), " Heads": math.log(0.1), "Tails": math.log(0.2), "Head": math.log(0.05)}
    got = row(read(next_token("Heads", "Tails", form="chat"), chat("Heads", math.log(0.5), top)))
    np.testing.assert_allclose(np.exp(got), [0.6, 0.2])


def test_a_completion_takes_no_other_spelling() -> None:
    top = {" Heads": math.log(0.5), "Heads": math.log(0.1), " Tails": math.log(0.2)}
    got = row(read(next_token(" Heads", " Tails"), chat(" Heads", math.log(0.5), top)))
    np.testing.assert_allclose(np.exp(got), [0.5, 0.2])


def test_several_tokens_of_the_same_text_are_summed() -> None:
    top = [("0", math.log(0.3)), ("0", math.log(0.2)), ("1", math.log(0.4))]
    np.testing.assert_allclose(
        np.exp(row(read(next_token("0", "1"), chat("0", math.log(0.3), top)))), [0.5, 0.4]
    )


def test_the_drawn_token_counts_even_outside_the_top() -> None:
    got = read(next_token("0", "1"), chat("1", math.log(0.05), {"0": math.log(0.9)}))
    np.testing.assert_allclose(np.exp(row(got)), [0.9, 0.05])
    assert isinstance(got, Response)
    assert got.covered is not None
    assert got.covered[0] == pytest.approx(0.95)


def test_no_symbol_among_the_tokens_is_uncovered_not_zero() -> None:
    got = read(next_token("0", "1"), chat("The", math.log(0.9), {"The": math.log(0.9)}))
    assert np.isnan(row(got)).all()
    assert isinstance(got, Response)
    ((n, failure),) = got.failures
    assert (n, failure.kind) == (2, "uncovered")
    assert "'The'" in failure.detail


def test_a_probability_of_zero_is_minus_infinity_not_missing() -> None:
    got = row(read(next_token("0", "1"), chat("0", 0.0, {"0": 0.0, "1": -math.inf})))
    assert got.tolist() == [0.0, -math.inf]


def test_draws_are_counted_by_surface_and_the_rest_apart() -> None:
    got = read(samples(6, "0", "1"), drawn("0", "1", "0", "", " 0", "01"))
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[2, 1, 3]]
    assert got.logprob is None


def test_draws_of_a_chat_may_carry_white_space() -> None:
    got = read(
        samples(4, "Heads", "Tails", form="chat"), drawn("Heads", " Tails", "Heads\n", "The", form="chat")
    )
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[2, 1, 1]]


def test_fewer_draws_than_asked_are_truncated() -> None:
    got = read(samples(4, "0", "1"), drawn("0"))
    assert got == Failure("truncated", "1 of 4 choices came back")


THOUGHT = b'{"choices":[{"message":{"content":"","reasoning_content":"Let"},"finish_reason":"length"}]}'
HIDDEN = (
    b'{"choices":[{"message":{"content":""},"finish_reason":"length"}],'
    b'"usage":{"completion_tokens_details":{"reasoning_tokens":1}}}'
)
THINKS = b'{"choices":[{"message":{"content":"<think>"},"finish_reason":"length"}]}'
PARTS = (
    b'{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Let"}]}]},'
    b'"finish_reason":"length"}]}'
)
NOTHING = b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}],"usage":{"completion_tokens":0}}'
UNSAID = b'{"choices":[{"message":{"content":""}}]}'
BROKEN_OFF = b'{"choices":[{"index":0,"text":"","finish_reason":"abort"}]}'
TOOL = b'{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}'
IN_CHOICE = b'{"choices":[{"error":{"code":429,"message":"slow"},"message":{"content":""}}]}'
OVERFLOWED = b'{"error":{"code":400,"message":"x","metadata":{"raw":"maximum context length is 512"}}}'
NUMBER = b'{"choices":[{"text":"0","logprobs":-0.3,"finish_reason":"length"}]}'  # of no known shape
REFUSED = b'{"choices":[{"message":{"content":null,"refusal":"I cannot help"},"finish_reason":"stop"}]}'
FILTERED = b'{"choices":[{"text":"","finish_reason":"content_filter"}]}'


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (TRANSFORMERS, "malformed"),
        (REFUSED, "refused"),
        (FILTERED, "filtered"),
        (THOUGHT, "truncated"),
        (HIDDEN, "truncated"),
        (THINKS, "truncated"),
        (PARTS, "truncated"),
        (NOTHING, "malformed"),
        (UNSAID, "malformed"),
        (BROKEN_OFF, "server"),
        (TOOL, "malformed"),
        (IN_CHOICE, "rate_limit"),
        (OVERFLOWED, "overflow"),
        (NUMBER, "malformed"),
        (chat("0", math.nan, {}), "malformed"),
        (chat("0", -0.5, {"1": math.nan}), "malformed"),
        (chat("0", 0.5, {}), "malformed"),
        (b'{"choices":[{"text":"0","logprobs":{"content":[]}}]}', "malformed"),
        (b'{"choices":[{"text":"0","logprobs":{"tokens":["0"],"token_logprobs":[]}}]}', "malformed"),
        (b'{"choices":[{"text":"0","logprobs":{"tokens":["0"],"token_logprobs":[null]}}]}', "malformed"),
        (b'{"choices":[]}', "malformed"),
        (b'{"error":{"code":429,"message":"slow down"}}', "rate_limit"),
        (b'{"error":{"code":502,"message":"upstream"}}', "server"),
        (b'{"error":"no such model"}', "request"),
        (b"", "malformed"),
        (b"<html>502</html>", "malformed"),
        (LLAMA_CPP[:200], "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b"[1, 2]", "malformed"),
        (b"null", "malformed"),
        (b'{"choices":[{"text":7}]}', "malformed"),
        (b'{"choices":' + b"[" * 5000, "malformed"),
    ],
)
def test_what_is_no_answer_is_a_typed_failure(raw: bytes, kind: FailureKind) -> None:
    got = read(next_token("0", "1"), raw)
    assert isinstance(got, Failure)
    assert got.kind == kind
    assert len(got.detail) < 400


@pytest.mark.parametrize("raw", [NOTHING, UNSAID, BROKEN_OFF, IN_CHOICE, REFUSED, FILTERED, THINKS, PARTS])
def test_what_is_no_answer_is_no_draw_either(raw: bytes) -> None:
    assert isinstance(read(samples(1, "0", "1", form="chat"), raw), Failure)


def test_a_model_that_ends_its_turn_has_drawn_none_of_the_symbols() -> None:
    got = read(samples(2, "0", "1", form="chat"), drawn("", "1", form="chat", finish_reason="stop"))
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[0, 1, 1]]


def test_a_choice_that_came_twice_is_not_two_draws() -> None:
    raw = json.loads(drawn("0", "1", "0"))
    raw["choices"][2]["index"] = 1
    got = read(samples(3, "0", "1"), json.dumps(raw).encode())
    assert got == Failure("malformed", "choice 1 came twice")


def test_one_refused_choice_spoils_the_reply() -> None:
    raw = json.loads(drawn("0", "1", form="chat"))
    raw["choices"][1]["message"] = {"content": None, "refusal": "no"}
    got = read(samples(2, "0", "1", form="chat"), json.dumps(raw).encode())
    assert isinstance(got, Failure)
    assert got.kind == "refused"


# As servers write them, by their sources: fields of their own, null where others leave out, no `bytes`.
VLLM = (
    b'{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"0",'
    b'"logprobs":{"text_offset":[0],"token_logprobs":[-0.5],"tokens":["0"],"top_logprobs":[{"0":-0.5,"1":-1.0}]},'
    b'"finish_reason":"length","stop_reason":null,"token_ids":null,"prompt_logprobs":null,'
    b'"prompt_token_ids":null}],"service_tier":null,"system_fingerprint":null,"usage":{"prompt_tokens":3,'
    b'"total_tokens":4,"completion_tokens":1,"prompt_tokens_details":null},"kv_transfer_params":null}'
)
SGLANG = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
    b'"assistant","content":"0","reasoning_content":null,"tool_calls":null},"logprobs":{"content":[{"token":"0",'
    b'"bytes":[48],"logprob":-0.5,"top_logprobs":[{"token":"0","bytes":[48],"logprob":-0.5},{"token":"1",'
    b'"bytes":[49],"logprob":-1.0}]}]},"finish_reason":"length","matched_stop":null}],"usage":{"prompt_tokens":3,'
    b'"total_tokens":4,"completion_tokens":1,"prompt_tokens_details":null,"reasoning_tokens":0},"metadata":{}}'
)
TGI = (
    b'{"object":"chat.completion","id":"","created":1,"model":"m","system_fingerprint":"3.0-sha","choices":[{'
    b'"index":0,"message":{"role":"assistant","content":"0"},"logprobs":{"content":[{"token":"0","logprob":-0.5,'
    b'"top_logprobs":[{"token":"0","logprob":-0.5},{"token":"1","logprob":-1.0}]}]},"finish_reason":"length"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
MISTRAL = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"m","usage":{"prompt_tokens":3,"total_tokens":4,'
    b'"completion_tokens":1,"prompt_audio_seconds":null},"choices":[{"index":0,"finish_reason":"length",'
    b'"prompt_logprobs":null,"message":{"role":"assistant","content":[{"type":"text","text":"0"}],"tool_calls":'
    b'null,"prefix":false},"logprobs":{"content":[{"token":"0","logprob":-0.5,"bytes":[48],"token_id":6,'
    b'"top_logprobs":[{"token":"0","logprob":-0.5,"bytes":[48],"token_id":6},{"token":"1","logprob":-1.0,'
    b'"bytes":[49],"token_id":7}]}]}}]}'
)


@pytest.mark.parametrize("raw", [VLLM, SGLANG, TGI, MISTRAL])
def test_the_shapes_of_other_servers_are_read_alike(raw: bytes) -> None:
    np.testing.assert_allclose(row(read(next_token("0", "1", form="chat"), raw)), [-0.5, -1.0])
    draw = read(samples(1, "0", "1", form="chat"), raw)
    assert isinstance(draw, Response)
    assert draw.counts is not None
    assert draw.counts.tolist() == [[1, 0, 0]]


@pytest.mark.parametrize("field", ["logprobs", "usage", "model", "index", "finish_reason"])
@pytest.mark.parametrize("value", [0, 1.5, "words", [], {"a": []}, None, [None], True])
def test_a_field_that_nothing_depends_on_never_spoils_a_draw(field: str, value: object) -> None:
    raw = json.loads(drawn("0", form="chat"))
    (raw if field in ("usage", "model") else raw["choices"][0])[field] = value
    got = read(samples(1, "0", "1", form="chat"), json.dumps(raw).encode())
    assert isinstance(got, Response)


def test_a_response_of_another_server_is_read_by_its_first_symbol() -> None:
    got = read(samples(1, "0", "1", form="chat"), LLAMA_CPP_RESPONSE)
    assert isinstance(got, Response)
    assert got.counts is not None
    assert got.counts.tolist() == [[1, 0, 0]]
    scored = read(next_token("0", "1", form="chat"), LLAMA_CPP_RESPONSE)
    assert isinstance(scored, Failure)
    assert scored.kind == "malformed"


def test_rubbish_is_quoted() -> None:
    got = read(next_token("0", "1"), b"<html>\n<title>Sign in</title>" + b"x" * 9000)
    assert isinstance(got, Failure)
    assert "<title>Sign in</title>" in got.detail
