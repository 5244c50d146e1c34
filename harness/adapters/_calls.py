"""Requests carried out at one endpoint: bodies in the server's dialect, retries, token counts."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.adapters._chat import PATH as CHAT
from harness.adapters._chat import chat_body
from harness.adapters._completions import PATH as COMPLETIONS
from harness.adapters._completions import completion_body
from harness.adapters._dialect import Dialect, variants
from harness.adapters._endpoint import Endpoint
from harness.adapters._payload import error_failure, parse_envelope
from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply, Json
from harness.types import Failure, Reply, Request


@dataclass(slots=True)
class Calls:
    """Sends requests; learns the dialect from the first drawing request, whoever makes it.

    `strict` is for services that refuse fields that are not their own.
    """

    endpoint: Endpoint
    model: str  # the id that the server knows it by
    policy: RetryPolicy
    dialect: Dialect
    strict: bool = False
    settled: bool = False  # whether the dialect has been accepted once
    clock: Callable[[], float] = time.perf_counter

    async def send(self, request: Request, **changes: object) -> Reply | Failure:
        """Answer one request; `changes` replace fields of its body and are used in probing alone."""
        start = self.clock()
        if request.way != "samples" or self.settled:
            answered = await self._ask(request, self.dialect, changes)
        else:
            answered = await self._draw_first(request, changes)
        if isinstance(answered.outcome, Failure):
            return answered.outcome
        return self._reply(answered.outcome, answered.attempts, self.clock() - start)

    async def _draw_first(self, request: Request, changes: Json) -> Answered:
        """Send a drawing request with fewer and fewer optional fields until the server accepts it."""
        refusals = []
        for dialect in variants(self.dialect, strict=self.strict):
            answered = await self._ask(request, dialect, changes)
            outcome = answered.outcome
            if not isinstance(outcome, Failure):
                self.dialect, self.settled = dialect, True
                return answered
            if outcome.kind != "request":
                return answered
            refusals.append(answered)
        return refusals[-1]  # the barest form: what it was refused for is no optional field

    async def _ask(self, request: Request, dialect: Dialect, changes: Json) -> Answered:
        if request.prompt.form == "chat" and request.way == "prefixes":
            return Answered(Failure("request", "a chat prompt cannot be echoed; measure it by next_token"), 0)
        if request.prompt.form == "chat":
            path, body = CHAT, chat_body(request, self.model, dialect)
        else:
            path, body = COMPLETIONS, completion_body(request, self.model, dialect)
        return await ask_with_retries(lambda: self.endpoint.post(path, {**body, **changes}), self.policy)

    def _reply(self, reply: HttpReply, attempts: int, seconds: float) -> Reply | Failure:
        envelope = parse_envelope(reply.body)
        if envelope.error is not None:
            failure = error_failure(envelope.error)
            return Failure(failure.kind, failure.detail, attempts)
        usage = envelope.usage
        return Reply(
            raw=reply.body,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            served_model=envelope.model or "",
            attempts=attempts,
            seconds=seconds,
        )
