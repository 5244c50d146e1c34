"""A batch's requests and results as lines of JSON, one a request, matched by our own ids."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import BaseModel

from harness.adapters._batch_service import BatchService, endpoint
from harness.adapters._status import excerpt, failure_of
from harness.adapters._transport import HttpReply, Json
from harness.types import Failure


class Asked(NamedTuple):
    """One request of a batch as a direct call would send it."""

    id: str
    path: str
    body: Json


def write_lines(asked: Iterable[Asked], service: BatchService) -> bytes:
    """Return the input file: the body of each line is what a direct call sends."""
    return b"".join(
        json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in _lines(asked, service)
    )


def _lines(asked: Iterable[Asked], service: BatchService) -> Iterator[Json]:
    for one in asked:
        route = {"method": "POST", "url": endpoint(one.path)} if service.routed else {}
        yield {"custom_id": one.id, **route, "body": one.body}


class _Result(BaseModel):
    status_code: int | None = None
    body: object = None


class _LineError(BaseModel):
    code: str | int | None = None
    message: str | None = None


class _Line(BaseModel):
    custom_id: str
    response: _Result | None = None
    error: _LineError | str | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What the files of an ended batch say."""

    outcomes: dict[str, HttpReply | Failure]
    unread: int  # lines that are no result: damaged, or cut off


def read_lines(content: bytes) -> Results:
    """Return the outcome of each request named in a file of results, in whatever order they stand.

    Of two lines with one id the answer counts rather than the error, and the
    first of two answers: which of them is kept must not depend on chance.
    """
    outcomes: dict[str, HttpReply | Failure] = {}
    unread = 0
    for text in content.split(b"\n"):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate(json.loads(text))
        except (ValueError, RecursionError):  # no JSON, or not of this shape
            unread += 1
            continue
        merge(outcomes, {line.custom_id: _outcome(line)})
    return Results(outcomes, unread)


def merge(into: dict[str, HttpReply | Failure], more: dict[str, HttpReply | Failure]) -> None:
    """Add outcomes to others: the first stands, but an answer replaces a failure."""
    for key, outcome in more.items():
        if key not in into or (isinstance(into[key], Failure) and not isinstance(outcome, Failure)):
            into[key] = outcome


def _outcome(line: _Line) -> HttpReply | Failure:
    if line.error is not None and not (line.response and line.response.status_code == 200):
        return _failure(line.error)
    if line.response is None or line.response.status_code is None:
        return Failure("malformed", "the result has neither an answer nor an error", doubtful=1)
    # Written anew from what was parsed: escapes and blanks may differ from the line, numbers do not.
    body = json.dumps(line.response.body, separators=(",", ":")).encode()
    reply = HttpReply(line.response.status_code, {}, body)
    return failure_of(reply) or reply


def _failure(error: _LineError | str) -> Failure:
    code, words = ("", error) if isinstance(error, str) else (str(error.code or ""), error.message or "")
    text = excerpt(f"{code} {words}".strip()) or "no reason given"
    match code:  # OpenAI's three, in its specification of a line of results
        case "batch_expired":
            return Failure("timeout", text)
        case "batch_cancelled":
            return Failure("server", text)
        case "request_timeout":
            return Failure("timeout", text, doubtful=1)
    if code.isdigit():
        body = json.dumps({"error": {"message": words}}).encode()
        return failure_of(HttpReply(int(code), {}, body)) or Failure("server", text)
    return Failure("server", text)
