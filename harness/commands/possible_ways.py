"""What a suite would take of one model in each way that the model can be measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from harness.conditions import Condition
from harness.errors import ContextTooLong, HarnessError, ModelError, RenderError, TokenizationError
from harness.plan import plan_model
from harness.prices import Tokens
from harness.types import Capabilities, Model, Way

DRAWS = (1, 16, 64)  # draws a context length that are compared


@dataclass(frozen=True, slots=True)
class Effort:
    """Requests and tokens; the tokens are an upper bound where the tokenizer is not known."""

    requests: int = 0
    tokens: Tokens = field(default_factory=lambda: Tokens(0, 0))

    def __add__(self, other: "Effort") -> "Effort":
        prompt = self.tokens.prompt + other.tokens.prompt
        return Effort(
            self.requests + other.requests, Tokens(prompt, self.tokens.completion + other.tokens.completion)
        )


@dataclass(frozen=True, slots=True)
class Measurable:
    """One condition that the model can be asked for, and what each exact way and one draw would take."""

    condition: Condition
    by_way: dict[Way, Effort]

    def by_draws(self, n: int, max_samples: int) -> Effort:
        """Return what n draws a context length take, as many a request as the model gives."""
        one = self.by_way["samples"]
        calls = math.ceil(n / max_samples)
        return Effort(one.requests * calls, Tokens(one.tokens.prompt * calls, one.tokens.completion * n))


def measurable(
    model: Model, capabilities: Capabilities, conditions: Sequence[Condition]
) -> tuple[list[Measurable], list[tuple[Condition, HarnessError]]]:
    """Return what can be measured, and what cannot with the reason."""
    found: list[Measurable] = []
    refused: list[tuple[Condition, HarnessError]] = []
    for condition in conditions:
        try:
            found.append(Measurable(condition, _efforts(model, capabilities, condition)))
        except (TokenizationError, ContextTooLong, RenderError, ModelError) as error:
            refused.append((condition, error))
    return found, refused


def _efforts(model: Model, capabilities: Capabilities, condition: Condition) -> dict[Way, Effort]:
    efforts: dict[Way, Effort] = {}
    if condition.readout == "generation":
        return {"generation": _effort(model, capabilities, condition)}
    exact = capabilities.full or capabilities.top_logprobs > 0
    if exact and capabilities.prefixes:
        efforts["prefixes"] = _effort(model, capabilities, condition)
    if exact:
        efforts["next_token"] = _effort(model, replace(capabilities, prefixes=False), condition)
    if capabilities.max_samples and exact:
        efforts["samples"] = efforts["next_token"]  # one draw is asked for like one distribution
    elif capabilities.max_samples:
        drawn = replace(capabilities, prefixes=False, full=False, top_logprobs=0)
        efforts["samples"] = _effort(model, drawn, replace(condition, samples=1))
    if not efforts:
        raise ModelError("the model reports no log-probabilities and draws no samples")
    return efforts


def _effort(model: Model, capabilities: Capabilities, condition: Condition) -> Effort:
    plan = plan_model(model, capabilities, [condition], None)
    return Effort(plan.items[0].requests, plan.tokens)
