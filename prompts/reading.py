"""Reading: the symbols of a text that a model wrote, the reverse of rendering."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.types import Ints, Prompt

Ending = Literal["length", "ended", "cut", "unread"]
"""Why a sequence is no longer: as many symbols as wanted were read, the model ended its text, the limit of
tokens cut it, or something came that is no symbol."""

_OPENS, _CLOSES = r"[\s\[({\"'`]*", r"[\s\])}\"'`.…]*"  # what may stand around a list


@dataclass(frozen=True, slots=True, eq=False)
class ReadText:
    """The symbols at the beginning of a text."""

    symbols: Ints  # (n_read,), at most as many as wanted
    ending: Ending
    rest: str  # what stands behind them, "" at the end of the text


def read_text(text: str, prompt: Prompt, length: int, *, ended: bool) -> ReadText:
    """Read up to `length` symbols from what was written behind a prompt, one after another.

    White space around a symbol carries nothing, unless it tells symbols apart;
    where the prompt has something between its symbols, that must be there too,
    and no letter or digit may touch a symbol. A bracket or a quotation mark may
    open and close the whole. Reading ends at the first piece that is anything
    else, so that no symbol is counted behind a place that was not understood.
    `ended` says that the model ended the text itself.
    """
    bare = [surface.strip() for surface in prompt.surfaces]
    exact = not all(bare) or len(set(bare)) < len(bare)
    names = list(prompt.surfaces) if exact else bare
    index = {name: i for i, name in enumerate(names)}
    between, touching = _between(prompt, exact=exact)
    symbol = f"({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})"
    symbol += "" if touching else r"(?!\w)"
    first, following = re.compile(symbol if exact else r"\s*" + symbol), re.compile(between + symbol)
    opening = None if exact else re.match(_OPENS, text)
    step = first.match(text) or (first.match(text, opening.end()) if opening else None)
    found: list[int] = []
    at = 0
    while step is not None and len(found) < length:
        found.append(index[step[1]])
        at = step.end()
        step = following.match(text, at)
    rest = text[at:]
    if len(found) == length:
        ending: Ending = "length"
    elif found and re.match(r"\s*[\])}]", rest):  # the list is closed, whatever comes behind it
        ending = "ended"
    elif ended:
        ending = "ended" if re.fullmatch(_CLOSES, rest) else "unread"
    else:
        tail = rest.strip().removeprefix(prompt.between.strip()).strip()  # perhaps the beginning of a symbol
        ending = "cut" if any(name.startswith(tail) for name in names) else "unread"
    return ReadText(np.array(found, dtype=np.int64), ending, rest)


def _between(prompt: Prompt, *, exact: bool) -> tuple[str, bool]:
    """Return a pattern of what stands between two symbols, and whether that may be nothing."""
    if exact:
        return re.escape(prompt.between), not prompt.between
    mark = prompt.between.strip()
    if mark:
        return rf"\s*{re.escape(mark)}\s*", False
    apart = bool(prompt.between) or all(surface[:1].isspace() for surface in prompt.surfaces)
    return (r"\s+", False) if apart else (r"\s*", True)
