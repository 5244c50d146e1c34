"""Tokens matched with the symbols of a prompt: by surface, several spellings of one symbol summed."""

import math
from collections.abc import Sequence as Seq

import numpy as np

from harness.adapters._payload import Position
from harness.types import Floats, Prompt

_WORD_STARTS = ("▁", "Ġ")  # a leading space as SentencePiece and byte-level BPE write it undecoded


class Symbols:
    """Finds the symbol that a token writes.

    In a completion the token must be the surface exactly. In a chat the answer
    starts afresh, so white space around it carries nothing and is ignored.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._chat = prompt.form == "chat"
        self._index = {self._key(surface): i for i, surface in enumerate(prompt.surfaces)}
        self.count = len(prompt.surfaces)

    def index(self, text: str) -> int | None:
        """Return the 0-based symbol that this text is, None if it is none of them."""
        found = self._index.get(self._key(text))
        if found is None and text.startswith(_WORD_STARTS):
            found = self._index.get(self._key(" " + text[1:]))
        return found

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

    def _key(self, text: str) -> str:
        return text.strip() if self._chat else text


def decoded(token: str) -> str:
    """Return a token's text with an undecoded word start as the space it stands for."""
    return " " + token[1:] if token.startswith(_WORD_STARTS) else token
