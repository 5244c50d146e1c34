"""What a run will ask: the cheapest exact way for each condition, its requests, tokens and price."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.conditions import Condition
from harness.errors import ModelError
from harness.prices import Tokens, cost_of
from harness.seeds import stream
from harness.spec import Price
from harness.types import Capabilities, Model, Prompt, Request, Way
from harness.types import Sequence as Symbols
from harness.types.whitebox import OpenModel


@dataclass(frozen=True, slots=True)
class Item:
    """One condition on one model: how it is measured and what that takes."""

    condition: Condition
    way: Way
    top_logprobs: int
    restricted: bool = False  # draws among the symbols alone
    requests: int = 0
    prompt_tokens: int = 0  # estimated; an upper bound (bytes) where the tokenizer is not known
    completion_tokens: int = 0

    @property
    def adaptive(self) -> bool:
        """Whether a planner chooses what is asked; where one pass scores every length there is nothing to choose."""
        return self.condition.design == "adaptive" and self.way != "prefixes"


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Everything that one model will be asked."""

    model: str
    fingerprint: str
    capabilities: Capabilities
    items: tuple[Item, ...]
    price: Price | None
    exact_tokens: bool  # whether token numbers come from the model's own tokenizer
    n_layers: int | None = None  # blocks of a model that can be looked into

    @property
    def cost_usd(self) -> float | None:
        """Return the estimated price of the whole plan, None if unknown."""
        return cost_of(self.price, self.tokens)

    @property
    def tokens(self) -> Tokens:
        """Return the estimated tokens of the whole plan."""
        prompt = sum(i.prompt_tokens for i in self.items)
        return Tokens(prompt, sum(i.completion_tokens for i in self.items))


@dataclass(frozen=True, slots=True)
class Piece:
    """One request of a plan, with the sequence it measures."""

    replicate: int
    sequence: Symbols
    request: Request
    part: int = 0  # of the replicate's parts, 0-based


def most_tokens(request: Request, capabilities: Capabilities) -> Tokens:
    """Return the most tokens that a request can be billed for.

    No token is shorter than a byte. The target is sent too where it is echoed.
    Servers put a few tokens of their own before a text, and a template with
    perhaps a system prompt around a chat.
    """
    prompt = request.prompt
    text = prompt.text(request.context_lengths[-1]) + prompt.instruction
    longest = max(len(surface.encode()) for surface in prompt.surfaces)
    around = 16 if prompt.form == "completion" else 128
    shown = max(capabilities.answer_tokens, request.text_tokens)
    drawn = max(1, request.n) * (shown + capabilities.hidden_tokens)
    return Tokens(len(text.encode()) + longest + around, drawn)


def choose_way(capabilities: Capabilities) -> Way:
    """Return the cheapest exact way to measure: one pass, else one call a length, else drawn symbols."""
    if capabilities.full or capabilities.top_logprobs:
        return "prefixes" if capabilities.prefixes else "next_token"
    return "samples"


def plan_model(
    model: Model, capabilities: Capabilities, conditions: Sequence[Condition], price: Price | None
) -> ModelPlan:
    """Plan every condition for one model, checking the longest prompt of each before anything is sent.

    Raises TokenizationError or ContextTooLong from the model's own check.
    """
    items = tuple(_plan_condition(model, capabilities, condition) for condition in conditions)
    exact = model.count_tokens("") is not None
    n_layers = model.n_layers if isinstance(model, OpenModel) else None
    return ModelPlan(model.name, model.fingerprint, capabilities, items, price, exact, n_layers)


def make_item(condition: Condition, capabilities: Capabilities) -> Item:
    """Decide how a condition is measured, without counting tokens: all that a replay needs."""
    if condition.readout == "generation":
        return _generation(condition, capabilities)
    if condition.readout == "judgment":  # a question ends behind its sequence: no pass asks several
        capabilities = replace(capabilities, prefixes=False)
    way = choose_way(capabilities)
    if way == "samples" and not capabilities.max_samples:
        raise ModelError(
            "the model reports no log-probabilities and draws no samples; nothing can be measured"
        )
    if way == "samples" and condition.readout == "continuation":
        raise ModelError(
            "readout continuation multiplies probabilities of single symbols, and the model reports none; "
            "use next_symbol with samples"
        )
    top = 0 if capabilities.full or way == "samples" else capabilities.top_logprobs
    return Item(condition, way, top, restricted=way == "samples" and capabilities.logit_bias)


def _generation(condition: Condition, capabilities: Capabilities) -> Item:
    if not capabilities.max_samples:
        raise ModelError("the model's draws are not random; a sequence of its own cannot be asked for")
    # Restricted to the symbols a text has no room for a separator.
    return Item(condition, "generation", 0, capabilities.logit_bias and not condition.render.separator)


def pieces(item: Item, replicate: int, max_samples: int) -> Iterator[Piece]:
    """Yield the requests of one replicate, shortest context first so that prompt caches help."""
    condition = item.condition
    for i, part in enumerate(condition.parts(replicate)):
        prompt = condition.prompt(part.sequence, replicate)
        if item.way == "prefixes":
            request = Request("prefixes", prompt, part.lengths, item.top_logprobs)
            yield Piece(replicate, part.sequence, request, i)
            continue
        for n in part.lengths:
            for request in _at(item, prompt, n, replicate, max_samples):
                yield Piece(replicate, part.sequence, request, i)


def _at(item: Item, prompt: Prompt, n: int, replicate: int, max_samples: int) -> Iterator[Request]:
    if item.way == "generation":
        seed = _seed(item, replicate, n, 0)
        wanted = item.condition.length
        yield Request("generation", prompt, (n,), n=1, seed=seed, restricted=item.restricted, length=wanted)
        return
    if item.way == "next_token":
        yield Request("next_token", prompt, (n,), item.top_logprobs)
        return
    left, call = item.condition.samples, 0
    while left > 0:
        seed = _seed(item, replicate, n, call)
        yield Request(
            "samples", prompt, (n,), n=min(left, max_samples), seed=seed, restricted=item.restricted
        )
        left, call = left - max_samples, call + 1


def _seed(item: Item, replicate: int, n: int, call: int) -> int:
    """Return a seed of 31 bits: two equal prompts are two draws, in this condition and in any other."""
    return int(stream(item.condition.digest, replicate, n, call).bit_generator.random_raw()) >> 33


def _plan_condition(model: Model, capabilities: Capabilities, condition: Condition) -> Item:
    item = make_item(condition, capabilities)
    replicates = range(1 if condition.alike else condition.sequences)
    first = [p for r in replicates for p in pieces(item, r, capabilities.max_samples)]
    # The longest request of all sequences, or of each where texts before them differ.
    longest: dict[str, Request] = {}
    for piece in sorted(first, key=lambda p: p.request.context_lengths[-1]):
        longest[piece.sequence.before] = piece.request
    for request in longest.values():
        model.check(request)
    tokens = sum(_prompt_tokens(model, capabilities, p.request) for p in first)
    # A reasoning model is planned at its whole allowance: what it will really spend is not known before.
    drawn = sum(most_tokens(p.request, capabilities).completion for p in first)
    many = condition.sequences // len(replicates)
    return replace(
        item, requests=len(first) * many, prompt_tokens=tokens * many, completion_tokens=drawn * many
    )


def _prompt_tokens(model: Model, capabilities: Capabilities, request: Request) -> int:
    """Return the tokens of a request's prompt by the model's own tokenizer, else the most they can be."""
    prompt = request.prompt
    counted = model.count_tokens(prompt.instruction + prompt.text(request.context_lengths[-1]))
    return most_tokens(request, capabilities).prompt if counted is None else counted
