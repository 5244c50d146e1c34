"""Failures that come with HTTP 200: as an error object in the reply, or in one of its choices."""

from dataclasses import replace

from harness.adapters._payload import error_failure, parse, parse_envelope, stopped
from harness.adapters._transport import HttpReply
from harness.types import Failure


def unmasked(outcome: HttpReply | Failure) -> HttpReply | Failure:
    """Return a reply, or the failure that came in it with HTTP 200: it is tried again like any other.

    Where tokens were counted all the same, the failure is doubtful.
    """
    if isinstance(outcome, Failure) or not 200 <= outcome.status < 300 or b'"error"' not in outcome.body:
        return outcome  # not parsed twice
    envelope, payload = parse_envelope(outcome.body), parse(outcome.body)
    failure = error_failure(envelope.error) if envelope.error is not None else None
    if failure is None and not isinstance(payload, Failure):
        broken = [choice for choice in payload.choices if choice.error or choice.finish_reason == "error"]
        failure = stopped(broken[0], payload.usage) if broken else None
    if failure is None:
        return outcome
    return replace(failure, doubtful=1) if envelope.usage and envelope.usage.completed else failure
