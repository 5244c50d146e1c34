"""Languages of counted blocks, of copies and of palindromes, as `words` takes them.

Each law is Bayes' rule over the size N of the word. With W(N) its prior and
c_N(u) the number of the c_N words of size N that begin with u,
p(a | u) = sum over N of W(N) c_N(ua) / c_N, over the same sum for u.
"""

from functools import lru_cache

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import integers_below
from harness.prompts.word_places import KEPT, is_small
from harness.prompts.words import Language, WordLaw, log_tails
from harness.types import Bools, Floats, Ints

MARK = "#"


def blocks(ratios: tuple[int, ...]) -> Language:
    """Return the language of one word a size: ratios[i] * N times letter i, for each letter in turn; ratios[0] is 1."""

    def draw(size: int, rng: np.random.Generator) -> Ints:  # noqa: ARG001 there is one word
        return np.repeat(np.arange(len(ratios)), np.multiply(ratios, size))

    def law(letters: Ints, log_weights: Floats) -> Floats:
        hazard = _hazard(log_weights, letters.size)
        first = _first(letters != 0)  # letters 0 the word begins with
        rows = np.zeros((letters.size + 1, len(ratios) + 1))
        rows[: first + 1, :2] = hazard[: first + 1]
        if hazard[first, 1]:
            rest = np.repeat(np.arange(1, len(ratios) + 1), [*np.multiply(ratios[1:], first), 1])
            _follow(rows, letters, first, rest)
        return rows

    return Language(len(ratios), step=sum(ratios), extra=0, draw=draw, law=law)


def uncounted_blocks(ratios: tuple[int, ...]) -> WordLaw:
    """Return the law of somebody who knows the blocks and their sizes, but not that all have one size.

    Block i is letter i, ratios[i] * N_i times, with N_i independent.
    """

    def law(letters: Ints, log_weights: Floats) -> Floats:
        hazard = _hazard(log_weights, letters.size).tolist()
        rows = np.zeros((letters.size + 1, len(ratios) + 1))
        block, run = 0, 0
        rows[0, :2] = law = hazard[0]
        for t, letter in enumerate(letters.tolist(), start=1):
            if not (0 <= letter - block <= 1 and law[letter - block]):
                break
            block, run = letter, run + 1 if letter == block else 1
            size, rest = divmod(run, ratios[block])
            rows[t, block : block + 2] = law = (1, 0) if rest else hazard[size]
        return rows

    return law


def with_mark(letters: tuple[str, ...], *, marked: bool) -> tuple[str, ...]:
    """Return the letters of w, and the mark after them if there is one."""
    if marked and MARK in letters:
        raise SpecError(f"symbols {letters!r} hold {MARK!r}, which marks the half of a word")
    return (*letters, MARK) if marked else letters


def doubled(n_letters: int, *, marked: bool, mirrored: bool) -> Language:
    """Return the words w w, or w w reversed; a mark, the last of the letters, stands between both and not in w."""
    free = n_letters - marked  # letters of w

    def draw(size: int, rng: np.random.Generator) -> Ints:
        half = integers_below(free, size, rng)
        mark = np.full(int(marked), free)
        return np.concatenate([half, mark, half[::-1] if mirrored else half])

    def law(letters: Ints, log_weights: Floats) -> Floats:
        return (_marked if marked else _unmarked)(letters, log_weights, free, mirrored)

    return Language(n_letters, step=2, extra=int(marked), draw=draw, law=law)


def _marked(letters: Ints, log_weights: Floats, mark: int, mirrored: bool) -> Floats:
    """Return the law along w # w, w over the letters below the mark: all is certain after it."""
    hazard = _hazard(log_weights, letters.size)
    size = _first(letters == mark)
    rows = np.zeros((letters.size + 1, mark + 2))
    rows[: size + 1, :mark] = hazard[: size + 1, :1] / mark
    rows[: size + 1, mark] = hazard[: size + 1, 1]
    if hazard[size, 1]:
        half = letters[:size]
        _follow(rows, letters, size, np.array([mark, *(half[::-1] if mirrored else half), mark + 1]))
    return rows


def _unmarked(letters: Ints, log_weights: Floats, m: int, mirrored: bool) -> Floats:
    """Return the law along w w, w over m letters: a mixture over sizes, in O(t) for letter t.

    c_N(u) / c_N is m**-min(|u|, N) for the sizes N that u agrees with.
    """
    n = letters.size
    tail = np.append(log_tails(log_weights), np.full(n + 1, -np.inf))[: n + 1]
    log_found = (log_weights - np.arange(log_weights.size) * np.log(m))[: n + 1]  # of W(N) / c_N
    agrees = np.isfinite(log_found)  # by size, with the letters so far; asked up to t after t letters
    rows = np.zeros((n + 1, m + 1))
    for t in range(n + 1):
        shortest = -(-t // 2)  # N <= t <= 2 N: letter t is in the second half
        size = shortest + np.flatnonzero(agrees[shortest : t + 1])
        free = tail[t] - t * np.log(m)  # or in the first
        top = max(free, log_found[size].max(initial=-np.inf))
        if top == -np.inf:
            break
        weight = np.exp(log_found[size] - top)
        over = 2 * size == t
        rows[t, m] = weight[over].sum()
        size, weight = size[~over], weight[~over]
        said = letters[2 * size - 1 - t if mirrored else t - size]
        rows[t, :m] = np.exp(free - top) / m + np.bincount(said, weight, minlength=m)
        rows[t] /= rows[t].sum()
        if t < n:
            agrees[size[said != letters[t]]] = False
    return rows


def _follow(rows: Floats, letters: Ints, start: int, rest: Ints) -> None:
    """Write the law of a word whose letters from `start` on can only be `rest`, behind the first of these.

    Rows are written up to the first letter that is another.
    """
    said = letters[start : start + rest.size - 1]
    n_agreed = _first(said != rest[: said.size])
    rows[np.arange(start + 1, start + n_agreed + 1), rest[1 : n_agreed + 1]] = 1


def _first(where: Bools) -> int:
    """Return the first place that is True, their number where none is."""
    return int(where.argmax()) if where.any() else where.size


def _hazard(log_weights: Floats, n: int) -> Floats:
    """Return P(N > t) and P(N = t) given N >= t, for t = 0..n: (n + 1, 2), 0 where no size is left."""
    work = _hazards if is_small(2 * log_weights.size, log_weights) else _hazards.__wrapped__
    hazard = np.zeros((n + 1, 2))
    known = work(log_weights.tobytes())[: n + 1]
    hazard[: len(known)] = known
    return hazard


@lru_cache(maxsize=KEPT)
def _hazards(weights: bytes) -> Floats:
    """Return the same for t below the number of sizes that have a weight."""
    log_weights = np.frombuffer(weights)
    log_p = np.stack([log_tails(log_weights), log_weights], axis=1)
    either = np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    return np.exp(log_p - np.where(np.isfinite(either), either, 0.0))
