"""How one server wants things said where servers differ, established by asking it."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

# Servers truncate what they draw from unless told otherwise: llama.cpp keeps 40 tokens above 5 % of the
# best, vLLM applies the checkpoint's own generation_config. These fields switch it off, in the
# spellings of different servers.
_PENALTIES = (("min_p", 0), ("repeat_penalty", 1), ("repetition_penalty", 1))
_UNTRUNCATED: tuple[tuple[tuple[str, int], ...], ...] = (
    (("top_k", 0), *_PENALTIES),
    (("top_k", -1), *_PENALTIES),
    (),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is said besides the standard fields."""

    chat_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    untruncated: tuple[tuple[str, int], ...] = ()  # fields that make draws follow the whole distribution
    seed: bool = True  # the field is accepted; whether it is honoured is another question

    def sampling(self, seed: int | None) -> dict[str, object]:
        """Return the fields of a request that draws."""
        fields: dict[str, object] = {"top_p": 1, **dict(self.untruncated)}
        return fields | {"seed": spread_seed(seed)} if self.seed and seed is not None else fields


def spread_seed(seed: int) -> int:
    """Return the seed to send: hashed to 31 bits.

    llama.cpp and vLLM draw choice i of a request with seed + i. Requests with
    consecutive seeds would share all but one of their draws, and the draws of
    a level would be counted several times.
    """
    return int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4], "big") >> 1


def variants(known: Dialect, *, strict: bool) -> list[Dialect]:
    """Return the dialects to try in turn: all fields first, then one group less at a time.

    A strict service refuses fields that are not its own, so only `seed` is in question there.
    """
    fields = [()] if strict else _UNTRUNCATED
    return [replace(known, untruncated=f, seed=seed) for seed in (True, False) for f in fields]
