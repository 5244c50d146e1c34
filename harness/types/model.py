"""What is asked of a model and what comes back, the same for an API and a local checkpoint."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from harness.types.sequence import Floats, Form, Ints, Prompt

Way = Literal["prefixes", "next_token", "samples", "generation"]
"""How a request measures, cheapest exact first.

`prefixes`: one pass over the longest context reports the next-symbol
distribution at every context length asked for. `next_token`: one request per
context length, log-probabilities of the first token after it. `samples`: one
request per context length, n drawn tokens. `generation` measures something
else: one request per context length, a text of many symbols that the model
writes freely.
"""

FailureKind = Literal[
    "overflow",  # the context does not fit
    "refused",  # the model declined to answer
    "filtered",  # a content filter cut the answer
    "truncated",  # fewer positions or choices came back than were asked for
    "malformed",  # the reply is not what the protocol says
    "uncovered",  # too much probability lies outside the tokens that were reported
    "tokenization",  # the reply's tokens do not line up with the symbols
    "rate_limit",
    "timeout",
    "transport",  # connection refused, reset, cut short
    "server",  # 5xx
    "auth",  # 401, 403
    "request",  # any other 4xx
]
_OPENING = 16  # tokens: a bracket, a line break, a few words
TRANSIENT: frozenset[FailureKind] = frozenset({"rate_limit", "timeout", "transport", "server"})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model was seen to do; never taken from a name or from HTTP 200."""

    prefixes: bool  # one request reports every position of its own prompt
    top_logprobs: int  # tokens reported per position; 0 for none
    full: bool  # the whole next-token distribution is reported
    max_samples: int  # samples honoured in one request; 0 where draws are not random
    seed: bool  # the same seed gives the same samples
    max_context_tokens: int | None  # prompt tokens the model accepts, None if unknown
    findings: tuple[str, ...] = ()  # what was probed and seen, one sentence each
    prefill: bool = False  # an answer begun for the model is gone on with
    logit_bias: bool = False  # draws can be restricted to the symbols
    tokenizer: bool = False  # tokens can be counted before sending
    hidden_tokens: int = 0  # most that a draw may spend on reasoning, paid for and not shown; 0 for none
    answer_tokens: int = 1  # most that a draw may show: 1, or the least that a service allows
    probe_tokens: tuple[int, int] = (0, 0)  # prompt and completion tokens that establishing all this took


@dataclass(frozen=True, slots=True)
class Request:
    """One call: the distribution or samples of the next symbol at some context lengths of a prompt."""

    way: Way
    prompt: Prompt
    context_lengths: tuple[int, ...]  # ascending; exactly one unless way is "prefixes"
    top_logprobs: int = 0  # tokens to report per position (ways "prefixes" and "next_token")
    n: int = 0  # samples to draw (way "samples"); 1 in way "generation"
    seed: int | None = None  # sent only where the model honours it
    restricted: bool = False  # draws among the symbols alone, by logit_bias (ways "samples" and "generation")
    length: int = 0  # symbols wanted (way "generation")

    @property
    def text_tokens(self) -> int:
        """Most tokens that what is drawn can take as text: 1 but in way "generation".

        No token is shorter than a byte, and draws restricted to the symbols are
        one token each. There is room for what a chat may open its answer with.
        """
        if self.way != "generation":
            return 1
        if self.restricted:
            return self.length
        longest = max(len((surface + self.prompt.between).encode()) for surface in self.prompt.surfaces)
        return self.length * longest + _OPENING


@dataclass(frozen=True, slots=True)
class Reply:
    """A call that was answered, exactly as it came: what is paid for and stored."""

    raw: bytes
    prompt_tokens: int | None  # those read from the provider's prompt cache included
    completion_tokens: int | None  # hidden reasoning included
    served_model: str  # the model id the server names, "" if none
    attempts: int
    seconds: float
    cached_tokens: int = 0  # of the prompt tokens, those the provider read from its cache
    cache_written_tokens: int = 0  # of the prompt tokens, those it wrote to its cache at a price of their own
    hidden_tokens: int = 0  # of the completion tokens, those spent on reasoning that is not shown
    doubtful: int = 0  # earlier attempts that may have been billed though no answer came


@dataclass(frozen=True, slots=True)
class Failure:
    """A call or a level without an answer: in neither k nor n, counted per level."""

    kind: FailureKind
    detail: str  # one line for a person; never holds a key
    attempts: int = 1
    doubtful: int = 0  # attempts that may have been billed though no answer came

    @property
    def transient(self) -> bool:
        """Whether asking again later can help."""
        return self.kind in TRANSIENT

    @property
    def final(self) -> bool:
        """Whether a later run need not ask again; a key or an account can be put right."""
        return not self.transient and self.kind != "auth"


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A reply read: the next symbol at each context length of its request.

    Exactly one of `logprob`, `counts` and `text` is set. A level that could not
    be read holds NaN (or zeros) in its row and its reason in `failures`.
    """

    context_lengths: Ints  # (n_levels,)
    logprob: Floats | None = None  # (n_levels, n_symbols), log of the raw probability, NaN if not reported
    covered: Floats | None = None  # (n_levels,), probability of all tokens reported, symbols or not
    counts: Ints | None = None  # (n_levels, n_symbols + 1), drawn symbols; the last column is all others
    failures: tuple[tuple[int, Failure], ...] = ()  # (context length, reason)
    text: str | None = None  # what was written behind the context (way "generation"), exactly as it came
    ended: bool = False  # the model ended its text itself, before the limit of tokens


class Model(Protocol):
    """A model behind any API or on this machine.

    A provider is a module `harness.adapters.<provider>` with `open_model(name)
    -> Model` and `read(request, raw) -> Response | Failure`, the latter pure
    and free of network, keys and torch, so that a stored reply can be read
    again offline.
    """

    @property
    def name(self) -> str:
        """The full name, `provider/name`."""
        ...

    @property
    def fingerprint(self) -> str:
        """What answers besides the name: weights digest and dtype, or base URL. Part of every request digest."""
        ...

    @property
    def batch_size(self) -> int:
        """Requests that one `send` should carry."""
        ...

    @property
    def attempts(self) -> int:
        """Most attempts of one call: each of them may be billed, so a cap on cost reserves as many."""
        ...

    @property
    def settings(self) -> dict[str, str]:
        """What was chosen and should be recorded: device, dtype, versions, dialect."""
        ...

    async def probe(self, surfaces: Seq[str], between: str, form: Form = "completion") -> Capabilities:
        """Establish by behaviour what this model can report of these symbols in prompts of this form.

        May cost a few tokens. Raises ModelError if nothing can be measured.
        """
        ...

    def check(self, request: Request) -> None:
        """Raise TokenizationError or ContextTooLong if the request could only be answered wrongly.

        A model that cannot know (no tokenizer, window unknown) raises nothing.
        """
        ...

    def count_tokens(self, text: str) -> int | None:
        """Return the number of prompt tokens, or None if the tokenizer is not known."""
        ...

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order. Never raises for what a single call meets."""
        ...

    async def close(self) -> None:
        """Release connections and memory."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A model that learns in probing how it wants to be asked, which a resumed run must know without asking again."""

    @property
    def learned(self) -> str:
        """What was learned, as text that `recall` takes; never holds a key."""
        ...

    def recall(self, learned: str) -> None:
        """Know again what an earlier process learned."""
        ...


@runtime_checkable
class Tokenizing(Protocol):
    """A model that can show how it tokenizes a text."""

    async def tokens(self, text: str) -> list[str] | None:
        """Return what each token of a text stands for, in order, None if that cannot be told.

        Together they are the text. A token that is the rest of a character is
        "", one outside the vocabulary its name in it, e.g. "<unk>". Tokens that
        a model puts around every text are left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a submitted batch stands at its provider."""

    status: str  # in the provider's own word, e.g. "in_progress"
    done: int  # requests the provider says it has finished
    total: int


@runtime_checkable
class BatchModel(Model, Protocol):
    """A model whose provider works through many requests at leisure, usually at half the price."""

    @property
    def batch_limit(self) -> int:
        """Most requests of one batch."""
        ...

    async def submit(self, requests: Seq[tuple[str, Request]], nonce: str) -> str | Failure:
        """Hand in requests, each with an id of its own, and return the provider's id of the batch.

        `nonce` is our own name of the batch, told to the provider where it takes
        one. A Failure that is `doubtful` leaves open whether the batch was made.
        """
        ...

    async def find(self, nonce: str, ids: Seq[str], since: float) -> str | Failure | None:
        """Return the id of the batch handed in under this nonce, None if there is none, Failure if unknown yet.

        Asked after a crash between handing a batch in and recording its id, so
        that it is not paid twice. A provider that takes no nonce looks among the
        batches made after `since` (Unix time) for one that holds these ids.
        """
        ...

    async def collect(self, batch: str, ids: Seq[str]) -> BatchState | dict[str, Reply | Failure] | Failure:
        """Return what became of each of these requests, or how the batch stands while it is worked on.

        Once the batch has ended every id has its outcome: those never carried
        out are transient failures, those whose result is missing are doubtful
        ones. A Failure in place of the whole means that nothing could be
        learned: the batch stays open.
        """
        ...
