"""A reply read: its bytes and the request in, the distribution of the next symbol out. Pure."""

import numpy as np

from harness.adapters._echo import read_prefixes
from harness.adapters._payload import Payload, Position, parse, positions, stopped
from harness.adapters._symbols import Symbols
from harness.types import Failure, Request, Response


def read_reply(request: Request, raw: bytes) -> Response | Failure:
    """Return what an OpenAI-compatible reply says, in either log-probability shape."""
    payload = parse(raw)
    if isinstance(payload, Failure):
        return payload
    for choice in payload.choices:
        failure = stopped(choice, payload.usage)
        if failure is not None:
            return failure
    if request.way == "samples":
        return _read_samples(request, payload)
    found = positions(payload.choices[0].logprobs)
    if isinstance(found, Failure):
        return found
    return read_prefixes(request, found) if request.way == "prefixes" else _read_next(request, found[0])


def _read_next(request: Request, first: Position) -> Response | Failure:
    if first.logprob is None:
        return Failure("malformed", f"the generated token {first.token!r} has no log-probability")
    logprob, covered = Symbols(request.prompt).row(first)
    (n,) = request.context_lengths
    failures: tuple[tuple[int, Failure], ...] = ()
    if np.isnan(logprob).all():
        shown = ", ".join(repr(token) for token, _ in list(first.top)[:5]) or repr(first.token)
        reason = f"none of the symbols is among the tokens reported ({shown}, ...)"
        failures = ((n, Failure("uncovered", reason)),)
    return Response(
        np.array([n], dtype=np.int64), logprob=logprob[None], covered=np.array([covered]), failures=failures
    )


def _read_samples(request: Request, payload: Payload) -> Response | Failure:
    if len(payload.choices) < request.n:
        return Failure("truncated", f"{len(payload.choices)} of {request.n} choices came back")
    symbols = Symbols(request.prompt)
    counts = np.zeros((1, symbols.count + 1), dtype=np.int64)
    for choice in payload.choices[: request.n]:
        symbol = symbols.index(choice.answer)
        counts[0, symbols.count if symbol is None else symbol] += 1
    return Response(np.array(request.context_lengths, dtype=np.int64), counts=counts)
