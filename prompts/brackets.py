"""Balanced words of brackets, of any depth or bounded, as `words` takes them.

A word of size N has N pairs of k types, letters 0..k-1 opening and k..2k-1
closing them. B(r, h) is the number of ways back from height h to 0 in r steps
that never fall below 0, nor rise above the bound. There are B(2N, 0) k**N words.
"""

from functools import lru_cache
from typing import TypeVar

import numpy as np

from harness.errors import SpecError
from harness.prompts.draws import integers_below, uniforms
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.word_places import KEPT, is_small, n_places, place_laws
from harness.prompts.words import Language, WordLaw
from harness.types import Floats, Ints

Number = TypeVar("Number", float, Ints | Floats)

_PAIRS = ("()", "[]", "{}", "<>")
_CHUNK = 2**20  # entries of the tables (letters, sizes) made at once
_STEPS = 1024  # computed at a time: one table serves all words up to there


def bracket_names(k: int, symbols: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the symbols of k >= 1 types of brackets, given ones or "()", "[]", "{}", "<>": opening, then closing."""
    if k < 1:
        raise SpecError(f"k={k!r} types of brackets: there must be at least 1")
    if symbols is not None:
        if len(symbols) != 2 * k:
            raise SpecError(f"symbols={symbols!r} must be {2 * k}: {k} that open, then {k} that close")
        return alphabet_of(symbols)
    if k > len(_PAIRS):
        raise SpecError(f"k={k!r}: only {len(_PAIRS)} types of brackets have names; give {2 * k} symbols")
    opening, closing = zip(*_PAIRS[:k], strict=True)
    return opening + closing


def brackets(k: int, depth: int | None = None) -> Language:
    """Return the balanced words over k types of brackets that nest at most `depth` deep, any depth if None."""

    def draw(size: int, rng: np.random.Generator) -> Ints:
        types = integers_below(k, size, rng).tolist()
        word: list[int] = []
        stack: list[int] = []
        bounded = None if depth is None else _bounded(_reach(2 * size), depth)[1]
        for left, u in zip(range(2 * size, 0, -1), uniforms(2 * size, rng).tolist(), strict=True):
            h = len(stack)
            if u < (_ballot(left, h) if bounded is None else bounded[left, h]):
                stack.append(types.pop())
                word.append(stack[-1])
            else:
                word.append(k + stack.pop())
        return np.array(word, np.int64)

    return Language(2 * k, step=2, extra=0, draw=draw, law=lambda letters, w: _law(letters, w, k, depth))


def untyped_brackets(k: int) -> WordLaw:
    """Return the law of somebody who knows how deep the word is, but not which type of bracket is to be closed."""

    def law(letters: Ints, log_weights: Floats) -> Floats:
        one = _law(letters // k, log_weights, 1, None)
        return np.concatenate([np.repeat(one[:, :2] / k, k, axis=1), one[:, 2:]], axis=1)

    return law


def log_ways(steps: Ints, heights: Ints, depth: int | None) -> Floats:
    """Return log B(r, h) for r - h even and h >= 0, -inf where there is no way; the shapes are broadcast.

    Without a bound B(r, h) = (h + 1) r! / (((r - h) / 2)! ((r + h) / 2 + 1)!),
    the ballot numbers (Feller 1968, section III.1).
    """
    reach = _reach(int(np.max(steps, initial=0)))
    if depth is not None:
        return _bounded(reach, depth)[0][np.maximum(steps, -1), np.minimum(heights, depth + 1)]
    log_factorial, down = _log_factorials(reach), (steps - heights) // 2
    log_paths = log_factorial[np.maximum(steps, 0)] - log_factorial[np.maximum(down, -1)]
    return np.asarray(log_paths - log_factorial[np.maximum(down + heights + 1, 0)] + np.log(heights + 1))


def _p_open(steps: Ints, heights: Ints, depth: int | None) -> Floats:
    """Return P(open) in a uniform word at a height it can have with r > 0 letters to come, any number elsewhere."""
    r = np.maximum(steps, 1)
    if depth is None:
        return np.asarray(_ballot(r, heights))
    return np.asarray(_bounded(_reach(int(np.max(r, initial=1))), depth)[1][r, heights])


def _ballot(r: Number, h: Number) -> Number:
    """Return P(open) in a uniform word of any depth at height h with r > 0 letters to come."""
    return (r - h) * (h + 2) / (2 * r * (h + 1))


def _law(letters: Ints, log_weights: Floats, k: int, depth: int | None) -> Floats:
    """Return the law along a word begun. The types of brackets opened say nothing of the size."""
    heights, tops = _climb(np.asarray(letters, np.int64).tobytes(), k)
    if depth is not None and heights.max() > depth:
        n_rows = int((heights > depth).argmax())
        heights, tops = heights[:n_rows], tops[:n_rows]
    places = n_places(letters.size)
    deepest = places if depth is None else depth
    if is_small(3 * places * (deepest + 2), log_weights):
        steps = _steps_by_place(log_weights.tobytes(), depth, places)[np.arange(heights.size), heights]
    else:
        steps = _steps(heights, log_weights, depth)
    rows = np.zeros((letters.size + 1, 2 * k + 1))
    rows[: heights.size, :k] = steps[:, :1] / k
    open_type = np.flatnonzero(tops >= 0)
    rows[open_type, k + tops[open_type]] = steps[open_type, 1]
    rows[: heights.size, 2 * k] = steps[:, 2]
    return rows


@lru_cache(maxsize=KEPT)
def _steps_by_place(weights: bytes, depth: int | None, places: int) -> Floats:
    """Return P(open), P(close) and P(end) after t letters at height h, for t below `places`: (places, > h, 3)."""
    log_weights = np.frombuffer(weights)
    sizes = np.flatnonzero(np.isfinite(log_weights))
    log_f = log_weights[sizes] - log_ways(2 * sizes, np.zeros(1, np.int64), depth)  # of one word of each size
    log_found = np.full((places, 1), -np.inf)
    log_found[2 * sizes[2 * sizes < places], 0] = log_f[2 * sizes < places]
    height = np.arange((places if depth is None else depth) + 1)
    even = np.flatnonzero((height - places) % 2 == 0)  # a height is odd where the place is
    left = 2 * sizes[:, None] - places
    log_last = np.full(height.size + 1, -np.inf)  # the last for no height at all
    log_last[even] = np.logaddexp.reduce(
        log_f[:, None] + np.where(left >= 0, log_ways(left, even, depth), -np.inf), axis=0, initial=-np.inf
    )
    nowhere = height.size
    table = np.stack(
        [np.append(height[1:], [nowhere, nowhere]), np.append([nowhere], np.append(height[:-1], nowhere))],
        axis=1,
    )
    return place_laws(table, np.arange(nowhere + 1) == 0, log_found, log_last)[0]


def _steps(heights: Ints, log_weights: Floats, depth: int | None) -> Floats:
    """Return P(open), P(close) and P(end) at each height of one word: (n_heights, 3)."""
    steps = np.zeros((heights.size, 3))
    sizes = np.flatnonzero(np.isfinite(log_weights))
    prior = log_weights[sizes] - log_ways(2 * sizes, np.zeros(1, np.int64), depth)
    n_rows = max(1, _CHUNK // max(sizes.size, 1))
    for first in range(0, heights.size, n_rows):
        t = np.arange(first, min(first + n_rows, heights.size))
        h, r = heights[t, None], 2 * sizes - t[:, None]  # r letters to come
        log_p = prior + log_ways(r, h, depth)
        top = log_p.max(axis=1, initial=-np.inf, keepdims=True)
        weight = np.exp(log_p - np.where(top > -np.inf, top, 0))
        p = weight.sum(axis=1)
        weight /= np.where(p > 0, p, 1)[:, None]
        goes_on = weight * (r > 0)
        opens = (goes_on * _p_open(r, h, depth)).sum(axis=1)
        steps[t] = np.stack([opens, goes_on.sum(axis=1) - opens, (weight * (r == 0)).sum(axis=1)], axis=1)
    return steps


@lru_cache(maxsize=256)  # several laws ask for the same word
def _climb(word: bytes, k: int) -> tuple[Ints, Ints]:
    """Return, before each letter that follows a beginning of a word, its height and what is open, -1 if nothing."""
    stack: list[int] = []
    heights, tops = [0], [-1]
    for letter in np.frombuffer(word, np.int64).tolist():
        if letter < k:
            stack.append(letter)
        elif not stack or stack.pop() != letter - k:
            break
        heights.append(len(stack))
        tops.append(stack[-1] if stack else -1)
    return np.array(heights), np.array(tops)


@lru_cache(maxsize=4)
def _log_factorials(n: int) -> Floats:
    """Return log(i!) for i = 0..n - 1, and infinity, which is what index -1 finds."""
    return np.append(np.cumsum(np.log(np.maximum(np.arange(n), 1))), np.inf)


@lru_cache(maxsize=32)
def _bounded(n: int, depth: int) -> tuple[Floats, Floats]:
    """Return log B(r, h) and P(open), 0 where there is no way, for r = 0..n - 1 and h = 0..depth.

    B has a row and a column of -inf more, which is what index -1 and h = depth + 1 find.
    """
    log_ways, p_open = np.full((n + 1, depth + 2), -np.inf), np.zeros((n, depth + 1))
    ways, log_scale = np.eye(1, depth + 1)[0], 0.0  # scaled at each step so as not to overflow
    for r in range(n):
        with np.errstate(divide="ignore"):
            log_ways[r, :-1] = np.log(ways) + log_scale
        up = np.append(ways[1:], 0)
        both = up + np.append(0, ways[:-1])
        if r + 1 < n:
            np.divide(up, both, out=p_open[r + 1], where=both > 0)
        log_scale += float(np.log(both.max()))
        ways = both / both.max()
    return log_ways, p_open


def _reach(steps: int) -> int:
    """Return the size of a table that serves so many steps and all numbers of steps near."""
    return -(-(steps + 2) // _STEPS) * _STEPS
