"""The JSON of an OpenAI-compatible reply, checked as it enters, with log-probabilities in either shape.

llama.cpp's server answers /v1/completions with the chat shape, so the shape is
read from the reply and never assumed from the address.
"""

import math
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from harness.adapters._status import excerpt, failure_of_code
from harness.types import Failure

_ROUNDING = 1e-3  # a log-probability may exceed 0 by this much: servers print float16 and bfloat16 sums


@dataclass(frozen=True, slots=True)
class _TopToken:
    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class _ContentToken:
    token: str
    logprob: float
    top_logprobs: list[_TopToken] = field(default_factory=list)


class Logprobs(BaseModel):
    """Log-probabilities in either shape; the fields of the other shape are None."""

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None
    content: list[_ContentToken] | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class Choice(BaseModel):
    """One of the n answers."""

    text: str | None = None
    message: _Message | None = None
    logprobs: Logprobs | None = None
    finish_reason: str | None = None

    @property
    def answer(self) -> str:
        """What was generated, "" if nothing was."""
        return (self.message.content if self.message else self.text) or ""

    @property
    def thought(self) -> bool:
        """Whether the token went into hidden reasoning instead of an answer."""
        return self.message is not None and bool(self.message.reasoning_content or self.message.reasoning)


class _ReasoningDetails(BaseModel):
    reasoning_tokens: int | None = None


class Usage(BaseModel):
    """Tokens billed."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _ReasoningDetails | None = None


class _Error(BaseModel):
    code: int | str | None = None
    message: str | None = None


class Envelope(BaseModel):
    """What a reply says of itself besides its answer."""

    model: str | None = None
    usage: Usage | None = None
    error: _Error | str | None = None


class Payload(Envelope):
    """A whole reply."""

    choices: list[Choice] = []


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
    if not payload.choices:
        return Failure("malformed", f"no choices: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
    return payload


def error_failure(error: _Error | str) -> Failure:
    """Return the failure of an error object that came with HTTP 200."""
    if isinstance(error, str):
        return failure_of_code(400, error)
    code = int(str(error.code)) if str(error.code).isdigit() else 400
    return failure_of_code(code, f"{error.code} {error.message or ''}")


def stopped(choice: Choice, usage: Usage | None) -> Failure | None:
    """Return why a choice is no answer: refused, filtered, spent on hidden reasoning; None if it is one."""
    if choice.message and choice.message.refusal:
        return Failure("refused", f"the model declined: {excerpt(choice.message.refusal)!r}")
    if choice.finish_reason == "content_filter":
        return Failure("filtered", "finish_reason is 'content_filter'")
    details = usage.completion_tokens_details if usage else None
    if not choice.answer and (choice.thought or (details and details.reasoning_tokens)):
        return Failure(
            "truncated",
            "the token went into hidden reasoning; a reasoning model cannot be asked for one symbol",
        )
    return None


def positions(logprobs: Logprobs | None) -> list[Position] | Failure:
    """Return the positions of a reply in order, or why its numbers are none."""
    if logprobs is not None and logprobs.content:
        found = [
            Position(t.token, None, t.logprob, [(other.token, other.logprob) for other in t.top_logprobs])
            for t in logprobs.content
        ]
    elif logprobs is not None and logprobs.tokens:
        legacy = _legacy(logprobs, logprobs.tokens)
        if isinstance(legacy, Failure):
            return legacy
        found = legacy
    else:
        return Failure("malformed", "HTTP 200 without log-probabilities: they are null or empty")
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
