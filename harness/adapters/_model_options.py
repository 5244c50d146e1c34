"""Options in a model's name: `NAME?hidden_tokens=2048&reasoning_effort=low`, part of what a result is filed under."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import SpecError, UnknownName, suggestion

ROOM = 1024  # tokens a draw may spend on hidden reasoning where the name does not say
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """A model's own name and what is asked of it besides."""

    model: str  # the id that the service knows
    room: int = (
        ROOM  # most tokens of a draw for hidden reasoning, should the model turn out to reason; 0 for none
    )
    reasoning_effort: str = ""  # not sent if empty
    others: Mapping[str, str] = field(default_factory=dict)  # options of one service alone


def parse_options(provider: str, name: str, *, others: tuple[str, ...] = ()) -> ModelOptions:
    """Read a name without its provider. Raises UnknownName with a suggestion, or SpecError for a value."""
    model, _, query = name.partition("?")
    known = ("hidden_tokens", "reasoning_effort", *others)
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key not in known:
            raise UnknownName(f"model '{provider}/{name}': no option {key!r}{suggestion(key, known)}")
        if key in found or not value:
            raise SpecError(f"model '{provider}/{name}': option {key!r} must be given once, with a value")
        found[key] = value
    room, effort = found.pop("hidden_tokens", str(ROOM)), found.pop("reasoning_effort", "")
    if not room.isdecimal():
        raise SpecError(
            f"model '{provider}/{name}': hidden_tokens={room!r} must be a whole number, 0 for no reasoning"
        )
    if effort and not _WORD.fullmatch(effort):
        raise SpecError(
            f"model '{provider}/{name}': reasoning_effort={effort!r} must be a word such as low, medium or high"
        )
    return ModelOptions(model, int(room), effort, found)
