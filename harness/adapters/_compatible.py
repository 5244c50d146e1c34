"""A model behind any OpenAI-compatible server, whatever its dialect: what `openai` and `openai-api` share."""

import asyncio
from collections.abc import Sequence as Seq

from harness.adapters._calls import Calls
from harness.adapters._dialect import Dialect
from harness.adapters._endpoint import Endpoint
from harness.adapters._probe import Probed, probe_server
from harness.adapters._retry import RetryPolicy
from harness.errors import ContextTooLong, RenderError, TokenizationError
from harness.types import Capabilities, Failure, Form, Reply, Request


class CompatibleModel:
    """One model of one server. Opens nothing before its first call."""

    batch_size = 1

    def __init__(
        self,
        name: str,
        model: str,
        endpoint: Endpoint,
        *,
        client: str,
        dialect: Dialect | None = None,
        strict: bool = False,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.name = name
        self._client = client
        self._endpoint = endpoint
        self.calls = Calls(
            endpoint, model, policy or RetryPolicy(), dialect=dialect or Dialect(), strict=strict
        )
        self._probed: Probed | None = None

    @property
    def fingerprint(self) -> str:
        """The base URL: all that is known of what answers besides its name."""
        return self._endpoint.base_url

    @property
    def settings(self) -> dict[str, str]:
        """The address, the client and, once known, how draws are asked for."""
        known = {"base_url": self._endpoint.base_url, "client": self._client}
        if self.calls.settled:
            fields = ", ".join(f"{k}={v}" for k, v in self.calls.dialect.sampling(None).items())
            known["sampling"] = f"temperature=1, {fields}"
        return known

    async def probe(self, surfaces: Seq[str], between: str, form: Form | None = None) -> Capabilities:
        """Establish by behaviour what this model reports of these symbols; about 25 calls of a few tokens.

        `form` is the form of the prompts to come; without it completions are
        probed where the model answers there, else chat. Raises ModelError if
        nothing answers, or nothing that can be measured with.
        """
        self._probed = await probe_server(self.calls, self.name, tuple(surfaces), between, form)
        return self._probed.capabilities

    def check(self, request: Request) -> None:
        """Refuse what the probe saw answered wrongly; without a probe nothing is known.

        Raises RenderError for a form of prompt that is not served,
        TokenizationError for a symbol that is not one token, ContextTooLong.
        """
        prompt, probed = request.prompt, self._probed
        if prompt.form == "chat" and request.way == "prefixes":
            raise RenderError(
                f"{self.name}: a chat prompt is not echoed; only completions score every context length"
            )
        if probed is None:
            return
        if prompt.form not in probed.forms:
            raise RenderError(
                f"{self.name} does not answer {prompt.form} prompts ({probed.refusal}); "
                f"set render: {{form: {probed.forms[0]}}} in the suite"
            )
        for surface in prompt.surfaces:
            reason = probed.tokens.split.get((surface, prompt.between))
            if reason:
                raise TokenizationError(
                    f"{self.name}: {surface!r} is not one token ({reason}); "
                    "choose other symbols or a separator under render:"
                )
        self._check_window(request, probed)

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002
        """Return None: the server's tokenizer is not at hand."""
        return None

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order."""
        return list(await asyncio.gather(*(self.calls.send(request) for request in requests)))

    async def close(self) -> None:
        """Release connections."""
        await self._endpoint.close()

    def _check_window(self, request: Request, probed: Probed) -> None:
        window, prompt = probed.capabilities.max_context_tokens, request.prompt
        if window is None or not probed.tokens.single.issuperset(
            (s, prompt.between) for s in prompt.surfaces
        ):
            return  # symbols that merge may take less than a token each
        longest = request.context_lengths[-1]
        symbols = longest + (request.way == "prefixes")
        if symbols > window:
            raise ContextTooLong(
                f"{self.name} accepts {window} prompt tokens and a context of {longest} symbols has more; "
                "shorten context_lengths or serve the model with a larger window"
            )
