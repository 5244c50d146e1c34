"""What a service with a message format of its own must give: `anthropic` and `google` in modules of functions."""

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from harness.adapters._payload import Position
from harness.adapters._reading import read_draws, written
from harness.adapters._transport import HttpReply, Json
from harness.types import Failure, Reply, Request, Response


@dataclass(frozen=True, slots=True)
class Manner:
    """Optional fields that go with a call; which of them a model takes is found by asking."""

    fields: Mapping[str, object]
    words: str  # what they say, for a record of the run; different for every manner of a service
    seed: bool = False  # the request's seed is sent
    hidden: int = 0  # tokens that an answer may spend on reasoning


@dataclass(frozen=True, slots=True)
class Spent:
    """What a reply says of itself besides its answer."""

    served_model: str
    prompt_tokens: int | None  # those read from or written to a cache included
    completion_tokens: int | None  # hidden reasoning included
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    hidden_tokens: int = 0

    def reply(self, raw: bytes, *, attempts: int = 1, seconds: float = 0.0, doubtful: int = 0) -> Reply:
        """Return the reply to store; how long a batch took says nothing of one request, so 0 there."""
        return Reply(
            raw=raw,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            served_model=self.served_model,
            attempts=attempts,
            seconds=seconds,
            cached_tokens=self.cached_tokens,
            cache_written_tokens=self.cache_written_tokens,
            hidden_tokens=self.hidden_tokens,
            doubtful=doubtful,
        )


class Listing(NamedTuple):
    """What a service's own list says of a model."""

    window: int | None  # prompt tokens accepted
    words: str = ""  # the rest that matters to draws


class Wire(Protocol):
    """One service's format: pure functions between our types and its JSON."""

    MOST_SAMPLES: int  # draws that one request may ask for
    MOST_LOGPROBS: int  # tokens that one position may report, 0 where the format has no log-probabilities

    def manners(self, room: int, effort: str) -> Seq[Manner]:
        """Return the manners to try in turn: first without reasoning, then with `room` tokens for it if any.

        With an `effort` only those that reason with it.
        """
        ...

    def refusal(self, request: Request) -> str:
        """Return why this request cannot be said in this format, "" if it can."""
        ...

    def call(self, request: Request, model: str, manner: Manner, *, limit: int) -> tuple[str, Json]:
        """Return path and body of a request for answers of at most `limit` tokens."""
        ...

    def judge(self, reply: HttpReply) -> HttpReply | Failure:
        """Return the failure of an error that this service alone writes like this, else the reply."""
        ...

    def spent(self, raw: bytes) -> Spent | Failure:
        """Return what a reply says of itself, or the error that came in its place."""
        ...

    def answers(self, raw: bytes) -> list[str] | Failure:
        """Return the drawn texts, or why they are no answers."""
        ...

    def limited(self, raw: bytes) -> bool:
        """Return whether the first answer was cut at its limit of tokens."""
        ...

    def reported(self, raw: bytes) -> list[Position] | Failure:
        """Return the generated positions with their log-probabilities."""
        ...

    def about(self, model: str) -> str:
        """Return the path at which the service describes a model."""
        ...

    def listing(self, raw: bytes) -> Listing:
        """Return what that description says."""
        ...

    def count_call(self, model: str, text: str) -> tuple[str, Json]:
        """Return path and body that count the tokens of a user message."""
        ...

    def counted(self, raw: bytes) -> int | None:
        """Return the tokens counted."""
        ...


def read_answers(wire: Wire, request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply of draws, or of one long text, says."""
    answers = wire.answers(raw)
    if isinstance(answers, Failure):
        return answers
    if request.way == "generation":
        return written(request, answers[0], ended=not wire.limited(raw))
    spent = wire.spent(raw)
    shown = None
    if isinstance(spent, Spent) and spent.completion_tokens is not None:
        shown = spent.completion_tokens - spent.hidden_tokens
    return read_draws(request, answers, tokens=shown)
