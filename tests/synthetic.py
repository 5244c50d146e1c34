"""A small real model whose true curve is known, and a suite to run it on."""

import asyncio
import json
from collections.abc import Sequence

import numpy as np

from harness.spec import SuiteSpec
from harness.suite_files import parse_suite
from harness.types import Capabilities, Failure, Form, Reply, Request, Response

SUITE = """\
name: small
seed: 3
models: [mock/flat]
tasks:
  - family: periodic
    params: {period: {sweep: [2, 3]}, symbols: binary}
    context_lengths: [0, 4, 8, 16]
    sequences: 6
    controls: [shuffle]
"""


def small_suite(**changes: str) -> SuiteSpec:
    """Return the suite with some of its text replaced, e.g. sequences="sequences: 9"."""
    text = SUITE
    for key, line in changes.items():
        old = next(part for part in text.splitlines() if part.strip().startswith(f"{key}:"))
        text = text.replace(old.strip(), line)
    return parse_suite(text, "small")


class SyntheticModel:
    """Gives p(target) = 0.9 from context length 8 on and 0.5 before; counts what it is asked.

    `fail` names requests (by order of arrival) that fail with the given failure,
    `too_long` is the first context length that does not fit, and a `silent` one
    reports no token counts.
    """

    batch_size = 1
    attempts = 1
    name = "mock/synthetic"
    fingerprint = "synthetic-1"

    def __init__(
        self,
        *,
        fail: dict[int, Failure] | None = None,
        batch_size: int = 1,
        too_long: int = 10**9,
        silent: bool = False,
    ) -> None:
        self.too_long, self.silent = too_long, silent
        self.asked: list[Request] = []
        self.in_flight = self.most_in_flight = 0
        self.fail = fail or {}
        self.batch_size = batch_size

    @property
    def settings(self) -> dict[str, str]:
        return {"kind": "synthetic"}

    async def probe(self, surfaces: Sequence[str], between: str, form: Form = "completion") -> Capabilities:
        del surfaces, between, form
        return Capabilities(
            prefixes=False, top_logprobs=2, full=True, max_samples=8, seed=True, max_context_tokens=None
        )

    def check(self, request: Request) -> None:
        del request

    def count_tokens(self, text: str) -> int | None:
        return len(text)

    async def send(self, requests: Sequence[Request]) -> list[Reply | Failure]:
        outcomes: list[Reply | Failure] = []
        self.in_flight += len(requests)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        for request in requests:
            number = len(self.asked)
            self.asked.append(request)
            await asyncio.sleep(0)
            tokens = len(request.prompt.text(request.context_lengths[-1]))
            raw = json.dumps({"n": request.context_lengths}).encode()
            failure = self.fail.get(number)
            if request.context_lengths[-1] >= self.too_long:
                failure = Failure("overflow", "too long")
            told = None if self.silent else tokens
            outcomes.append(failure or Reply(raw, told, told and 1, "synthetic", 1, 0.0))
        self.in_flight -= len(requests)
        return outcomes

    async def close(self) -> None:
        pass


def read(request: Request, raw: bytes) -> Response:
    """Read a reply of SyntheticModel: 0.9 for the target from context length 8 on."""
    lengths = json.loads(raw)["n"]
    p = np.full((len(lengths), len(request.prompt.surfaces)), np.nan)
    for row, n in zip(p, lengths, strict=True):
        target = request.prompt.symbols[n]
        row[:] = (0.1 if n >= 8 else 0.5) / (len(row) - 1)
        row[target] = 0.9 if n >= 8 else 0.5
    return Response(np.array(lengths), logprob=np.log(p), covered=np.ones(len(lengths)))
