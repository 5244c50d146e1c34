"""Words of a language, one alone or a stream of them, of exactly a given total length.

A stream is a succession of independent words with a separator between them.
Their sizes follow a declared law conditioned on the total, by a recursion over
what is left: no word is ever cut. The total belongs to what is hidden:
`Words.law` knows it, `Words.predict` does not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NoReturn

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import cumulative, uniforms
from harness.prompts.observers.counts import kt
from harness.types import Floats, Ints

Stream = Literal["word", "words"]
"""One word that fills the sequence, or words with a separator between them."""
Sizes = Literal["geometric", "uniform"]
WordLaw = Callable[[Ints, Floats], Floats]
"""From the letters of a word begun, (n,), and the log weight of each size from 0, to (n + 1, n_letters + 1).

Row t is the law of letter t given those before it, its last column the
probability that the word ends there; all 0 where the letters begin no word.
"""

SEPARATOR = "|"
_LARGEST_MEAN = 1000
_SHOWN = 8
_RENEWALS = 1024  # computed at a time: one table serves all totals up to there
_ROUND = 64  # letters by which words differ and still get the same weights of sizes
_TAIL = 30  # mean sizes kept of a geometric law beyond the word: what is left out is below exp(-30) = 1e-13


@dataclass(frozen=True, slots=True)
class Language:
    """Words of sizes 1, 2, ..: how long they are, how one is drawn, and what goes on from a beginning."""

    n_letters: int
    step: int  # a word of size N has step * N + extra letters
    extra: int
    draw: Callable[[int, np.random.Generator], Ints]  # a word of a given size, uniform among all of them
    law: WordLaw  # of a word uniform among those of its size


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a language whose sizes are geometric with a given mean, or uniform on 1..2 * mean_size - 1."""

    language: Language
    stream: Stream
    sizes: Sizes
    mean_size: float  # in 1..1000, of a word in an endless stream

    def __post_init__(self) -> None:
        if not 1 <= self.mean_size <= _LARGEST_MEAN:
            raise SpecError(f"mean_size={self.mean_size!r} must be in 1..{_LARGEST_MEAN}")
        if self.sizes == "uniform" and 2 * self.mean_size % 1 != 0:
            raise SpecError(
                f"mean_size={self.mean_size!r} with sizes 'uniform', on 1..2 * mean_size - 1, "
                "must be a multiple of 0.5"
            )

    @property
    def n_symbols(self) -> int:
        """Number of letters, and the separator of a stream."""
        return self.language.n_letters + (self.stream == "words")

    def draw(self, total: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return `total` symbols and the sizes of their words; the separator is the symbol n_letters.

        Raises SpecError where no word or stream has that length, naming the nearest that have.
        """
        if not self._possible(total):
            self._refuse(total)
        if self.stream == "word":
            size = (total - self.language.extra) // self.language.step
            return self.language.draw(size, rng), np.array([size], np.int64)
        drawn: list[Ints] = []
        sizes: list[int] = []
        left = total + 1  # as if a separator stood after the last word too
        while left:
            chosen = np.searchsorted(self._next_size(left)[1], uniforms(1, rng), side="right")
            sizes.append(int(chosen[0]))
            drawn += [self.language.draw(sizes[-1], rng), np.array([self.language.n_letters])]
            left -= self._length(sizes[-1]) + 1
        return np.concatenate(drawn[:-1]), np.array(sizes, np.int64)

    def law(self, symbols: Ints) -> Floats:
        """Return the law of each symbol given those before it and the total, NaN where nothing goes on."""
        n = symbols.size
        if self.stream == "word":
            alone = np.full((n - self.language.extra) // self.language.step + 1, -np.inf)
            alone[-1] = 0
            rows = self._rows(symbols, lambda *_: alone, (self.language.law,))
        else:
            rows = self._rows(
                symbols, lambda start, _: self._next_size(n + 1 - start)[0], (self.language.law,)
            )
        rows[n] = 0
        rows[~rows.any(axis=1)] = np.nan
        return rows

    def predict(self, symbols: Ints, *laws: WordLaw) -> Floats:
        """Predict any symbols without knowing their total: of an endless stream, or of a word of random size.

        `laws` are languages held for equally probable at the start, that of
        these words where none is given; each word is evidence for some of them,
        and one that is excluded is asked no more. Where the letters since
        the last separator begin no word, the law is that of `kt`; a new word
        begins after the next separator, and one that no language still possible
        has is evidence for none.
        """
        tail = 1 + math.ceil(_TAIL * self.mean_size)
        log_p = self._log_sizes(symbols.size + _ROUND + tail)
        laws = laws or (self.language.law,)
        # the same weights for words of most lengths: what laws make of them is kept
        rows = self._rows(
            symbols, lambda start, end: log_p[: ((end - start) // _ROUND + 1) * _ROUND + tail], laws
        )
        return np.where(rows.any(axis=1, keepdims=True), rows, kt(symbols, self.n_symbols))

    def _rows(
        self, symbols: Ints, log_weights: Callable[[int, int], Floats], laws: tuple[WordLaw, ...]
    ) -> Floats:
        """Return the law of each symbol, 0 where the word is impossible; `log_weights` takes its first and last row."""
        separator = self.language.n_letters
        rows = np.zeros((symbols.size + 1, separator + 1))
        belief = np.zeros(len(laws))
        start = 0
        for end in [*np.flatnonzero(symbols == separator).tolist(), symbols.size]:
            weights = log_weights(start, end)
            each = [law(symbols[start:end], weights) for law in laws]
            rows[start : end + 1], belief = _mixed(each, symbols[start : end + 1], belief)
            possible = np.isfinite(belief)
            laws = tuple(law for law, kept in zip(laws, possible.tolist(), strict=True) if kept)
            belief, start = belief[possible], end + 1
        rows = rows[:, : self.n_symbols]  # a word alone: given that it goes on
        total = rows.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))

    def _length(self, size: int) -> int:
        return self.language.step * size + self.language.extra

    def _possible(self, total: int) -> bool:
        if self.stream == "words":
            return total > 0 and bool(self._renewal(total + 1)[total + 1] > 0)
        size, rest = divmod(total - self.language.extra, self.language.step)
        return rest == 0 and size >= 1 and bool(np.isfinite(self._log_sizes(size + 1)[size]))

    def _refuse(self, total: int) -> NoReturn:
        """Raise the SpecError that says which totals near this one are possible."""
        below = next((n for n in range(total - 1, -1, -1) if self._possible(n)), None)
        reach = total + self._length(1) + 2  # what is possible stays so with a word of size 1 more
        above = next((n for n in range(total + 1, reach) if self._possible(n)), None)
        what = "word" if self.stream == "word" else "stream of words"
        near = " and ".join(str(n) for n in (below, above) if n is not None)
        raise SpecError(f"no {what} of length {total} with these sizes; nearest possible lengths: {near}")

    def _log_sizes(self, n_sizes: int) -> Floats:
        return log_sizes(self.sizes, self.mean_size, n_sizes)

    def _next_size(self, left: int) -> tuple[Floats, Floats]:
        """Return the log weight of each size of the next word, and the cumulative probabilities.

        The stream, and a separator behind it, take `left` more symbols.
        """
        work = _next_size if left <= _RENEWALS else _next_size.__wrapped__
        return work(self.sizes, self.mean_size, self.language.step, self.language.extra, left)

    def _renewal(self, total: int) -> Floats:
        return _renewal(self.sizes, self.mean_size, self.language.step, self.language.extra, total)


def with_separator(letters: tuple[str, ...], stream: Stream) -> tuple[str, ...]:
    """Return the alphabet of a word of these letters, or of a stream, whose last symbol is the separator."""
    if stream == "word":
        return letters
    if SEPARATOR in letters:
        raise SpecError(f"symbols {letters!r} hold {SEPARATOR!r}, which separates the words of a stream")
    return (*letters, SEPARATOR)


def listed(sizes: Ints) -> str:
    """Return the first few sizes, e.g. "3, 1, 4 and 2 more"."""
    more = sizes.size - _SHOWN
    return ", ".join(map(str, sizes[:_SHOWN].tolist())) + (f" and {more} more" if more > 0 else "")


def log_sizes(sizes: Sizes, mean_size: float, n_sizes: int) -> Floats:
    """Return log P(N) for N = 0..n_sizes - 1; P(0) = 0."""
    size = np.arange(n_sizes)
    if sizes == "uniform":
        last = 2 * mean_size - 1
        return np.where((size >= 1) & (size <= last), -np.log(last), -np.inf)
    if mean_size == 1:
        return np.where(size == 1, 0.0, -np.inf)
    log_p = (size - 1) * np.log1p(-1 / mean_size) - np.log(mean_size)
    return np.where(size >= 1, log_p, -np.inf)


def log_tails(log_weights: Floats) -> Floats:
    """Return the log of what all later sizes weigh together: element N sums those above N."""
    sums = np.logaddexp.accumulate(log_weights[::-1])[::-1]
    return np.concatenate([sums[1:], [-np.inf]])


@lru_cache(maxsize=_RENEWALS)
def _next_size(sizes: Sizes, mean_size: float, step: int, extra: int, left: int) -> tuple[Floats, Floats]:
    least = extra + 1  # of letters and separator
    after = left - least - step * np.arange(max(left - least, 0) // step + 1)
    with np.errstate(divide="ignore"):
        log_after = np.log(_renewal(sizes, mean_size, step, extra, left)[np.clip(after, 0, left)])
    log_weights = np.where(after >= 0, log_sizes(sizes, mean_size, after.size) + log_after, -np.inf)
    weights = np.exp(log_weights)
    return log_weights, cumulative(weights) if weights.any() else weights


def _renewal(sizes: Sizes, mean_size: float, step: int, extra: int, total: int) -> Floats:
    """Return the probability that a word of an endless stream ends with symbol r, for r = 0..total at least."""
    return _renewals(sizes, mean_size, step, extra, -(-(total + 1) // _RENEWALS) * _RENEWALS)


@lru_cache(maxsize=64)
def _renewals(sizes: Sizes, mean_size: float, step: int, extra: int, reach: int) -> Floats:
    p = np.exp(log_sizes(sizes, mean_size, (reach - extra) // step + 1))[1:]
    length = step * np.arange(1, p.size + 1) + extra + 1  # with its separator
    renewal = np.zeros(reach)
    renewal[0] = 1
    for r in range(1, reach):
        n_fit = int(np.searchsorted(length, r, side="right"))
        renewal[r] = p[:n_fit] @ renewal[r - length[:n_fit]]
    renewal.setflags(write=False)
    return renewal


def _mixed(each: list[Floats], word: Ints, belief: Floats) -> tuple[Floats, Floats]:
    """Return the mean law of a word and the log belief in each language after it.

    `each` are the laws (n + 1, n_letters + 1) along the n letters of `word`,
    which holds the separator too where it has ended.
    """
    if len(each) == 1:
        return each[0], belief
    laws = np.array(each)
    n_rows, ended = laws.shape[1], word.size == laws.shape[1]
    with np.errstate(divide="ignore"):
        steps = np.log(laws[:, np.arange(word.size), word])
    log_p = np.concatenate([belief[:, None], steps], axis=1).cumsum(axis=1)
    top = log_p.max(axis=0)
    weight = np.exp(log_p - np.where(np.isfinite(top), top, 0))
    rows = np.einsum("lt,lta->ta", weight[:, :n_rows], laws)
    return rows, log_p[:, -1] - top[-1] if ended and top[-1] > -np.inf else belief
