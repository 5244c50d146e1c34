"""The identity of a request: what is asked of which model, as text and as a digest."""

import hashlib
import json

from harness.types import Request


def request_json(request: Request) -> str:
    """Return the request as one line of JSON, the same for the same request on any machine."""
    prompt = request.prompt
    # Fields that came later stand in it only where they are used: older requests keep their digests.
    later: dict[str, object] = {}
    if prompt.form == "prefill":
        later["instruction"] = prompt.instruction
    if prompt.footer:
        later["footer"] = prompt.footer
    if prompt.written:
        later["written"] = prompt.written
    if request.restricted:
        later["restricted"] = True
    if request.length:
        later["length"] = request.length
    return json.dumps(
        later
        | {
            "way": request.way,
            "form": prompt.form,
            "header": prompt.header,
            "surfaces": prompt.surfaces,
            "between": prompt.between,
            "symbols": prompt.symbols,
            "context_lengths": _runs(request.context_lengths),
            "top_logprobs": request.top_logprobs,
            "n": request.n,
            "seed": request.seed,
        },
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )


def request_digest(model: str, fingerprint: str, request: Request) -> bytes:
    """Return the sha256 (32 bytes) of a request to a model as it is now."""
    key = json.dumps([model, fingerprint]) + request_json(request)
    return hashlib.sha256(key.encode()).digest()


def _runs(values: tuple[int, ...]) -> list[list[int]]:
    """Return consecutive integers as [first, last] pairs: 0..256 is one pair, not 257 numbers."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return runs
