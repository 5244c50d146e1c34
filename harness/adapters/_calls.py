"""Requests carried out at one endpoint: bodies in the server's dialect, retries, token counts."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from harness.adapters._chat import PATH as CHAT
from harness.adapters._chat import chat_body
from harness.adapters._completions import PATH as COMPLETIONS
from harness.adapters._completions import completion_body
from harness.adapters._dialect import Dialect
from harness.adapters._endpoint import Endpoint
from harness.adapters._finding import draw_first, score_first
from harness.adapters._masked import unmasked
from harness.adapters._pace import Pace
from harness.adapters._payload import error_failure, parse_envelope
from harness.adapters._per_loop import PerLoop
from harness.adapters._reply_ids import ReplyIds
from harness.adapters._responses import PATH as RESPONSES
from harness.adapters._responses import responses_body
from harness.adapters._retry import Answered, RetryPolicy, ask_with_retries
from harness.adapters._transport import HttpReply, Json
from harness.types import Failure, Form, Reply, Request

# Transport, so that it is asked again, and counted as an attempt that may have been billed.
MIXED_UP = Failure("transport", "the reply bears the id of another call's: it is not the answer to this one")


@dataclass(slots=True)
class Calls:
    """Sends requests; learns the dialect from the first drawing request of each form, whoever makes it.

    `strict` is for services that refuse fields that are not their own.
    """

    endpoint: Endpoint
    model: str  # the id that the server knows it by
    policy: RetryPolicy
    dialect: Dialect
    strict: bool = False
    room: int = 0  # tokens a draw may spend on hidden reasoning, should the model turn out to reason
    pace: Pace = field(default_factory=Pace)
    settled_forms: set[Form] = field(default_factory=set)  # forms of prompt whose draws have been accepted
    clock: Callable[[], float] = time.perf_counter
    _per_character: float = 1.0  # prompt tokens, as the last reply counted them
    _ids: ReplyIds = field(default_factory=ReplyIds)
    _tried: set[Form] = field(default_factory=set)  # forms whose first draw has come to an end
    _first: PerLoop[asyncio.Lock] = field(default_factory=lambda: PerLoop(asyncio.Lock, _nothing))

    @property
    def settled(self) -> bool:
        """Whether the dialect has been accepted once."""
        return bool(self.settled_forms)

    async def send(self, request: Request, **changes: object) -> Reply | Failure:
        """Answer one request; `changes` replace fields of its body and are used in probing alone."""
        start = self.clock()
        if request.prompt.form in self.settled_forms:
            answered = await self._ask(request, self.dialect, changes)
        elif request.way in ("samples", "generation"):
            answered = await self._draw(request, changes)
        else:
            known = self.dialect
            answered, found = await score_first(lambda d: self._ask(request, d, changes), known)
            if isinstance(answered.outcome, HttpReply) and found != known:
                self.dialect = found
        if isinstance(answered.outcome, Failure):
            return answered.outcome
        reply = self.reply(answered.outcome, answered.attempts, self.clock() - start)
        if isinstance(reply, Reply) and reply.prompt_tokens:
            self._per_character = reply.prompt_tokens / max(1, len(_sent(request)))
        return replace(reply, doubtful=answered.doubtful) if answered.doubtful else reply

    def body(self, request: Request) -> tuple[str, Json] | Failure:
        """Return the path and the JSON of one request, the same in a direct call and in a batch."""
        return self._said(request, self.dialect)

    def reply(self, reply: HttpReply, attempts: int, seconds: float) -> Reply | Failure:
        """Return the reply to store, or the failure that its body names."""
        envelope = parse_envelope(reply.body)
        if envelope.error is not None:
            return replace(error_failure(envelope.error), attempts=attempts)
        usage, served = envelope.usage, envelope.model or ""
        return Reply(
            raw=reply.body,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completed if usage else None,
            served_model=f"{served} via {envelope.provider}" if envelope.provider else served,
            attempts=attempts,
            seconds=seconds,
            cached_tokens=usage.cached if usage else 0,
            cache_written_tokens=usage.cache_written if usage else 0,
            hidden_tokens=usage.hidden if usage else 0,
        )

    async def _draw(self, request: Request, changes: Json) -> Answered:
        """Send a drawing request of a form whose dialect is not settled: the first alone, the others after it.

        A resumed run starts with many at once, and each would be refused, and
        pay for reasoning, as often as the first. Where that failed, the others
        try for themselves, all together.
        """
        form = request.prompt.form
        if form not in self._tried:
            async with self._first.here():
                if form not in self._tried:
                    try:
                        return await self._draw_first(request, changes)
                    finally:
                        self._tried.add(form)
        if form in self.settled_forms:
            return await self._ask(request, self.dialect, changes)
        return await self._draw_first(request, changes)

    async def _draw_first(self, request: Request, changes: Json) -> Answered:
        form = request.prompt.form
        answered, dialect = await draw_first(
            lambda dialect: self._ask(request, dialect, changes),
            self.dialect,
            strict=self.strict,
            room=0 if form == "completion" else self.room,  # text that is gone on with is not reasoned about
        )
        if isinstance(answered.outcome, HttpReply):
            self.dialect = dialect
            self.settled_forms.add(form)
        return answered

    async def _ask(self, request: Request, dialect: Dialect, changes: Json) -> Answered:
        said = self._said(request, dialect)
        if isinstance(said, Failure):
            return Answered(said, 0)
        path, body = said
        text = _sent(request)
        key = (path, text, request.prompt.form, request.way, request.top_logprobs, request.n, request.seed)
        question = hash((*key, request.length, repr(changes)))

        async def send() -> HttpReply | Failure:
            return self._own(unmasked(await self.endpoint.post(path, {**body, **changes})), question)

        answer = 1 if request.prompt.form == "completion" else dialect.limit
        answer += request.text_tokens - 1
        tokens = round(self._per_character * len(text)) + max(1, request.n) * answer
        return await ask_with_retries(send, self.policy, self.pace, tokens)

    def _own(self, outcome: HttpReply | Failure, question: int) -> HttpReply | Failure:
        """Return an outcome, or a failure where it is the reply to another call.

        A reply that was sent twice leaves the right one behind on its
        connection, for the next call to read: no connection is used again.
        """
        if isinstance(outcome, Failure) or not 200 <= outcome.status < 300:
            return outcome
        seen = self._ids.seen(outcome.body, question)
        if seen != "new":
            self.endpoint.distrust()
        return MIXED_UP if seen == "foreign" else outcome

    def _said(self, request: Request, dialect: Dialect) -> tuple[str, Json] | Failure:
        if request.prompt.form == "completion":
            path, body = COMPLETIONS, completion_body(request, self.model, dialect)
        elif dialect.route == "responses":
            path, body = RESPONSES, responses_body(request, self.model, dialect)
        else:
            path, body = CHAT, chat_body(request, self.model, dialect)
        return body if isinstance(body, Failure) else (path, body)


async def _nothing(_: asyncio.Lock) -> None:
    """Close nothing: a lock holds no resources."""


def _sent(request: Request) -> str:
    """Return the longest context of a request."""
    return request.prompt.text(request.context_lengths[-1])
