"""What a control is and how a suite names it: a name, or a name with an option as in "kgram_shuffle?k=3"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from harness.errors import SpecError, UnknownName, suggestion
from harness.prompts.controls.blocks import block_shuffle
from harness.prompts.controls.euler import kgram_shuffle
from harness.prompts.controls.frequencies import matched_random, shuffle
from harness.prompts.controls.renaming import label_flip, permute_symbols
from harness.prompts.controls.segments import distractor, swap, truncate
from harness.types import Sequence

Expectation = Literal["gone", "kept", "moved"]
"""What becomes of a transition that is about the concept: see `Control`."""
Transform = Callable[..., Sequence]
"""From a `Source`, a stream and the options by name, to the changed sequence; `apply_control` adds the rest."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control with its option, and what it tells.

    "gone": what the control destroys is what the transition should be made of, so
    that none may remain beyond the baseline. "kept" and "moved": the concept is
    still there, and the model should show the transition where the baseline has
    it, which is where it was ("kept") or elsewhere, or once more ("moved").
    """

    name: str
    options: Mapping[str, int]
    expects: Expectation
    baseline: str | None  # an observer; None is the family's ideal one, which is told of the control
    nested: bool  # whether one sequence serves all context lengths; if not, each needs its own
    reach: int  # sequences of at most this many symbols stay as they are

    @property
    def text(self) -> str:
        """The control as a suite writes it, e.g. "block_shuffle?width=8"."""
        options = "&".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.name}?{options}" if options else self.name


@dataclass(frozen=True, slots=True)
class _Kind:
    """A control before its option is known."""

    transform: Transform
    expects: Expectation
    baseline: str | None  # with the option's name in braces
    least: Mapping[str, int]  # its options, all of them required: the smallest value of each
    reach: Callable[[Mapping[str, int]], int]
    nested: bool = True


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "block_shuffle": _Kind(
            block_shuffle, "gone", "backoff{width}", {"width": 2}, lambda o: 2 * o["width"] - 1
        ),
        "distractor": _Kind(distractor, "moved", None, {"length": 1}, lambda _: 0),
        "kgram_shuffle": _Kind(kgram_shuffle, "gone", "ngram{k}", {"k": 2}, lambda o: o["k"]),
        "label_flip": _Kind(label_flip, "kept", None, {"at": 0}, lambda o: o["at"]),
        "matched_random": _Kind(matched_random, "gone", "kt", {}, lambda _: 0),
        "permute_symbols": _Kind(permute_symbols, "kept", None, {}, lambda _: 0),
        "shuffle": _Kind(shuffle, "gone", "kt", {}, lambda _: 1),
        "swap": _Kind(swap, "moved", None, {"at": 1}, lambda o: o["at"]),
        "truncate": _Kind(truncate, "kept", None, {"last": 1}, lambda o: o["last"] + 1, nested=False),
    }
)


def control_names() -> tuple[str, ...]:
    """Return the names of all controls, without options."""
    return tuple(sorted(_KINDS))


def parse_control(text: str) -> Control:
    """Return the control that a suite names, e.g. "shuffle" or "kgram_shuffle?k=3".

    Every option is an integer and must be given: none has a value that suits all
    tasks. Raises UnknownName for an unknown name; SpecError for an option that is
    unknown, missing, given twice or out of range.
    """
    name, asked, given = text.partition("?")
    if name not in _KINDS:
        raise UnknownName(f"no control {name!r}{suggestion(name, _KINDS)}")
    kind = _KINDS[name]
    if asked and not kind.least:
        raise SpecError(f"control {text!r}: {name} takes no option; write {name!r}")
    values: dict[str, int] = {}
    for part in given.split("&") if asked else ():
        option, _, value = part.partition("=")
        if option not in kind.least or option in values:
            what = "given twice" if option in values else f"no option of it{suggestion(option, kind.least)}"
            raise SpecError(f"control {text!r}: {option!r} is {what}")
        values[option] = _integer(text, option, value, kind.least[option])
    missing = [option for option in kind.least if option not in values]
    if missing:
        example = "&".join(f"{option}=8" for option in kind.least)
        raise SpecError(
            f"control {text!r} needs {', '.join(missing)}: write it as in {f'{name}?{example}'!r}"
        )
    baseline = None if kind.baseline is None else kind.baseline.format(**values)
    return Control(name, MappingProxyType(values), kind.expects, baseline, kind.nested, kind.reach(values))


def transform_of(control: Control) -> Transform:
    """Return what a control does to a sequence."""
    return _KINDS[control.name].transform


def _integer(text: str, option: str, value: str, least: int) -> int:
    """Return a decimal number. Its one way of writing makes one control one text, and one seed."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", value) or int(value) < least:
        raise SpecError(
            f"control {text!r}: {option}={value!r} must be an integer from {least} to 999999999, "
            "without sign or leading zeros"
        )
    return int(value)
