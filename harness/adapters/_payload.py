"""What an OpenAI-compatible reply says: its choices, why one is no answer, and its log-probabilities in order.

llama.cpp's server answers /v1/completions with the chat shape, so the shape is
read from the reply and never assumed from the address.
"""

import math
from collections.abc import Sequence as Seq
from typing import NamedTuple

from pydantic import ValidationError

from harness.adapters._responses import as_choice
from harness.adapters._status import excerpt, failure_of_code
from harness.adapters._usage import Usage
from harness.adapters._wire import Choice, Envelope, Error, Logprobs, Payload
from harness.types import Failure

_ROUNDING = 1e-3  # a log-probability may exceed 0 by this much: servers print float16 and bfloat16 sums
_CODES = {  # errors that name themselves by a word instead of a status
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "server_error": 500,
    "internal_server_error": 500,
    "overloaded_error": 503,
}


class Position(NamedTuple):
    """One token of a reply: its text, its own log-probability and the most probable tokens in its place."""

    token: str
    offset: int | None  # characters from the start of the echoed text, None where not reported
    logprob: float | None  # None for a first token, which nothing precedes
    top: Seq[tuple[str, float]]


def parse_envelope(raw: bytes) -> Envelope:
    """Return what the reply says of itself; empty for bytes that are no such reply."""
    try:
        return Envelope.model_validate_json(raw)
    except ValidationError:
        return Envelope()


def parse(raw: bytes) -> Payload | Failure:
    """Return the reply with at least one choice, or why it is none."""
    try:
        payload = Payload.model_validate_json(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "top level"
        shown = excerpt(raw[:1024].decode("utf-8", "replace"))
        return Failure("malformed", f"not a completion ({where}): {shown!r}")
    if payload.error is not None:
        return error_failure(payload.error)
    if payload.output is not None:
        if payload.status not in ("completed", "incomplete"):
            return Failure("malformed", f"a response with status {payload.status!r} is not finished")
        payload.choices = [as_choice(payload)]
    if not payload.choices:
        return Failure("malformed", f"no choices: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
    return payload


def error_failure(error: Error | str) -> Failure:
    """Return the failure of an error object that came with HTTP 200."""
    if isinstance(error, str):
        return failure_of_code(400, error)
    named = _CODES.get(str(error.code)) or _CODES.get(str(error.type)) or 400
    code = int(str(error.code)) if str(error.code).isdigit() else named
    behind = (error.metadata or {}).get("raw")  # OpenRouter: the words of the provider behind it
    words = [str(error.code or ""), error.message or "", behind if isinstance(behind, str) else ""]
    return failure_of_code(code, " ".join(filter(None, words)))


def stopped(choice: Choice, usage: Usage | None) -> Failure | None:
    """Return why a choice is no answer, None if it is one.

    An empty answer is one where the model ended its turn: it is then a draw of
    none of the symbols.
    """
    if choice.error is not None:
        return error_failure(choice.error)
    if choice.message and choice.message.refusal:
        return Failure("refused", f"the model declined: {excerpt(choice.message.refusal)!r}")
    reason = choice.finish_reason
    if reason == "content_filter":
        return Failure("filtered", "finish_reason is 'content_filter'")
    if reason in ("error", "abort"):
        return Failure("server", f"the answer broke off: finish_reason is {reason!r}")
    if choice.answer:
        return None
    if reason in ("tool_calls", "function_call"):
        return Failure("malformed", "the model called a tool that it was not given")
    if choice.thought or (usage and usage.hidden):
        return Failure(
            "truncated", "all tokens went into hidden reasoning; raise hidden_tokens in the model's name"
        )
    if reason is None or (usage is not None and usage.completion_tokens == 0):
        return Failure("malformed", "nothing was generated: the answer is empty, without tokens or a reason")
    return None


def positions(logprobs: Logprobs | None) -> list[Position] | Failure:
    """Return the positions of a reply in order, or why its numbers are none."""
    if logprobs is not None and logprobs.content:
        found = [
            Position(
                t.token, None, t.logprob, [(other.token, other.logprob) for other in t.top_logprobs or ()]
            )
            for t in logprobs.content
        ]
    elif logprobs is not None and logprobs.tokens:
        legacy = _legacy(logprobs, logprobs.tokens)
        if isinstance(legacy, Failure):
            return legacy
        found = legacy
    else:
        return Failure(
            "malformed", "HTTP 200 without log-probabilities: they are null, empty or of no known shape"
        )
    for i, position in enumerate(found):
        own = () if position.logprob is None else (position.logprob,)
        for value in (*own, *(v for _, v in position.top)):
            if math.isnan(value) or value > _ROUNDING:
                return Failure("malformed", f"token {i} ({position.token!r}) has log-probability {value!r}")
    return found


def _legacy(logprobs: Logprobs, tokens: list[str]) -> list[Position] | Failure:
    own = logprobs.token_logprobs or []
    tops = logprobs.top_logprobs or [None] * len(tokens)
    offsets: Seq[int | None] = logprobs.text_offset or [None] * len(tokens)
    if not len(tokens) == len(own) == len(tops) == len(offsets):
        return Failure(
            "malformed",
            f"{len(tokens)} tokens with {len(own)} token_logprobs, {len(tops)} top_logprobs and "
            f"{len(offsets)} text_offset",
        )
    return [
        Position(token, offset, value, list((top or {}).items()))
        for token, offset, value, top in zip(tokens, offsets, own, tops, strict=True)
    ]
