"""Statistics of one symbol sequence: how repetitive, how compressible, how alternating it is.

Each takes symbol indices of shape (length,). The laws named `*_law` and
`expected_*` are those of uniform i.i.d. symbols, as exact fractions: what a
statistic of random symbols is to be held against.
"""

import gzip
from fractions import Fraction
from math import comb

import numpy as np

from harness.errors import SpecError
from harness.types import Ints


def alternation_rate(symbols: Ints) -> float:
    """Return the share of symbols, from the second on, that differ from the one before; NaN below two."""
    return float(np.mean(symbols[1:] != symbols[:-1])) if symbols.size > 1 else float("nan")


def runs(symbols: Ints) -> int:
    """Return the number of runs: the longest stretches of one symbol."""
    return _run_lengths(symbols).size


def longest_run(symbols: Ints) -> int:
    """Return the length of the longest run, of whichever symbol; 0 of no symbols."""
    return int(_run_lengths(symbols).max(initial=0))


def runs_law(length: int, n_symbols: int = 2) -> list[Fraction]:
    """Return P(r runs) for r = 0..length: m (m - 1)^(r - 1) C(length - 1, r - 1) / m^length for r >= 1."""
    _check_source(length, n_symbols)
    if length == 0:
        return [Fraction(1)]
    total = n_symbols**length
    ways = [n_symbols * (n_symbols - 1) ** (r - 1) * comb(length - 1, r - 1) for r in range(1, length + 1)]
    return [Fraction(0), *(Fraction(n, total) for n in ways)]


def longest_run_law(length: int, n_symbols: int = 2) -> list[Fraction]:
    """Return P(longest run = k) for k = 0..length."""
    _check_source(length, n_symbols)
    total = n_symbols**length
    at_most = [_words_with_runs_up_to(k, length, n_symbols) for k in range(length + 1)]
    return [Fraction(n - below, total) for n, below in zip(at_most, [0, *at_most], strict=False)]


def expected_longest_run(length: int, n_symbols: int = 2) -> Fraction:
    """Return the expected length of the longest run, of whichever symbol."""
    law = longest_run_law(length, n_symbols)
    return sum((k * p for k, p in enumerate(law)), start=Fraction(0))


def kgram_entropy(symbols: Ints, k: int) -> float:
    """Return the entropy in bits of the frequencies of all length - k + 1 overlapping k-grams, k >= 1.

    It is the plug-in estimate of the block entropy H_k, biased downwards where
    there are not many more symbols than k-grams. NaN below k symbols.
    """
    if k < 1:
        raise SpecError(f"statistic kgram_entropy: k={k!r} must be at least 1")
    if symbols.size < k:
        return float("nan")
    _, n = np.unique(np.lib.stride_tricks.sliding_window_view(symbols, k), axis=0, return_counts=True)
    p = n / n.sum()
    return float(np.sum(p * -np.log2(p)))


def gzip_length(symbols: Ints) -> int:
    """Return how many bytes gzip makes of the symbols, written as one byte each without separators.

    Level 9 and no time stamp. The last bytes may depend on the zlib in use.
    """
    if symbols.size and not 0 <= symbols.min() <= symbols.max() < 256:
        raise SpecError("statistic gzip_length: symbols must be indices in 0..255")
    return len(gzip.compress((symbols + ord("0")).astype(np.uint8).tobytes(), mtime=0))


def lz78(symbols: Ints) -> int:
    """Return the number of phrases of the incremental parsing (Ziv & Lempel 1978).

    A phrase is the shortest word that is no phrase yet; one cut off by the end counts.
    """
    phrases: dict[tuple[int, int], int] = {}
    node, n_phrases = 0, 0
    for symbol in symbols.tolist():
        if node == 0:
            n_phrases += 1
        child = phrases.get((node, symbol))
        if child is None:
            phrases[node, symbol] = len(phrases) + 1
            node = 0
        else:
            node = child
    return n_phrases


def lz76(symbols: Ints) -> int:
    """Return the number of phrases of the exhaustive history (Lempel & Ziv 1976), in linear time.

    A phrase is the shortest word that does not occur earlier, overlap allowed:
    not in the symbols up to its last one, that one excluded. One cut off by the
    end counts: 0001101001000101 is 0.001.10.100.1000.101.
    """
    seen = _SuffixAutomaton()  # of the symbols before the current one
    node, length, n_phrases = 0, 0, 0  # `node` holds the phrase so far, of `length` symbols
    for symbol in symbols.tolist():
        if length == 0:
            n_phrases += 1
        after = seen.next[node].get(symbol)
        node, length = (0, 0) if after is None else (after, length + 1)
        seen.append(symbol)
        while length and length <= seen.length[seen.link[node]]:
            node = seen.link[node]  # appending split the node: the phrase is in the shorter part
    return n_phrases


def linear_complexity(symbols: Ints) -> Ints:
    """Return the length of the shortest shift register that makes each prefix of binary symbols.

    Shape (length + 1,), from 0 for no symbols (Berlekamp & Massey, over GF(2):
    Massey 1969). A register of length L is known for certain after 2 L symbols.
    Polynomials are integers, bit i the coefficient of x^i.
    """
    if symbols.size and not 0 <= symbols.min() <= symbols.max() <= 1:
        raise SpecError("statistic linear_complexity: symbols must be 0 or 1")
    profile = np.zeros(symbols.size + 1, np.int64)
    connection, previous = 1, 1  # the register now, and before its last change of length
    length, since = 0, 1
    newest_first = 0  # the symbols so far, the newest at bit 0
    for n, symbol in enumerate(symbols.tolist()):
        newest_first = newest_first << 1 | symbol
        if (connection & newest_first).bit_count() % 2 == 0:
            since += 1
        else:
            changed = connection ^ previous << since
            if 2 * length <= n:
                length, previous, since = n + 1 - length, connection, 1
            else:
                since += 1
            connection = changed
        profile[n + 1] = length
    return profile


class _SuffixAutomaton:
    """The smallest automaton of all factors of a word that grows (Blumer et al. 1985).

    A node stands for the factors that end at the same places: one of each
    length above that of its link, up to its own.
    """

    def __init__(self) -> None:
        self.next: list[dict[int, int]] = [{}]
        self.link = [-1]
        self.length = [0]
        self._last = 0  # the node of the whole word

    def append(self, symbol: int) -> None:
        """Lengthen the word by one symbol: amortised constant time."""
        new = self._add(self.length[self._last] + 1, {}, 0)
        node, self._last = self._last, new
        while node != -1 and symbol not in self.next[node]:
            self.next[node][symbol] = new
            node = self.link[node]
        if node == -1:
            return
        old = self.next[node][symbol]
        if self.length[old] == self.length[node] + 1:
            self.link[new] = old
            return
        split = self._add(self.length[node] + 1, self.next[old].copy(), self.link[old])
        while node != -1 and self.next[node].get(symbol) == old:
            self.next[node][symbol] = split
            node = self.link[node]
        self.link[old] = self.link[new] = split

    def _add(self, length: int, following: dict[int, int], link: int) -> int:
        self.next.append(following)
        self.length.append(length)
        self.link.append(link)
        return len(self.link) - 1


def _run_lengths(symbols: Ints) -> Ints:
    if not symbols.size:
        return np.empty(0, np.int64)
    starts = np.flatnonzero(symbols[1:] != symbols[:-1]) + 1
    return np.diff(np.concatenate([[0], starts, [symbols.size]]))


def _words_with_runs_up_to(k: int, length: int, n_symbols: int) -> int:
    """Return the number of words in which no run is longer than k.

    Words of length n end in a run of 1..k symbols after a word that ends in
    another symbol: w(n) = (m - 1) (w(n - 1) + .. + w(n - k)), w(0) = m / (m - 1)
    standing for the free first symbol, here multiplied through by m - 1.
    """
    if length == 0:
        return 1
    words = [n_symbols]  # (m - 1) w
    window = 0
    for n in range(1, length + 1):
        window += words[n - 1] - (words[n - 1 - k] if n > k else 0)
        words.append((n_symbols - 1) * window)
    return words[length] // (n_symbols - 1)


def _check_source(length: int, n_symbols: int) -> None:
    if length < 0 or n_symbols < 2:
        raise SpecError(
            f"no law of length={length!r} symbols out of n_symbols={n_symbols!r}: at least 0 and 2"
        )
