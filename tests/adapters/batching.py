"""Requests handed in as batches to a stub: what the tests of batches share."""

import asyncio
from collections.abc import Awaitable, Callable

from harness.adapters._batch_service import MISTRAL, OPENAI, TOGETHER, BatchService
from harness.adapters._compatible import CompatibleModel
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._retry import RetryPolicy
from harness.adapters._transport import Transport
from harness.types import BatchModel, BatchState, Failure, Prompt, Reply, Request
from tests.adapters.batch_stub import BatchStub

CANARY = "sk-canary-77aa01c3"
SERVICES = {"openai": OPENAI, "mistral": MISTRAL, "together": TOGETHER}
Outcomes = dict[str, Reply | Failure]


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)


def asked(count: int = 4) -> list[tuple[str, Request]]:
    """Return requests of different lengths, with ids as long as a digest."""
    prompt = Prompt("", ("0", "1"), "", (0, 1) * count, form="chat")
    requests = [Request("next_token", prompt, (n,), top_logprobs=6) for n in range(1, count + 1)]
    return [(f"{i:064x}", request) for i, request in enumerate(requests)]


def open_model(stub: BatchStub, service: BatchService | None = None) -> CompatibleModel:
    endpoint = HttpEndpoint(stub.url, CANARY, transport=Transport())
    chosen = service or SERVICES[stub.dialect]
    return CompatibleModel("x/stub", "stub", endpoint, client="aiohttp", policy=QUICK, batches=chosen)


async def finish(model: BatchModel, name: str, ids: list[str]) -> Outcomes | Failure:
    """Look at a batch until it has ended."""
    for _ in range(5):
        got = await model.collect(name, ids)
        if not isinstance(got, BatchState):
            return got
    raise AssertionError("it never ends")


def carry_out(stub: BatchStub, requests: list[tuple[str, Request]] | None = None) -> Outcomes:
    """Return what becomes of requests handed in as one batch."""
    requests = requests or asked()

    async def main() -> Outcomes | Failure:
        async with stub:
            model = open_model(stub)
            name = await model.submit(requests, "icl-1")
            assert isinstance(name, str), name
            got = await finish(model, name, [key for key, _ in requests])
            await model.close()
            return got

    got = asyncio.run(main())
    assert isinstance(got, dict), got
    return got


def alone(stub: BatchStub, use: Callable[[CompatibleModel], Awaitable[object]]) -> object:
    """Return what one use of a model of this stub gives."""

    async def main() -> object:
        async with stub:
            model = open_model(stub)
            try:
                return await use(model)
            finally:
                await model.close()

    return asyncio.run(main())
