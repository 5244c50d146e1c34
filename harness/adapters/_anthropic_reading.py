"""Replies and errors of Anthropic's Messages read. Pure."""

import re
from dataclasses import replace

from pydantic import BaseModel, ValidationError

from harness.adapters._payload import Position
from harness.adapters._service_wire import Listing, Spent
from harness.adapters._status import excerpt, failure_of
from harness.adapters._transport import HttpReply
from harness.types import Failure, FailureKind

_NO_ACCOUNT = re.compile(r"credit balance|spend_limit_reached|billing_error", re.IGNORECASE)
_OVERFLOW = re.compile(r"exceeds? context limit", re.IGNORECASE)
_STATUS = {  # of an error that came without a status of its own
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_STOPS: dict[str | None, tuple[FailureKind, str]] = {
    "refusal": ("refused", "the model or its safety classifier declined"),
    "model_context_window_exceeded": ("overflow", "the context window was exceeded while answering"),
}
_ANSWERED = ("end_turn", "max_tokens", "stop_sequence")


class _Block(BaseModel):
    type: str
    text: str | None = None


class _OutputDetails(BaseModel):
    thinking_tokens: int = 0


class _Usage(BaseModel):
    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _StopDetails(BaseModel):
    category: str | None = None


class _Error(BaseModel):
    type: str = ""
    message: str = ""


class _Message(BaseModel):
    type: str
    content: list[_Block] = []
    model: str = ""
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage | None = None
    error: _Error | None = None


def judge(reply: HttpReply) -> HttpReply | Failure:
    """Return the failure of an account without money or a context that does not fit, else the reply.

    An error that came with HTTP 200 is a failure like any other.
    """
    failure = failure_of(reply)
    if failure is None:
        hidden = spent(reply.body) if b'"error"' in reply.body else None
        return hidden if isinstance(hidden, Failure) else reply
    text = reply.body.decode("utf-8", "replace")
    if reply.status == 402 or (reply.status in (400, 429) and _NO_ACCOUNT.search(text)):
        return replace(failure, kind="auth")
    if reply.status == 400 and _OVERFLOW.search(text):
        return replace(failure, kind="overflow")
    return reply


def error_failure(body: bytes) -> Failure:
    """Return the failure of an error object that came without an HTTP status of its own."""
    message = _parse(body)
    error = _Error() if isinstance(message, Failure) or message.error is None else message.error
    reply = HttpReply(_STATUS.get(error.type, 400), {}, body)
    outcome = judge(reply)
    failure = outcome if isinstance(outcome, Failure) else failure_of(reply)
    assert failure is not None, "no error has a status below 400"
    return replace(failure, detail=f"{error.type or 'an error without a type'}: {excerpt(error.message)}")


def spent(raw: bytes) -> Spent | Failure:
    """Return the tokens billed: prompt tokens read from and written to the cache are reported apart, so added."""
    message = _parse(raw)
    if isinstance(message, Failure):
        return Spent("", None, None)  # paid for all the same: its reader says what it is
    if message.type == "error":
        return error_failure(raw)
    usage = message.usage
    if usage is None:
        return Spent(message.model, None, None)
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return Spent(
        message.model,
        usage.input_tokens + cached + written,
        usage.output_tokens,
        cached_tokens=cached,
        cache_written_tokens=written,
        hidden_tokens=_thought(message),
    )


def answers(raw: bytes) -> list[str] | Failure:
    """Return the one drawn text, or why there is none.

    An answer cut off at its token limit is what was asked for. An empty one is one
    where the model ended its turn: a draw of none of the symbols.
    """
    message = _parse(raw)
    if isinstance(message, Failure):
        return message
    if message.type == "error":
        return error_failure(raw)
    stop = message.stop_reason
    if stop in _STOPS:
        kind, words = _STOPS[stop]
        category = message.stop_details and message.stop_details.category
        return Failure(kind, f"stop_reason {stop!r}: {words}" + (f" ({category})" if category else ""))
    if stop not in _ANSWERED:
        return Failure("malformed", f"stop_reason {stop!r} is none of {', '.join(_ANSWERED)}")
    text = "".join(block.text or "" for block in message.content if block.type == "text")
    if text or (stop != "max_tokens" and message.usage and message.usage.output_tokens):
        return [text]
    if stop == "max_tokens" and _thought(message):
        return Failure(
            "truncated", "every token went into hidden reasoning; raise hidden_tokens in the model's name"
        )
    kind = "truncated" if stop == "max_tokens" else "malformed"
    return Failure(
        kind, f"an empty answer{'' if stop == 'max_tokens' else ' of no tokens'} with stop_reason {stop!r}"
    )


def limited(raw: bytes) -> bool:
    """Return whether the answer was cut at its limit of tokens."""
    message = _parse(raw)
    return not isinstance(message, Failure) and message.stop_reason == "max_tokens"


def reported(raw: bytes) -> list[Position] | Failure:  # noqa: ARG001
    """Return that there are none: the format has no log-probabilities."""
    return Failure("request", "the Messages API reports no log-probabilities")


class _Model(BaseModel):
    max_input_tokens: int | None = None


def listing(raw: bytes) -> Listing:
    """Return the window of a model's description."""
    try:
        return Listing(_Model.model_validate_json(raw).max_input_tokens)
    except ValidationError:
        return Listing(None)


class _Count(BaseModel):
    input_tokens: int


def counted(raw: bytes) -> int | None:
    """Return the tokens counted, those of the message's frame included."""
    try:
        return _Count.model_validate_json(raw).input_tokens
    except ValidationError:
        return None


def _thought(message: _Message) -> int:
    """Return the tokens of hidden reasoning; all of them where it left none for an answer."""
    usage = message.usage
    if usage is None:
        return 0
    if usage.output_tokens_details is not None:
        return usage.output_tokens_details.thinking_tokens
    blocks = {block.type for block in message.content}
    return usage.output_tokens if blocks and "text" not in blocks else 0


def _parse(raw: bytes) -> _Message | Failure:
    try:
        return _Message.model_validate_json(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "top level"
        shown = excerpt(raw[:1024].decode("utf-8", "replace"))
        return Failure("malformed", f"not a message ({where}): {shown!r}")
