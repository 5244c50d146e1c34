"""The bytes a local model's answer is stored as; numpy only, so that a replay needs no torch.

A reply is zlib over one line of JSON, which says what follows, and a
little-endian array: float32 natural-log probabilities (n_levels, n_symbols) or
int64 counts (n_levels, n_symbols + 1), the last column for all other tokens. Of
a text that was written freely the line is followed by the text, in UTF-8.
"""

import json
import zlib
from collections.abc import Sequence as Seq

import numpy as np
from numpy.typing import NDArray

from harness.types import Failure, Floats, Ints, Request, Response

_FORMAT = "icl-local-1"
_DTYPES = {"logprob": "<f4", "counts": "<i8"}


def pack_logprobs(context_lengths: Seq[int], logprob: Floats, reasons: Seq[tuple[int, str]] = ()) -> bytes:
    """Return the bytes of exact log-probabilities, shape (n_levels, n_symbols).

    `reasons` says, for a context length whose row is NaN, why it has no prediction.
    """
    return _pack("logprob", context_lengths, logprob, reasons)


def pack_counts(context_lengths: Seq[int], counts: Ints) -> bytes:
    """Return the bytes of counts of drawn symbols, shape (n_levels, n_symbols + 1)."""
    return _pack("counts", context_lengths, counts, ())


def pack_text(context_lengths: Seq[int], text: str, *, ended: bool) -> bytes:
    """Return the bytes of a text; `ended` says that the model ended it."""
    head = {"format": _FORMAT, "kind": "text", "context_lengths": list(context_lengths), "ended": ended}
    return zlib.compress(json.dumps(head, separators=(",", ":")).encode() + b"\n" + text.encode(), 1)


def read_reply(request: Request, raw: bytes) -> Response | Failure:
    """Return what `raw` says in answer to `request`, or a malformed-reply failure."""
    try:
        line, _, body = zlib.decompress(raw).partition(b"\n")
        head = json.loads(line)
        kind, lengths = head["kind"], tuple(head["context_lengths"])
        if head["format"] != _FORMAT or lengths != request.context_lengths:
            return Failure("malformed", f"stored reply is {head['format']!r} for context lengths {lengths!r}")
        if kind == "text":
            levels = np.array(lengths, dtype=np.int64)
            return Response(levels, text=body.decode(), ended=bool(head["ended"]))
        columns = len(request.prompt.surfaces) + (kind == "counts")
        values = np.frombuffer(body, dtype=_DTYPES[kind]).reshape(len(lengths), columns)
        failures = tuple((int(n), Failure("tokenization", str(why))) for n, why in head["failures"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        return Failure("malformed", f"stored reply of a local model cannot be read: {error!r}")
    levels = np.array(lengths, dtype=np.int64)
    if kind == "counts":
        return Response(context_lengths=levels, counts=values.astype(np.int64))
    logprob = values.astype(np.float64)
    covered = np.where(np.isnan(logprob).any(axis=1), np.nan, 1.0)  # the whole distribution was seen
    return Response(context_lengths=levels, logprob=logprob, covered=covered, failures=failures)


def _pack(
    kind: str, context_lengths: Seq[int], values: NDArray[np.generic], reasons: Seq[tuple[int, str]]
) -> bytes:
    head = {
        "format": _FORMAT,
        "kind": kind,
        "context_lengths": list(context_lengths),
        "failures": [list(r) for r in reasons],
    }
    line = json.dumps(head, separators=(",", ":")).encode()
    return zlib.compress(line + b"\n" + values.astype(_DTYPES[kind]).tobytes(), 1)
