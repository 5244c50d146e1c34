"""Tokens matched with the symbols of a prompt: by surface, several spellings of one symbol summed."""

import math
import re
from collections.abc import Sequence as Seq

import numpy as np

from harness.adapters._payload import Position
from harness.types import Floats, Prompt

_WORD_STARTS = ("▁", "Ġ")  # a leading space as SentencePiece and byte-level BPE write it undecoded
_WORD_ENDS = re.compile(r"[^\w\s]*(\s|$)")  # "Heads.", "Heads**" and "Heads, ..." end there; "0.5" does not


class Symbols:
    """Finds the symbol that a token writes.

    In a completion the token must be the surface exactly. In a chat the answer
    starts afresh, and where an answer was begun for the model it may have been
    given another token: white space around a symbol carries nothing there and
    is ignored, unless it is what tells the symbols apart. Nothing else is
    ignored, neither quotes nor case.
    """

    def __init__(self, prompt: Prompt) -> None:
        bare = [surface.strip() for surface in prompt.surfaces]
        self._bare = prompt.form != "completion" and all(bare) and len(set(bare)) == len(bare)
        self._index = {self._key(surface): i for i, surface in enumerate(prompt.surfaces)}
        self._between = prompt.between.strip()
        self.count = len(prompt.surfaces)

    def index(self, text: str) -> int | None:
        """Return the 0-based symbol that this text is, None if it is none of them."""
        found = self._index.get(self._key(text))
        if found is None and text.startswith(_WORD_STARTS):
            found = self._index.get(self._key(" " + text[1:]))
        return found

    def first(self, text: str) -> int | None:
        """Return the 0-based symbol that a longer text begins with, None if it begins with none of them.

        The symbol must end there: at the end, at white space behind no more
        than punctuation, at what stands between the symbols of this prompt, or,
        where nothing does, at the next symbol.
        """
        written = self._key(text)
        for surface in sorted(self._index, key=len, reverse=True):
            if written.startswith(surface) and self._ends(written[len(surface) :]):
                return self._index[surface]
        return None

    def row(self, position: Position) -> tuple[Floats, float]:
        """Return log-probabilities of the symbols, shape (n_symbols,), NaN if not seen, and all mass seen.

        The token that was drawn or stood in the prompt counts once, even where
        the list of the most probable repeats it.
        """
        reported: Seq[tuple[str, float]] = position.top
        if position.logprob is not None and all(token != position.token for token, _ in position.top):
            reported = [*position.top, (position.token, position.logprob)]
        mass = np.full(self.count, np.nan)
        covered = 0.0
        for token, value in reported:
            p = math.exp(value)
            covered += p
            symbol = self.index(token)
            if symbol is not None:
                mass[symbol] = p if math.isnan(mass[symbol]) else mass[symbol] + p
        with np.errstate(divide="ignore"):  # a probability of exactly 0 is reported as -inf
            return np.log(mass), min(covered, 1.0)

    def _ends(self, rest: str) -> bool:
        if _WORD_ENDS.match(rest):
            return True
        if self._between:
            return rest.startswith(self._between)
        return rest.startswith(tuple(self._index))

    def _key(self, text: str) -> str:
        return text.strip() if self._bare else text


def decoded(token: str) -> str:
    """Return a token's text with an undecoded word start as the space it stands for."""
    return " " + token[1:] if token.startswith(_WORD_STARTS) else token
