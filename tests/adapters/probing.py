"""A stub server probed through `openai-api`, as any server of that protocol is."""

import asyncio
from collections.abc import Awaitable, Callable

from harness.adapters._compatible import CompatibleModel
from harness.adapters._retry import RetryPolicy
from harness.adapters.openai_api import open_model
from harness.types import Capabilities, Form
from tests.adapters.stub_server import Stub


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=2, sleep=no_sleep)
Use = Callable[[CompatibleModel], Awaitable[None]]


async def nothing(_: CompatibleModel) -> None:
    """Use the model for nothing."""


def probe(
    stub: Stub, *forms: Form, between: str = "", surfaces: tuple[str, ...] = ("0", "1"), use: Use = nothing
) -> list[Capabilities]:
    """Probe a stub for each form in turn, then `use` the model while it is open."""

    async def main() -> list[Capabilities]:
        async with stub:
            model = open_model("stub/stub", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            assert isinstance(model, CompatibleModel)
            try:
                found = [await model.probe(surfaces, between, form) for form in forms]
                await use(model)
            finally:
                await model.close()
            return found

    return asyncio.run(main())


def said(capabilities: Capabilities, words: str) -> bool:
    """Whether a finding holds these words."""
    return any(words in finding for finding in capabilities.findings)


def bodies(stub: Stub) -> list[dict[str, object]]:
    """The bodies of all completions and chats asked for."""
    return [body for path, _, body in stub.log if path.endswith("completions")]
