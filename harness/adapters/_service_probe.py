"""What a model behind a service's own format can really do, established by asking it."""

from dataclasses import dataclass, field, replace

from harness.adapters._probe_symbols import probe_prompt
from harness.adapters._service_calls import ServiceCalls
from harness.adapters._service_tokens import Written, probe_symbols
from harness.adapters._status import excerpt
from harness.adapters._symbols import Symbols
from harness.adapters._transport import HttpReply
from harness.errors import ModelError
from harness.types import Capabilities, Failure, Form, Prompt, Reply, Request

_RANDOM = "Write a random number of twelve digits, and nothing else."  # no two draws of it are likely equal
_DIGITS = 16  # tokens
_CITY = "What is the capital of France? Answer with one word."
_BEGUN, _REST, _AGAIN = "Par", "is", "Par"  # gone on with as "is", answered afresh as "Paris"
_FEWER_LOGPROBS = (5, 1)
_FEWER_SAMPLES = (4, 2)
_CONTEXT = 4


@dataclass(frozen=True, slots=True)
class ServiceProbed:
    """What was found: the capabilities, and what the model's own check needs besides them."""

    capabilities: Capabilities
    found: tuple[str, ...]  # findings that hold for any symbols
    prefill: str  # what was seen of an answer begun for the model
    split: dict[Written, str]  # symbols seen not to be one token, and how


@dataclass(slots=True)
class _Asking:
    """Calls that remember what they took and which model served them."""

    calls: ServiceCalls
    served: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def hidden(self) -> int:
        """Tokens that an answer may spend on reasoning."""
        return self.calls.settled.hidden if self.calls.settled else 0

    async def send(self, request: Request, *, limit: int = 1) -> Reply | Failure:
        """Answer one request."""
        reply = await self.calls.send(request, limit=limit)
        if isinstance(reply, Reply):
            self.served.append(reply.served_model)
            self.prompt_tokens += reply.prompt_tokens or 0
            self.completion_tokens += reply.completion_tokens or 0
        return reply

    async def draw(
        self, text: str, *, begun: str = "", n: int = 1, seed: int | None = None
    ) -> list[str] | Failure:
        """Draw answers of up to 16 tokens to a message, or to one whose answer is begun."""
        if begun:
            prompt = Prompt(begun, ("0", "1"), "", (0,), "prefill", text)
        else:
            prompt = Prompt(text, ("0", "1"), "", (0,), "chat")
        reply = await self.send(Request("samples", prompt, (0,), n=n, seed=seed), limit=_DIGITS)
        return reply if isinstance(reply, Failure) else self.calls.wire.answers(reply.raw)


async def probe_service(
    calls: ServiceCalls,
    name: str,
    surfaces: tuple[str, ...],
    between: str,
    form: Form | None,
    known: ServiceProbed | None = None,
) -> ServiceProbed:
    """Find out what the model reports of these symbols; where all else is known, how many tokens they are.

    Raises ModelError if nothing answers, if the model reasons before it answers
    and has no room to, or if neither log-probabilities nor draws can be had.
    """
    if known is None:
        known = await _probe_model(calls, name, probe_prompt(surfaces, between, "chat"))
    if known.capabilities.hidden_tokens:
        split: dict[Written, str] = {}
        finding = "symbols need not be one token: a whole answer follows the reasoning"
    else:
        split, finding = await probe_symbols(calls, surfaces, between, form)
    capabilities = replace(known.capabilities, findings=(*known.found, finding))
    return replace(known, capabilities=capabilities, split={**known.split, **split})


async def _probe_model(calls: ServiceCalls, name: str, prompt: Prompt) -> ServiceProbed:
    asking = _Asking(calls)
    window, listed = await _listing(calls, name)
    first = await _first_answer(asking, name, prompt)
    top, top_finding = await _logprobs(asking, prompt)
    random, seed, random_finding = await _randomness(asking)
    n, n_finding = await _several(asking) if random else (0, "")
    prefill, prefill_finding = await _prefill(asking)
    if not top and not random:
        raise ModelError(f"{name} cannot be measured with: {top_finding}; {random_finding}")
    found = (
        "chat prompts are answered; completion prompts do not exist in this format",
        _constant(asking.served) + listed,
        first,
        top_finding,
        random_finding,
        n_finding,
        prefill_finding,
    )
    capabilities = Capabilities(
        prefixes=False,
        top_logprobs=top,
        full=False,
        max_samples=n,
        seed=seed,
        max_context_tokens=window,
        prefill=prefill,
        hidden_tokens=asking.hidden,
        probe_tokens=(asking.prompt_tokens, asking.completion_tokens),
    )
    return ServiceProbed(capabilities, tuple(filter(None, found)), prefill_finding, {})


async def _listing(calls: ServiceCalls, name: str) -> tuple[int | None, str]:
    """Return the prompt tokens accepted, as the service says, and the sentence about it.

    Asked first and once: a service that cannot be reached is said to be at once, without retries.
    """
    reply = await calls.endpoint.get(calls.wire.about(calls.model))
    if isinstance(reply, Failure) and reply.transient:
        raise _unusable(calls, name, reply)
    if not isinstance(reply, HttpReply) or reply.status != 200:
        return None, "; its context window is not reported"
    window, words = calls.wire.listing(reply.body)
    known = f"its context window is {window} tokens" if window else "its context window is not reported"
    return window, f"; {known}{words}"


async def _first_answer(asking: _Asking, name: str, prompt: Prompt) -> str:
    """Draw one symbol after a bare context; return what was seen."""
    calls = asking.calls
    reply = await asking.send(Request("samples", prompt, (_CONTEXT,), n=1, seed=1))
    if isinstance(reply, Failure):
        raise _unusable(calls, name, reply)
    answers = calls.wire.answers(reply.raw)
    if isinstance(answers, Failure) and answers.kind == "malformed" and not reply.served_model:
        raise ModelError(
            f"{name}: what answers at {calls.endpoint.base_url} is not a model: {answers.detail}"
        )
    if reply.hidden_tokens and not asking.hidden:
        raise ModelError(
            f"{name} reasons before it answers ({reply.hidden_tokens} hidden tokens) and this could not be "
            "switched off; allow it, and pay for it, by hidden_tokens=1024 or more in its name"
        )
    spent = f", after {reply.hidden_tokens} of at most {asking.hidden} hidden tokens" if asking.hidden else ""
    if isinstance(answers, Failure):
        return f"a bare sequence was not answered{spent} ({answers.detail})"
    if Symbols(prompt).index(answers[0]) is None:
        return (
            f"a bare sequence was answered {excerpt(answers[0])!r}{spent}, which is no symbol: say in a "
            "template what to answer"
        )
    return f"a bare sequence was answered with a symbol{spent}"


async def _logprobs(asking: _Asking, prompt: Prompt) -> tuple[int, str]:
    """Return how many tokens a position reports, asking for fewer and fewer."""
    wire = asking.calls.wire
    if not wire.MOST_LOGPROBS:
        return 0, "log-probabilities do not exist in this format"
    if asking.hidden:
        return 0, "log-probabilities are not asked for: hidden reasoning comes before the first token"
    refused = ""
    for asked in (wire.MOST_LOGPROBS, *_FEWER_LOGPROBS):
        reply = await asking.send(Request("next_token", prompt, (_CONTEXT,), top_logprobs=asked))
        if isinstance(reply, Failure):
            refused = reply.detail
            continue
        found = wire.reported(reply.raw)
        if isinstance(found, Failure):
            return 0, f"no log-probabilities: {found.detail}"
        came = min(asked, len(found[0].top))
        return came, f"{came} log-probabilities a position came back of {asked} asked for"
    return 0, f"no log-probabilities: {refused}"


async def _randomness(asking: _Asking) -> tuple[bool, bool, str]:
    """Return whether draws are random and a seed repeats them, from twelve random digits drawn three times."""
    texts = []
    for seed in (11, 11, 12):
        drawn = await asking.draw(_RANDOM, seed=seed)
        if isinstance(drawn, Failure):
            return False, False, f"nothing can be drawn: {drawn.detail}"
        texts.append(drawn[0])
    if len(set(texts)) == 1:
        return False, False, f"draws are not random: a random number was {excerpt(texts[0])!r} three times"
    if asking.calls.settled is None or not asking.calls.settled.seed:
        return True, False, "draws are random; a seed is not taken"
    if texts[0] == texts[1] != texts[2]:
        return True, True, "draws are random and a seed repeats them"
    return True, False, "draws are random; the seed is accepted and ignored"


async def _several(asking: _Asking) -> tuple[int, str]:
    """Return how many independent draws one request gives, asking for fewer and fewer."""
    most = asking.calls.wire.MOST_SAMPLES
    if most == 1:
        return 1, "one draw a request: the format has no n"
    refused = ""
    for asked in (most, *_FEWER_SAMPLES):
        drawn = await asking.draw(_RANDOM, n=asked, seed=11)
        if isinstance(drawn, Failure):
            refused = f"; {asked} are refused: {drawn.detail}"
            continue
        count = min(asked, len(drawn))
        if count <= 1:
            return 1, f"n is ignored: {len(drawn)} of {asked} came back, so each draw is a request of its own"
        if len(set(drawn)) == 1:
            return 1, f"n gives {count} copies of one draw, so each is a request of its own"
        return count, f"n is honoured up to {count} draws a request{refused}"
    return 1, f"one draw a request{refused}"


async def _prefill(asking: _Asking) -> tuple[bool, str]:
    """Return whether an answer begun in the middle of a word is gone on with, and not given afresh."""
    drawn = await asking.draw(_CITY, begun=_BEGUN)
    if isinstance(drawn, Failure):
        return False, f"an answer begun for the model is refused: {drawn.detail}"
    text = drawn[0].strip()
    if text.startswith(_REST):
        return True, "an answer begun for the model is gone on with"
    how = "given afresh" if text.startswith(_AGAIN) else f"answered {excerpt(text)!r}"
    return False, f"an answer begun for the model is not gone on with: {_BEGUN!r} was {how}"


def _constant(served: list[str]) -> str:
    names = list(dict.fromkeys(served))
    if len(names) == 1:
        return f"the served model was {names[0]!r} in all {len(served)} replies"
    return "the served model changes between replies: " + ", ".join(repr(name) for name in names)


def _unusable(calls: ServiceCalls, name: str, failure: Failure) -> ModelError:
    url = calls.endpoint.base_url
    if failure.kind in ("transport", "timeout"):
        return ModelError(f"{name}: nothing answers at {url} ({failure.detail})")
    if failure.kind == "auth":
        return ModelError(f"{name}: {url} refuses the key ({failure.detail})")
    return ModelError(f"{name}: {url} does not answer for model {calls.model!r} ({failure.detail})")
