"""A model of a service with a message format of its own: what `anthropic` and `google` share."""

import asyncio
from collections.abc import Sequence as Seq
from dataclasses import replace

from harness.adapters._endpoint import Endpoint
from harness.adapters._model_options import ModelOptions
from harness.adapters._retry import RetryPolicy
from harness.adapters._service_calls import ServiceCalls
from harness.adapters._service_probe import ServiceProbed, probe_service
from harness.adapters._service_wire import Wire
from harness.errors import RenderError, SpecError, TokenizationError
from harness.types import Capabilities, Failure, Form, Reply, Request


class ServiceModel:
    """One model of one service. Opens nothing before its first call."""

    batch_size = 1

    def __init__(
        self,
        name: str,
        options: ModelOptions,
        endpoint: Endpoint,
        wire: Wire,
        *,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.name = name
        self._endpoint = endpoint
        manners = wire.manners(options.room, options.reasoning_effort)
        if not manners:
            raise SpecError(f"model {name!r}: reasoning_effort needs hidden_tokens above 0 to reason in")
        self.calls = ServiceCalls(endpoint, wire, options.model, manners, policy or RetryPolicy())
        self._probed: ServiceProbed | None = None

    @property
    def fingerprint(self) -> str:
        """The base URL: all that is known of what answers besides its name."""
        return self._endpoint.base_url

    @property
    def attempts(self) -> int:
        """Most calls made of one request."""
        return self.calls.policy.attempts

    @property
    def settings(self) -> dict[str, str]:
        """The address, the client and, once known, how draws are asked for."""
        known = {"base_url": self._endpoint.base_url, "client": "aiohttp"}
        return known | ({"sampling": self.learned} if self.learned else {})

    @property
    def learned(self) -> str:
        """How this model takes its requests, in words, "" while that is not known."""
        return self.calls.settled.words if self.calls.settled else ""

    def recall(self, learned: str) -> None:
        """Ask in this manner from now on; what is no manner of this version is learned anew."""
        self.calls.settled = next((m for m in self.calls.manners if m.words == learned), None)

    async def probe(self, surfaces: Seq[str], between: str, form: Form | None = None) -> Capabilities:
        """Establish by behaviour what this model reports of these symbols; about 10 calls of a few tokens.

        Raises ModelError if nothing answers, or nothing that can be measured with.
        """
        written = (tuple(surfaces), between)
        known = self._probed  # of symbols written otherwise: all but their tokens stands
        self._probed = await probe_service(self.calls, self.name, *written, form, known)
        return self._probed.capabilities

    def check(self, request: Request) -> None:
        """Refuse what the service or the probe is known to answer wrongly.

        Raises RenderError for a prompt that the format cannot say or the model
        does not go on with, TokenizationError for a symbol that is not one token.
        """
        prompt, probed = request.prompt, self._probed
        refusal = self.calls.wire.refusal(replace(request, n=min(request.n, self.calls.wire.MOST_SAMPLES)))
        if refusal:
            raise RenderError(f"{self.name}: {refusal}")
        if probed is None:
            return
        if prompt.form == "prefill" and not probed.capabilities.prefill:
            raise RenderError(f"{self.name}: {probed.prefill}; set render: {{form: chat}} in the suite")
        for surface in prompt.surfaces if request.way != "generation" else ():  # text is read, not tokens
            reason = probed.split.get((surface, prompt.between))
            if reason:
                raise TokenizationError(
                    f"{self.name}: {surface!r} is not one token ({reason}); "
                    "choose other symbols or a separator under render:"
                )

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002
        """Return None: the service counts tokens, but only when asked over the network."""
        return None

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order."""
        return list(await asyncio.gather(*(self.calls.send(request) for request in requests)))

    async def close(self) -> None:
        """Release connections."""
        await self._endpoint.close()
