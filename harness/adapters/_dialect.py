"""How one server wants things said where servers differ: data, given by its provider or found by asking it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from pydantic import TypeAdapter

from harness.errors import SpecError
from harness.types import Request

# Servers truncate what they draw from unless told otherwise: llama.cpp keeps 40 tokens above 5 % of the
# best, vLLM applies the checkpoint's own generation_config. These fields switch it off, in the
# spellings of different servers.
Fields = tuple[tuple[str, int], ...]
_PENALTIES = (("min_p", 0), ("repeat_penalty", 1), ("repetition_penalty", 1))
_UNTRUNCATED: tuple[Fields, ...] = (
    (("top_k", 0), *_PENALTIES),
    (("top_k", -1), *_PENALTIES),
    (),
)
BIAS = 100  # the most services take; the same for all symbols, it leaves them as they are to each other


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is said besides the standard fields."""

    chat_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    untruncated: Fields = ()  # fields that make draws follow the whole distribution
    omitted: tuple[str, ...] = ()  # of those fields, what the server says it does not know
    seed: bool = True  # the field is accepted; whether it is honoured is another question
    scoring: Literal["echo", "prompt_logprobs"] = "echo"  # how a prompt's own tokens are scored
    bias: tuple[
        tuple[str, int], ...
    ] = ()  # symbol's surface -> token id, for draws restricted to the symbols
    route: Literal["chat", "responses"] = "chat"  # where chats are answered
    seed_field: Literal["seed", "random_seed"] = "seed"
    chat_logprobs: Literal["flag", "count"] = "flag"  # logprobs: true beside top_logprobs, or how many
    # How a begun answer is marked as to be gone on with: not at all, prefix: true in its message,
    # or continue_final_message beside the messages (vLLM, SGLang).
    begun: Literal["message", "prefix", "continue"] = "message"
    temperature: bool = (
        True  # False where temperature and top_p are refused: the service's own apply, which are 1
    )
    hidden_tokens: int = 0  # tokens of a draw set apart for reasoning that is not shown
    answer_tokens: int = 1  # tokens of a draw that are asked for besides: 1, or the least a service allows
    effort_field: Literal["reasoning_effort", "reasoning"] = "reasoning_effort"
    reasoning_effort: str = ""  # not sent if empty
    fixed: Mapping[str, object] = field(default_factory=dict)  # fields of every request to this service

    @property
    def limit(self) -> int:
        """Most tokens to generate for one draw of an answer."""
        return self.hidden_tokens + self.answer_tokens

    def limit_of(self, request: Request) -> int:
        """Most tokens to generate for a request that draws: one answer, or a text of many symbols."""
        return self.hidden_tokens + max(self.answer_tokens, request.text_tokens)

    def flat(self) -> dict[str, object]:
        """Return the fields that leave the distribution as the model gives it."""
        return {"temperature": 1, "top_p": 1} if self.temperature else {}

    def sampling(self, seed: int | None) -> dict[str, object]:
        """Return the fields of a request that draws, besides the temperature."""
        fields: dict[str, object] = {"top_p": 1} if self.temperature else {}
        fields |= dict(self.untruncated)
        return fields | {self.seed_field: spread_seed(seed)} if self.seed and seed is not None else fields

    def effort(self) -> dict[str, object]:
        """Return the field that sets how much is reasoned, {} where that is left to the service."""
        if not self.reasoning_effort:
            return {}
        nested = {"effort": self.reasoning_effort}
        return {self.effort_field: nested if self.effort_field == "reasoning" else self.reasoning_effort}

    def biased(self, surfaces: tuple[str, ...]) -> dict[str, object] | None:
        """Return the field that restricts draws to these symbols, None if the token of one is not known."""
        ids = dict(self.bias)
        if not all(surface in ids for surface in surfaces):
            return None
        return {"logit_bias": {str(ids[surface]): BIAS for surface in surfaces}}


def spread_seed(seed: int) -> int:
    """Return the seed to send: hashed to 31 bits.

    llama.cpp and vLLM draw choice i of a request with seed + i. Requests with
    consecutive seeds would share all but one of their draws, and the draws of
    a level would be counted several times.
    """
    return int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4], "big") >> 1


def variants(known: Dialect, *, strict: bool) -> list[Dialect]:
    """Return the dialects to try in turn: all fields first, then one group less at a time.

    A strict service refuses fields that are not its own, so only the seed is in
    question there. The Responses API has neither.
    """
    if known.route == "responses":
        return [replace(known, untruncated=(), seed=False)]
    groups = [()] if strict else [_without(group, known.omitted) for group in _UNTRUNCATED]
    return [replace(known, untruncated=group, seed=seed) for seed in (True, False) for group in groups]


def _without(group: Fields, names: tuple[str, ...]) -> Fields:
    return tuple((name, value) for name, value in group if name not in names)


def dialect_text(given: Dialect, found: Dialect) -> str:
    """Return as JSON what was found out about a dialect that was not given, "{}" if nothing was."""
    names = (f.name for f in fields(Dialect) if f.name != "fixed")
    known = {name: getattr(found, name) for name in names if getattr(found, name) != getattr(given, name)}
    return json.dumps(known, sort_keys=True)


def dialect_of(given: Dialect, text: str) -> Dialect:
    """Return the dialect of such a text. Raises SpecError if it is none of this version."""
    same = {f.name: getattr(given, f.name) for f in fields(Dialect)}
    try:
        found = json.loads(text)
        if not found.keys() <= same.keys():
            raise ValueError("fields of another version")
        return TypeAdapter(Dialect).validate_python({**same, **found})
    except (ValueError, AttributeError) as error:
        raise SpecError(f"{text!r} does not describe a dialect of this version") from error
