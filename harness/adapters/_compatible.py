"""A model behind any OpenAI-compatible server, whatever its dialect: what the providers of this family share."""

import asyncio
import json
from collections.abc import Sequence as Seq

from harness.adapters._batch import Batches
from harness.adapters._batch_service import OPENAI, BatchService
from harness.adapters._calls import Calls
from harness.adapters._dialect import Dialect, dialect_of, dialect_text
from harness.adapters._endpoint import Endpoint
from harness.adapters._probe import Probed, probe_server
from harness.adapters._probe_tokens import tokens_of
from harness.adapters._retry import RetryPolicy
from harness.errors import ContextTooLong, RenderError, TokenizationError
from harness.types import BatchState, Capabilities, Failure, Form, Reply, Request


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
        room: int = 0,
        policy: RetryPolicy | None = None,
        batches: BatchService | None = None,
    ) -> None:
        self.name = name
        self._client = client
        self._endpoint = endpoint
        self._given = dialect or Dialect()
        self.calls = Calls(endpoint, model, policy or RetryPolicy(), self._given, strict, room)
        self.batches = Batches(self.calls, batches or OPENAI)
        self._probed: Probed | None = None

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
        dialect = self.calls.dialect
        known = {"base_url": self._endpoint.base_url, "client": self._client}
        if dialect.reasoning_effort:
            known["reasoning_effort"] = dialect.reasoning_effort
        if dialect.fixed:
            known["always"] = json.dumps(dialect.fixed, sort_keys=True)
        if not self.calls.settled:
            return known
        fields = {**dialect.flat(), **dialect.sampling(None)}
        left_out = (
            "" if dialect.temperature else "temperature and top_p left out, as the service refuses them"
        )
        known["sampling"] = ", ".join(filter(None, [left_out, *(f"{k}={v}" for k, v in fields.items())]))
        if dialect.hidden_tokens:
            known["hidden_tokens"] = str(dialect.hidden_tokens)
        if dialect.route != "chat":
            known["route"] = dialect.route
        return known

    @property
    def learned(self) -> str:
        """How this server wants to be asked, "" while that is not known."""
        if not self.calls.settled:
            return ""
        forms = sorted(self.calls.settled_forms)
        return json.dumps({"dialect": dialect_text(self._given, self.calls.dialect), "forms": forms})

    def recall(self, learned: str) -> None:
        """Ask in this manner from now on, without probing. Raises SpecError for what another version learned."""
        known = json.loads(learned)
        self.calls.dialect = dialect_of(self._given, known["dialect"])
        self.calls.settled_forms.update(known["forms"])

    async def probe(self, surfaces: Seq[str], between: str, form: Form | None = None) -> Capabilities:
        """Establish by behaviour what this model reports of these symbols; about 25 calls of a few tokens.

        `form` is the form of the prompts to come; without it completions are
        probed where the model answers there, else chat. Raises ModelError if
        nothing answers, or nothing that can be measured with.
        """
        self._probed = await probe_server(
            self.calls, self.name, tuple(surfaces), between, form, known=self._probed
        )
        return self._probed.capabilities

    def check(self, request: Request) -> None:
        """Refuse what the probe saw answered wrongly; without a probe nothing is known.

        Raises RenderError for a form of prompt that is not served,
        TokenizationError for a symbol that is not one token, ContextTooLong.
        """
        prompt, probed = request.prompt, self._probed
        if request.way == "prefixes" and (prompt.form != "completion" or prompt.footer):
            what = "question" if prompt.footer else f"{prompt.form} prompt"
            raise RenderError(
                f"{self.name}: a {what} is not echoed; only completions score every context length"
            )
        if probed is None:
            return
        if prompt.form not in probed.forms:
            raise RenderError(
                f"{self.name} does not answer {prompt.form} prompts ({probed.why_not(prompt.form)}); "
                f"set render: {{form: {probed.forms[0]}}} in the suite"
            )
        for surface in prompt.surfaces if request.way != "generation" else ():  # text is read, not tokens
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

    async def tokens(self, text: str) -> list[str] | None:
        """Return what each token of a text stands for, None where the server has no /tokenize."""
        return await tokens_of(self.calls, text)

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order."""
        return list(await asyncio.gather(*(self.calls.send(request) for request in requests)))

    @property
    def batch_limit(self) -> int:
        """Most requests of one batch."""
        return self.batches.limit

    async def submit(self, requests: Seq[tuple[str, Request]], nonce: str) -> str | Failure:
        """Hand in requests as a batch, where the service turns out to have them."""
        return await self.batches.submit(requests, nonce)

    async def find(self, nonce: str, ids: Seq[str], since: float) -> str | Failure | None:
        """Return the id of the batch handed in under this nonce."""
        return await self.batches.find(nonce, ids, since)

    async def collect(self, batch: str, ids: Seq[str]) -> BatchState | dict[str, Reply | Failure] | Failure:
        """Return the outcome of every request of a batch that has ended, or how it stands."""
        return await self.batches.collect(batch, ids)

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
        symbols = longest + (request.way == "prefixes") + request.length
        if symbols > window:
            raise ContextTooLong(
                f"{self.name} accepts {window} prompt tokens and a context of {longest} symbols"
                f"{f', with {request.length} to be written,' if request.length else ''} has more; "
                "shorten context_lengths or serve the model with a larger window"
            )
