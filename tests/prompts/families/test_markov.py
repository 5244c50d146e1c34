import numpy as np
import pytest
from scipy import stats

from harness.registry import load_family
from harness.types import Ints

RARE = 1e-6  # odds that a correct family fails a test of its law, were the seed drawn at random
MARKOV = load_family("markov")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def contexts(symbols: Ints, order: int) -> list[tuple[int, ...]]:
    """The `order` symbols before each position from `order` to the end."""
    drawn = symbols.tolist()
    return [tuple(drawn[n - order : n]) for n in range(order, len(drawn) + 1)]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("symbols", ["pair", ("a", "b", "c")])
def test_the_law_is_one_row_for_each_context(order: int, symbols: str | tuple[str, ...]) -> None:
    sequence = MARKOV.sample(300, philox(order), order=order, symbols=symbols)
    assert (sequence.law[:order] == 1 / len(sequence.alphabet)).all()
    rows: dict[tuple[int, ...], list[float]] = {}
    for context, row in zip(contexts(sequence.symbols, order), sequence.law[order:], strict=True):
        assert rows.setdefault(context, row.tolist()) == row.tolist()
    assert len(set(map(tuple, rows.values()))) == len(rows) == len(sequence.alphabet) ** order


@pytest.mark.parametrize("order", [0, 1, 2])
def test_symbols_follow_the_law(order: int) -> None:
    sequence = MARKOV.sample(20_000, philox(order + 10), order=order, symbols=("a", "b", "c"), alpha=3.0)
    before = contexts(sequence.symbols, order)[:-1]
    for context in set(before):
        at = order + np.flatnonzero([c == context for c in before])
        expected = sequence.law[at[0]] * at.size
        assert stats.chisquare(np.bincount(sequence.symbols[at], minlength=3), expected).pvalue > RARE


def test_the_first_symbols_are_uniform() -> None:
    rng = philox(20)
    starts = [MARKOV.sample(2, rng, order=2).symbols for _ in range(2000)]
    seen = np.bincount([2 * a + b for a, b in starts], minlength=4)
    assert stats.chisquare(seen).pvalue > RARE


@pytest.mark.parametrize("alpha", [0.3, 1.0, 5.0])
def test_rows_are_drawn_from_the_dirichlet_prior(alpha: float) -> None:
    rng = philox(21)
    first = [MARKOV.sample(1, rng, alpha=alpha).law[1, 0] for _ in range(1000)]
    assert stats.kstest(first, stats.beta(alpha, alpha).cdf).pvalue > RARE


def test_the_ideal_observer_finds_the_rows() -> None:
    # a row seen n times is known to about 1 / (2 sqrt(n)): 0.03 at n = 300; 0.15 is five of those
    for key in range(5):
        sequence = MARKOV.sample(2000, philox(30 + key), alpha=5.0)
        error = np.abs(sequence.observers["markov"] - sequence.law)[-1]
        assert error.max() < 0.15


def test_the_ideal_observer_is_calibrated() -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance = philox(40), 0.0, 0.0
    for _ in range(300):
        sequence = MARKOV.sample(40, rng, order=1)
        law = sequence.observers["markov"][:40]
        p = law.max(axis=1)
        surprise += float(((sequence.symbols == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


def test_the_concept_shows_the_first_rows() -> None:
    sequence = MARKOV.sample(50, philox(41), order=3)
    shown = sequence.concept.split("; ")
    assert [row.partition(" -> ")[0] for row in shown[:-1]] == ["xxx", "xxy", "xyx", "xyy"]
    assert shown[-1] == "and 4 more contexts"
    zero = MARKOV.sample(5, philox(42), order=0, symbols=("a", "b")).concept
    assert zero.startswith("anything -> a 0.")
