"""How tests ask the stubs of Anthropic and Google: models opened on a stub, requests sent, probes made."""

import asyncio
from typing import Any

from harness.adapters import anthropic, google
from harness.adapters._retry import RetryPolicy
from harness.types import Capabilities, Failure, Model, Prompt, Reply, Request
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.service_stub import ServiceStub

CHAT = Prompt("Next?\n", ("0", "1"), ",", (0, 1, 0, 1), "chat")
BEGUN = Prompt("", (" 0", " 1"), ",", (0, 1, 0, 1), "prefill", "Go on.")


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=3, sleep=no_sleep)


def draw(prompt: Prompt = CHAT, context_length: int = 2, **changes: Any) -> Request:
    """A request for one draw."""
    return Request("samples", prompt, (context_length,), **{"n": 1, "seed": 3, **changes})


def open_model(stub: ServiceStub, name: str = "m", policy: RetryPolicy = QUICK) -> Model:
    """The model of this name at the service that the stub stands for."""
    module = anthropic if isinstance(stub, AnthropicStub) else google
    environ = {"ANTHROPIC_API_KEY": "key-of-the-test", "GEMINI_API_KEY": "key-of-the-test"}
    environ |= {"ANTHROPIC_BASE_URL": stub.url, "GOOGLE_BASE_URL": stub.url}
    model: Model = module.open_model(name, environ=environ, policy=policy)
    return model


def nowhere(stub: ServiceStub) -> ServiceStub:
    """A stub that is not started, at an address where nothing answers."""
    stub.url = "http://127.0.0.1:9"
    return stub


def ask(stub: ServiceStub, *requests: Request, name: str = "m") -> list[Reply | Failure]:
    """Send requests one after another."""

    async def main() -> list[Reply | Failure]:
        async with stub:
            model = open_model(stub, name)
            got = [(await model.send([request]))[0] for request in requests]
            await model.close()
            return got

    return asyncio.run(main())


def probe(
    stub: ServiceStub, *symbols: str, between: str = ",", name: str = "m"
) -> tuple[Capabilities, Model]:
    """Probe a model for chats of these symbols."""

    async def main() -> tuple[Capabilities, Model]:
        async with stub:
            model = open_model(stub, name)
            try:
                return await model.probe(symbols or ("0", "1"), between, "chat"), model
            finally:
                await model.close()

    return asyncio.run(main())
