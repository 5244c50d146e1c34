"""What a response says about rate limits: headers and 429 bodies to numbers; it waits for nothing.

Read are OpenAI, Groq, Azure and Together (`x-ratelimit-*`), Mistral
(`-minute`), Anthropic (`anthropic-ratelimit-*`), OpenRouter and other
gateways (`x-ratelimit-limit/remaining/reset`), the IETF drafts up to 06
(`ratelimit-*`), Retry-After (RFC 9110), `retry-after-ms`, Google's
RetryInfo and OpenRouter's headers quoted in a 429 body. What is not as its
provider writes it counts as not said.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from harness.adapters._transport import HttpReply

_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")
_EPOCH_S, _EPOCH_MS = 1e9, 1e11  # a number this large is a date: as a wait it would be thirty years


class Allowance(NamedTuple):
    """What a provider still lets through of one kind; None is "not said"."""

    kind: str  # "requests", "tokens", "input-tokens" or "output-tokens"
    limit: float | None
    remaining: float
    reset_s: float | None  # seconds from now until it is whole again


# Names end as their providers write them; the kind decides what one call takes of it.
_FAMILIES: tuple[tuple[str, str, str, str], ...] = (
    ("requests", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("tokens", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("requests", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ("tokens", "x-tokenlimit-limit", "x-tokenlimit-remaining", "x-tokenlimit-reset"),
    ("requests", "x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute", ""),
    ("tokens", "x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute", ""),
    ("tokens", "ratelimitbysize-limit", "ratelimitbysize-remaining", "ratelimitbysize-reset"),
    ("requests", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    *(
        (kind, f"anthropic-ratelimit-{kind}-limit", f"anthropic-ratelimit-{kind}-remaining",
         f"anthropic-ratelimit-{kind}-reset")
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
)  # fmt: skip


def allowances(headers: Mapping[str, str], now: float) -> dict[str, Allowance]:
    """Return what the headers (lower case) say is left, by the name of the header that says it.

    `now` is seconds since 1970, for resets that are given as dates.
    """
    found = {}
    for kind, limit, remaining, reset in _FAMILIES:
        if remaining in headers:
            left = _number(headers[remaining])
            if left is not None:
                total = _number(headers.get(limit))
                found[remaining] = Allowance(kind, total, left, _wait(headers.get(reset), now))
    return found


def retry_after(reply: HttpReply, now: float) -> float | None:
    """Return the seconds that a refusal asks to wait, None if it does not say.

    In this order: milliseconds; seconds or a date; the body; the latest reset
    of what the headers say is used up.
    """
    headers = reply.headers
    ms = _number(headers.get("retry-after-ms"))
    if ms is not None:
        return ms / 1000
    text = headers.get("retry-after")
    if text is not None:
        seconds = _number(text)
        return seconds if seconds is not None else _until_date(text, now)
    quoted, said = _body(reply.body)
    if said is not None:
        return said
    spent = [a for source in (headers, quoted) for a in allowances(source, now).values() if a.remaining < 1]
    return max((a.reset_s for a in spent if a.reset_s is not None), default=None)


def _body(body: bytes) -> tuple[dict[str, str], float | None]:
    """Return the headers that a 429 body quotes and the delay that it states.

    OpenRouter: {"error": {"metadata": {"headers": {"X-RateLimit-Reset": "1768348800000"}}}}.
    Google, at times in a list of one: {"error": {"details": [{"@type":
    "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]}}.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}, None
    error = _field(parsed[0] if isinstance(parsed, list) and parsed else parsed, "error")
    quoted = _field(_field(error, "metadata"), "headers")
    headers = (
        {k.lower(): v for k, v in quoted.items() if isinstance(v, str)} if isinstance(quoted, dict) else {}
    )
    details = _field(error, "details")
    for detail in details if isinstance(details, list) else []:
        delay = _field(detail, "retryDelay")
        if isinstance(delay, str):
            return headers, _duration(delay)
    return headers, None


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _number(text: str | None) -> float | None:
    """Return the number a value begins with, None unless it is one: Azure writes -1 for "not said"."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 20:
        return float(text)  # nearly always: read on every answer
    first = text.partition(",")[0].partition(";")[0].strip()  # IETF: "100, 100;w=60"
    if not _NUMBER.fullmatch(first):
        return None
    number = float(first)
    return number if math.isfinite(number) else None


def _wait(text: str | None, now: float) -> float | None:
    """Return the seconds until a reset given as a duration, as seconds, or as a date."""
    if text is None:
        return None
    if "T" in text:
        return _until_time(text.strip(), now)
    number = _number(text)
    if number is None:
        return _duration(text)
    if number >= _EPOCH_MS:
        return max(0.0, number / 1000 - now)
    return max(0.0, number - now) if number >= _EPOCH_S else number


def _until_time(text: str, now: float) -> float | None:
    """Return the seconds until an RFC 3339 time."""
    try:
        at = datetime.fromisoformat(text)
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _duration(text: str) -> float | None:
    """Return the seconds of "1s", "6m0s", "2m59.56s" or "20ms" (as Go and protobuf write durations)."""
    text = text.strip()
    if not _DURATION.fullmatch(text):
        return None
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
    return seconds if math.isfinite(seconds) else None


def _until_date(text: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
