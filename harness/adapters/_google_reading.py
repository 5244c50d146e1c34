"""Replies and errors of Google's generateContent read. Pure."""

import re
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from harness.adapters._payload import Position, positions
from harness.adapters._service_wire import Listing, Spent
from harness.adapters._status import excerpt, failure_of
from harness.adapters._transport import HttpReply
from harness.adapters._wire import Logprobs
from harness.types import Failure, FailureKind

_OVERFLOW = re.compile(r"exceeds? the maximum number of (input )?tokens", re.IGNORECASE)
_ANSWERED = ("STOP", "MAX_TOKENS")
_STOPS: dict[str, FailureKind] = {
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
        "filtered",
    ),
    **dict.fromkeys(
        ("ESCALATION", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), "filtered"
    ),
    "CONTINUATION": "truncated",
    "PUP_LIMITED_DISABLED": "auth",  # the account is limited or disabled
}  # any other reason is malformed: it stands for no answer and for no filter that we know


_GRPC = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}  # google.rpc.Code


class Camel(BaseModel):
    """An object of the API, whose names are written inCamelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class _Part(Camel):
    text: str | None = None
    thought: bool = False


class _Content(Camel):
    parts: list[_Part] = []


class _Token(Camel):
    token: str
    log_probability: float


class _Step(Camel):
    candidates: list[_Token] = []


class _LogprobsResult(Camel):
    top_candidates: list[_Step] = []
    chosen_candidates: list[_Token] = []


class _Candidate(Camel):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: _LogprobsResult | None = None


class _Feedback(Camel):
    block_reason: str | None = None


class _Usage(Camel):
    # Numbers that are 0 are left out of the JSON.
    prompt_token_count: int | None = None
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    cached_content_token_count: int = 0


class Error(Camel):
    """What an error reply holds."""

    code: int = 400
    message: str = ""


class _Payload(Camel):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None
    model_version: str = ""
    error: Error | None = None


class _Model(Camel):
    input_token_limit: int | None = None
    top_k: int | None = None


class _Count(Camel):
    total_tokens: int


def judge(reply: HttpReply) -> HttpReply | Failure:
    """Return the failure of a wrong key, which comes with 400, or a prompt that does not fit; else the reply.

    An error that came with HTTP 200 is a failure like any other.
    """
    failure = failure_of(reply)
    if failure is None:
        hidden = spent(reply.body) if b'"error"' in reply.body else None
        return hidden if isinstance(hidden, Failure) else reply
    text = reply.body.decode("utf-8", "replace")
    if reply.status == 400 and "API_KEY_INVALID" in text:
        return replace(failure, kind="auth")
    if reply.status == 400 and _OVERFLOW.search(text):
        return replace(failure, kind="overflow")
    return reply


def spent(raw: bytes) -> Spent | Failure:
    """Return the tokens billed: those of thoughts are reported apart from those of answers, so added."""
    payload = _parse(raw)
    if isinstance(payload, Failure):
        return Spent("", None, None)  # paid for all the same: its reader says what it is
    if payload.error is not None:
        return error_failure(payload.error, raw)
    usage = payload.usage_metadata
    if usage is None:
        return Spent(payload.model_version, None, None)
    return Spent(
        payload.model_version,
        usage.prompt_token_count,
        usage.candidates_token_count + usage.thoughts_token_count,
        cached_tokens=usage.cached_content_token_count,
        hidden_tokens=usage.thoughts_token_count,
    )


def answers(raw: bytes) -> list[str] | Failure:
    """Return the drawn texts; where one of them is no answer, why, for a part of the draws would mislead.

    An empty text is one where the model ended its turn: a draw of none of the symbols.
    """
    payload = _answered(raw)
    if isinstance(payload, Failure):
        return payload
    thought = payload.usage_metadata.thoughts_token_count if payload.usage_metadata else 0
    texts = []
    for candidate in payload.candidates:
        parts = candidate.content.parts if candidate.content else []
        text = "".join(part.text or "" for part in parts if not part.thought)
        if not text and (candidate.finish_reason == "MAX_TOKENS" or not _generated(payload)):
            return _empty(candidate, thought or sum(part.thought for part in parts))
        texts.append(text)
    return texts


def limited(raw: bytes) -> bool:
    """Return whether the first answer was cut at its limit of tokens."""
    payload = _parse(raw)
    return (
        not isinstance(payload, Failure)
        and bool(payload.candidates)
        and payload.candidates[0].finish_reason == "MAX_TOKENS"
    )


def reported(raw: bytes) -> list[Position] | Failure:
    """Return the generated positions with their log-probabilities, or why there are none."""
    payload = _answered(raw)
    if isinstance(payload, Failure):
        return payload
    if payload.usage_metadata and payload.usage_metadata.thoughts_token_count:
        return Failure(
            "malformed", "hidden reasoning came before the answer: the first position is not its own"
        )
    result = payload.candidates[0].logprobs_result or _LogprobsResult()
    steps = zip(result.chosen_candidates, result.top_candidates, strict=False)
    content = [
        {**_pair(chosen), "top_logprobs": [_pair(t) for t in step.candidates]} for chosen, step in steps
    ]
    return positions(Logprobs.model_validate({"content": content}))


def listing(raw: bytes) -> Listing:
    """Return the window of a model's description, and the truncation that its draws are served with."""
    try:
        model = _Model.model_validate_json(raw)
    except ValidationError:
        return Listing(None)
    cut = f"; draws come from its {model.top_k} most probable tokens" if model.top_k else ""
    return Listing(model.input_token_limit, cut)


def counted(raw: bytes) -> int | None:
    """Return the tokens counted."""
    try:
        return _Count.model_validate_json(raw).total_tokens
    except ValidationError:
        return None


def _answered(raw: bytes) -> _Payload | Failure:
    """Return a reply all of whose candidates ended as an answer does, or why not."""
    payload = _parse(raw)
    if isinstance(payload, Failure):
        return payload
    if payload.error is not None:
        return error_failure(payload.error, raw)
    blocked = payload.prompt_feedback and payload.prompt_feedback.block_reason
    if blocked:
        return Failure("filtered", f"the prompt was blocked: blockReason {blocked!r}")
    if not payload.candidates:
        return Failure("malformed", f"no candidates: {excerpt(raw[:1024].decode('utf-8', 'replace'))!r}")
    for candidate in payload.candidates:
        reason = candidate.finish_reason
        if reason not in _ANSWERED:
            said = f": {excerpt(candidate.finish_message)}" if candidate.finish_message else ""
            return Failure(_STOPS.get(reason or "", "malformed"), f"finishReason {reason!r}{said}")
    return payload


def _generated(payload: _Payload) -> bool:
    return bool(payload.usage_metadata and payload.usage_metadata.candidates_token_count)


def _empty(candidate: _Candidate, thought: int) -> Failure:
    if candidate.finish_reason != "MAX_TOKENS":
        return Failure(
            "malformed", f"an empty answer of no tokens with finishReason {candidate.finish_reason!r}"
        )
    if thought:
        return Failure(
            "truncated", "every token went into hidden reasoning; raise hidden_tokens in the model's name"
        )
    return Failure("truncated", "an empty answer with finishReason 'MAX_TOKENS'")


def _pair(token: _Token) -> dict[str, object]:
    return {"token": token.token, "logprob": token.log_probability}


def error_failure(error: Error, raw: bytes) -> Failure:
    """Return the failure of an error that came without an HTTP status of its own.

    Its code is an HTTP status, or one of gRPC's where a batch is spoken of.
    """
    status = error.code if error.code >= 400 else _GRPC.get(error.code, 500)
    reply = HttpReply(status, {}, raw)
    outcome = judge(reply)
    failure = outcome if isinstance(outcome, Failure) else failure_of(reply)
    assert failure is not None, "its status is 400 or more"
    return replace(failure, detail=f"an error {error.code} in a reply: {excerpt(error.message)}")


def _parse(raw: bytes) -> _Payload | Failure:
    try:
        return _Payload.model_validate_json(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "top level"
        shown = excerpt(raw[:1024].decode("utf-8", "replace"))
        return Failure("malformed", f"not a GenerateContentResponse ({where}): {shown!r}")
