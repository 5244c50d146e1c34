"""What an HTTP status and its error body mean, as a typed failure."""

import json
import re

from harness.adapters._transport import HttpReply
from harness.types import Failure, FailureKind

_OVERFLOW = re.compile(
    r"context[ _-]?(length|window|size)|maximum context|exceed_context|too many (input )?tokens|"
    r"prompt is too long|max_model_len|reduce the length|longer than the (model|maximum)|"
    r"inputs.{0,2} (tokens \+|must have less than)",  # TGI, and Together in front of it
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[ _-]?(filter|management|policy)|responsible ?ai|safety system|"
    r"was flagged|usage policy|requires moderation",
    re.IGNORECASE,
)
_NO_QUOTA = re.compile(r"insufficient_quota|billing|exceeded your current quota", re.IGNORECASE)
_BY_STATUS: dict[int, FailureKind] = {
    401: "auth",
    402: "auth",  # no credit left: not a rate to wait for
    403: "auth",
    408: "timeout",
    413: "overflow",
    429: "rate_limit",
    504: "timeout",
}
EXCERPT = 160  # characters of a body shown in an error


def failure_of(reply: HttpReply) -> Failure | None:
    """Return the failure that a reply's status means, None for a 2xx."""
    if 200 <= reply.status < 300:
        return None
    text = reply.body.decode("utf-8", "replace")
    return Failure(_kind(reply.status, text), f"HTTP {reply.status}: {_message(text)}")


def failure_of_code(code: int, text: str) -> Failure:
    """Return the failure of an error that came inside a reply with HTTP 200."""
    return Failure(_kind(code, text), f"error {code} with HTTP 200: {excerpt(text)}")


def excerpt(text: str) -> str:
    """Return the first characters of a text on one line, for an error message."""
    line = " ".join(text[: 4 * EXCERPT].split())
    return line if len(line) <= EXCERPT else line[:EXCERPT] + " ..."


def _kind(status: int, text: str) -> FailureKind:
    if status in (400, 403, 422) and _FILTERED.search(text):
        return "filtered"
    if status in (400, 422, 500) and _OVERFLOW.search(text):
        return "overflow"  # some servers answer 500 to a prompt that does not fit
    if (
        status == 429 and _NO_QUOTA.search(text) and "RetryInfo" not in text
    ):  # Google's says when to come back
        return "auth"  # an empty account answers 429 for ever: not a rate to wait for
    known = _BY_STATUS.get(status)
    return known or ("server" if status >= 500 else "request")


def _message(text: str) -> str:
    """Return the message of an error body, or its beginning if it has no known shape."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):  # brackets nested too deep are rubbish too
        return excerpt(text) or "(empty body)"
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        behind = inner.get("metadata")  # OpenRouter: the words of the provider behind it
        raw = behind.get("raw") if isinstance(behind, dict) else None
        inner = inner.get("message") or inner.get("detail") or inner
        if isinstance(inner, str) and isinstance(raw, str):
            inner = f"{inner}: {raw}"
    return excerpt(inner if isinstance(inner, str) else json.dumps(inner))
