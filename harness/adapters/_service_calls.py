"""Calls to a service with a message format of its own: optional fields learned, retries, tokens spent."""

import time
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field, replace

from harness.adapters._endpoint import Endpoint
from harness.adapters._pace import Pace
from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._service_wire import Manner, Spent, Wire
from harness.adapters._transport import HttpReply, Json
from harness.types import Failure, Reply, Request

UNCLEAR = ("timeout", "transport", "server", "malformed")  # after these a request may have been taken
_BYTES_PER_TOKEN = 3  # for the pace alone: a guess on the high side of English text


@dataclass(slots=True)
class ServiceCalls:
    """Sends requests; learns the manner from the first one that is answered, whoever makes it."""

    endpoint: Endpoint
    wire: Wire
    model: str  # the id that the service knows it by
    manners: Seq[Manner]
    policy: RetryPolicy
    pace: Pace = field(default_factory=Pace)
    settled: Manner | None = None  # the manner that has been accepted
    clock: Callable[[], float] = time.perf_counter

    async def send(self, request: Request, *, limit: int = 1) -> Reply | Failure:
        """Answer one request; `limit` is the most tokens of an answer, but where a long text is wanted."""
        limit = max(limit, request.text_tokens)
        refusal = self.wire.refusal(request)
        if refusal:
            return Failure("request", refusal, attempts=0)
        start = self.clock()
        if self.settled is not None:
            answered = await self._ask(request, self.settled, limit)
        else:
            answered = await self._ask_first(request, limit)
        if isinstance(answered.outcome, Failure):
            return answered.outcome
        return self._reply(answered.outcome, answered, self.clock() - start)

    async def post(self, path: str, body: Json, tokens: int = 0) -> Answered:
        """Send a body, again where that can help."""

        async def once() -> HttpReply | Failure:
            reply = await self.endpoint.post(path, body)
            return reply if isinstance(reply, Failure) else self.wire.judge(reply)

        return await ask_with_retries(once, self.policy, self.pace, tokens)

    async def get(self, path: str) -> HttpReply | Failure:
        """Ask what costs nothing, as often as the policy allows."""

        async def once() -> HttpReply | Failure:
            reply = await self.endpoint.get(path)
            return reply if isinstance(reply, Failure) else self.wire.judge(reply)

        outcome = (await ask_with_retries(once, self.policy)).outcome
        return replace(outcome, doubtful=0) if isinstance(outcome, Failure) else outcome

    async def post_once(self, path: str, body: Json) -> HttpReply | Failure:
        """Send a body that must not be sent twice; doubtful where it may have been taken although no answer says so."""
        once = replace(self, policy=replace(self.policy, attempts=1))
        outcome = (await once.post(path, body)).outcome
        if not isinstance(outcome, Failure):
            return outcome
        unclear = outcome.kind in UNCLEAR and outcome.attempts > 0
        return replace(outcome, doubtful=int(unclear))

    async def _ask_first(self, request: Request, limit: int) -> Answered:
        """Send a request in one manner after another until one is accepted.

        A model that reasons although nothing allows for it is asked again in a
        manner that does, if there is one; what its first answer cost is in doubt.
        """
        mute: Answered | None = None  # an answer that reasoned with no room for it
        refused: list[Answered] = []
        for manner in self.manners:
            if mute is not None and not manner.hidden:
                continue
            answered = await self._ask(request, manner, limit)
            outcome = answered.outcome
            if isinstance(outcome, Failure) and outcome.kind == "request":
                refused.append(answered)
            elif isinstance(outcome, HttpReply) and not manner.hidden and self._reasoned(outcome.body):
                mute = answered
            else:
                if isinstance(outcome, HttpReply):
                    self.settled = manner
                return _after(mute, answered)
        return mute or refused[-1]  # the barest form: what it was refused for is no optional field

    async def _ask(self, request: Request, manner: Manner, limit: int) -> Answered:
        path, body = self.wire.call(request, self.model, manner, limit=limit)
        text = request.prompt.instruction + request.prompt.text(request.context_lengths[0])
        most = len(text.encode()) // _BYTES_PER_TOKEN + max(1, request.n) * (limit + manner.hidden)
        return await self.post(path, body, most)

    def _reasoned(self, raw: bytes) -> bool:
        spent = self.wire.spent(raw)
        return isinstance(spent, Spent) and spent.hidden_tokens > 0

    def _reply(self, reply: HttpReply, answered: Answered, seconds: float) -> Reply | Failure:
        spent = self.wire.spent(reply.body)
        if isinstance(spent, Failure):
            return replace(spent, attempts=answered.attempts, doubtful=answered.doubtful)
        attempts, doubtful = answered.attempts, answered.doubtful
        return spent.reply(reply.body, attempts=attempts, seconds=seconds, doubtful=doubtful)


def _after(mute: Answered | None, answered: Answered) -> Answered:
    """Return an answer with the attempts made before it."""
    if mute is None:
        return answered
    attempts, doubtful = mute.attempts + answered.attempts, mute.doubtful + 1 + answered.doubtful
    outcome = answered.outcome
    if isinstance(outcome, Failure):
        outcome = replace(outcome, attempts=attempts, doubtful=doubtful)
    return Answered(outcome, attempts, doubtful)
