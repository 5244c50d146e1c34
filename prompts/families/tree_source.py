"""A chain of variable order: how far back to look depends on what was seen, and is to be learned.

A tree of contexts of at most `depth` symbols is drawn for each sequence: a node
above `depth` is a leaf with probability `stop`, otherwise it branches on the
symbol before. Each leaf has a law of the next symbol, from the symmetric
Dirichlet(alpha), which holds wherever the last symbols are its context. The
first `depth` symbols are uniform.

The ideal observer, `ctw`, knows depth, stop and alpha, and averages over all
trees exactly, by context-tree weighting. `ngram_k`, k = 2 .. depth + 1, learns
one law for each context of k - 1 symbols: the best of them is what a fixed
order can do. `kt` knows symbol frequencies only.

Example: depth: 2, rendered without a separator

    prompt 'yxxyxxyxyxyx'
    target 'x', xx -> x 0.05, y 0.95; yx -> x 0.80, y 0.20; xy -> x 0.97, y 0.03; yy -> x 0.02, y 0.98
"""

import math
from bisect import bisect_right

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import cumulative, dirichlet, integers_below, uniforms
from harness.prompts.later import later
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import joined
from harness.types import Floats, Ints, Sequence

IDEAL = "ctw"
_MOST_CONTEXTS = 4096  # every leaf is drawn before the first symbol
_SHOWN_LEAVES = 4


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    depth: int = 3,
    stop: float = 0.5,
    alpha: float = 0.5,
    symbols: str | tuple[str, ...] = "pair",
) -> Sequence:
    """Draw the tree and the law of each leaf, then walk."""
    alphabet = alphabet_of(symbols)
    m = len(alphabet)
    _check(depth, stop, alpha, m)
    leaves = _leaves((), depth, stop, alpha, m, rng)
    rows = np.repeat([law for _, law in leaves], [m ** (depth - len(c)) for c, _ in leaves], axis=0)
    drawn, law = _walk(length, rng, rows, depth)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, depth=depth, stop=stop, alpha=alpha),
        ideal=IDEAL,
        concept=_in_words(leaves, alphabet),
    )


def observe(
    symbols: Ints, alphabet: tuple[str, ...], *, depth: int, stop: float, alpha: float
) -> dict[str, Floats]:
    """Predict from all context trees, from contexts of each fixed length, and from symbol counts."""
    m = len(alphabet)
    weighted = np.full((symbols.size + 1, m), 1 / m)
    if symbols.size >= depth:
        past = symbols[:depth]
        weighted[depth:] = observers.ctw(symbols[depth:], m, depth=depth, past=past, stop=stop, alpha=alpha)
    of_fixed_order = {
        f"ngram_{k}": observers.ngram(symbols, m, k=k, alpha=alpha) for k in range(2, depth + 2)
    }
    return {"ctw": weighted, **of_fixed_order, "kt": observers.kt(symbols, m)}


def _leaves(
    context: tuple[int, ...], depth: int, stop: float, alpha: float, m: int, rng: np.random.Generator
) -> list[tuple[tuple[int, ...], Floats]]:
    """Draw the leaves below a context, newest symbol first, in order: each with its law."""
    if len(context) == depth or float(uniforms(1, rng)[0]) < stop:
        return [(context, dirichlet(alpha, m, rng))]
    return [leaf for a in range(m) for leaf in _leaves((*context, a), depth, stop, alpha, m, rng)]


def _walk(length: int, rng: np.random.Generator, rows: Floats, depth: int) -> tuple[Ints, Floats]:
    """Return `length` symbols and their law. The newest symbol is the first digit of a context's index."""
    n_contexts, m = rows.shape
    start = integers_below(m, min(depth, length), rng).tolist()
    thresholds = cumulative(rows).tolist()
    drawn, contexts = [], []
    context = 0
    for symbol in start:
        context = symbol * (n_contexts // m) + context // m
    for u in uniforms(length - len(start), rng).tolist():
        contexts.append(context)
        drawn.append(bisect_right(thresholds[context], u))
        if depth:
            context = drawn[-1] * (n_contexts // m) + context // m
    law = np.full((length + 1, m), 1 / m)
    if length >= depth:
        law[depth:] = rows[[*contexts, context]]
    return np.array([*start, *drawn], np.int64), law


def _check(depth: int, stop: float, alpha: float, m: int) -> None:
    where = "family 'tree_source'"
    if depth < 0 or depth * math.log2(m) > math.log2(_MOST_CONTEXTS):
        raise SpecError(
            f"{where}: depth={depth!r} with {m} symbols must be >= 0 and have at most "
            f"{_MOST_CONTEXTS} contexts ({m}**depth)"
        )
    if not 0 < stop < 1:
        raise SpecError(f"{where}: stop={stop!r} must be above 0 and below 1")
    if not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"{where}: alpha={alpha!r} must be finite and > 0")


def _in_words(leaves: list[tuple[tuple[int, ...], Floats]], alphabet: tuple[str, ...]) -> str:
    """Return e.g. "x -> x 0.31, y 0.69; xy -> ..", contexts in reading order, for the first few leaves."""
    shown = []
    for context, law in leaves[:_SHOWN_LEAVES]:
        names = joined(tuple(alphabet[s] for s in reversed(context)))
        odds = ", ".join(f"{a} {p:.2f}" for a, p in zip(alphabet, law, strict=True))
        shown.append(f"{names or 'anything'} -> {odds}")
    more = len(leaves) - len(shown)
    return "; ".join(shown) + (f"; and {more} more contexts" if more else "")
