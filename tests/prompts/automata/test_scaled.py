from itertools import islice

import numpy as np
import pytest

from harness.prompts.automata.exact import counts
from harness.prompts.automata.scaled import NOTHING, completions, ratio, total


def value(x: float, e: int) -> float:
    return float(np.ldexp(x, e))


@pytest.mark.parametrize("key", range(5))
def test_sums_are_those_of_floats_where_floats_suffice(key: int) -> None:
    rng = np.random.default_rng(key)
    x, e = rng.random((6, 4)), rng.integers(-30, 30, size=(6, 4))
    x[rng.random((6, 4)) < 0.3] = 0
    e[x == 0] = NOTHING
    mantissa, exponent = total(x, e)
    plain = [sum(map(value, xs, es)) for xs, es in zip(x, e, strict=True)]
    np.testing.assert_allclose(np.ldexp(mantissa, exponent), plain, rtol=1e-14)
    assert ((mantissa == 0) | ((mantissa >= 0.5) & (mantissa < 1))).all()


def test_sums_reach_beyond_floats() -> None:
    mantissa, exponent = total(np.array([1.0, 1.0, 0.0]), np.array([5000, 4999, NOTHING]))
    assert (float(mantissa), int(exponent)) == (0.75, 5001)
    assert ratio(mantissa, exponent, np.float64(1.0), np.int64(5000)) == 1.5  # type: ignore[arg-type]


def test_nothing_over_nothing_is_not_a_number() -> None:
    zero, exponent = total(np.zeros(2), np.full(2, NOTHING))
    assert (float(zero), int(exponent)) == (0, NOTHING)
    assert np.isnan(ratio(zero, exponent, zero, exponent))


@pytest.mark.parametrize("key", range(12))
def test_completions_are_the_exact_counts(key: int) -> None:
    # parts of different growth, dead ends and periods among them
    rng = np.random.default_rng(key)
    table = (
        np.maximum.accumulate(rng.integers(6, size=(6, 3)), axis=0)
        if key % 2
        else rng.integers(6, size=(6, 3))
    )
    accepting = rng.random(6) < 0.4
    exact = counts(table, accepting, 2500)
    recursion = completions(table, accepting.astype(np.float64), np.zeros(6, np.int64))
    for r, (x, e) in enumerate(islice(recursion, 2501)):
        for q in range(6):
            shift = max(exact[r][q].bit_length() - 60, 0)
            assert np.ldexp(x[q], int(e[q]) - shift if x[q] else 0) == pytest.approx(
                exact[r][q] >> shift, rel=1e-12
            )
