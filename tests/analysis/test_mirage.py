"""The same change under several scorings."""

from typing import Literal

import numpy as np
import pytest
from scipy.special import expit, logit

from harness.analysis import compare_conditions, individuals, mirage, sharp_in_logit
from harness.errors import CurveError, SpecError
from harness.types import AnalysisOptions, Curve, SequenceCurve
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences

N = 65
SPAN = N - 1


def test_a_step_is_sharp_under_every_scoring() -> None:
    found = mirage(replicates(logistic(levels(N), 31.5, 0, 0.05, 0.95), 40, 0.8, np.random.default_rng(1)))
    assert found is not None
    assert found.logit is not None
    assert found.accuracy is not None
    assert found.p.sharp
    assert found.logit.sharp
    assert found.accuracy.sharp
    assert found.sharp_only_under == ()


def test_a_gradual_p_is_sharp_in_accuracy_alone_and_the_metric_explains_it() -> None:
    rng = np.random.default_rng(2)
    smooth = logit(logistic(levels(N), 32, 0.5 * SPAN, 0.2, 0.98))
    found = mirage(sequences(expit(smooth + 0.1 * rng.standard_normal((48, 1)))))
    assert found is not None
    assert found.accuracy is not None
    assert found.accuracy_alone is not None
    assert found.sharp_only_under == ("accuracy",)
    assert found.accuracy_alone == pytest.approx(found.accuracy.width, abs=0.03 * SPAN)


def test_a_sharp_p_made_by_a_gradual_logit_is_sharp_in_p_alone() -> None:
    rng = np.random.default_rng(3)
    line = np.linspace(-30, 30, N) + 0.3 * rng.standard_normal((48, N))
    found = mirage(sequences(expit(line)))
    assert found is not None
    assert found.logit is not None
    assert found.p.sharp
    assert not found.logit.sharp
    assert "logit p" not in found.sharp_only_under
    assert "p" in found.sharp_only_under


@pytest.mark.parametrize("of", ["counts", "sequences"])
def test_the_width_in_logit_p_is_that_of_the_true_curve(of: str) -> None:
    rng = np.random.default_rng(4)
    truth = logistic(np.linspace(0, SPAN, 6401), 32, 0.2 * SPAN, 0.05, 0.95)
    share = (logit(truth) - logit(0.05)) / (logit(0.95) - logit(0.05))
    wanted = float(
        np.interp(0.9, share, np.linspace(0, SPAN, 6401)) - np.interp(0.1, share, np.linspace(0, SPAN, 6401))
    )
    p = logistic(levels(N), 32, 0.2 * SPAN, 0.05, 0.95)
    curve = (
        counts(p, 200, rng)
        if of == "counts"
        else sequences(np.clip(p + 0.01 * rng.standard_normal((40, N)), 0.001, 1))
    )
    found = sharp_in_logit(curve)
    assert found is not None
    # In logit p the curve is a line with two corners: a logistic fitted to it is up to a fifth wider.
    assert found.width == pytest.approx(wanted, rel=0.2)
    assert wanted > 1.3 * 0.2 * SPAN  # or the test would pass on the width in p


def test_exact_match_of_many_symbols_is_later_and_narrower() -> None:
    """The published demonstration: width .50 of the range gives .34 at L = 5 and .23 at 20, later and later."""
    rng = np.random.default_rng(5)
    found = mirage(
        replicates(logistic(levels(N), 32, 0.5 * SPAN, 0.02, 0.98), 60, 0.5, rng), exact_match=(1, 5, 20)
    )
    assert found is not None
    at, wide = np.array([(a, w) for _, a, w in found.exact_match]).T / SPAN
    assert np.all(np.diff(at) > 0)
    assert np.all(np.diff(wide) < 0)
    assert wide[1:] == pytest.approx([0.34, 0.23], abs=0.05)


def test_counts_have_no_accuracy_of_their_own() -> None:
    found = mirage(counts(logistic(levels(33), 16, 4, 0.1, 0.9), 20, np.random.default_rng(6)))
    assert found is not None
    assert found.accuracy is None
    assert found.accuracy_alone is None
    assert found.floor == pytest.approx(1 / 40)


def test_a_flat_curve_has_no_width_under_any_scoring() -> None:
    curve = replicates(np.full(33, 0.4), 30, 0.5, np.random.default_rng(7))
    assert mirage(curve) is None
    assert sharp_in_logit(curve) is None


def test_what_is_not_a_metric_is_refused() -> None:
    curve = replicates(logistic(levels(33), 16, 2, 0.1, 0.9), 12, 0.5, np.random.default_rng(8))
    with pytest.raises(SpecError, match="at least 1"):
        mirage(curve, exact_match=(0,))
    with pytest.raises(CurveError, match="correct has shape"):
        mirage(curve, correct=np.ones((2, 2), dtype=bool))


@pytest.mark.parametrize("n_levels", [3, 4, 8])
@pytest.mark.parametrize("axis", ["linear", "log2"])
def test_the_shortest_and_emptiest_curves_are_scored_without_a_word_from_numpy(
    n_levels: int, axis: Literal["linear", "log2"]
) -> None:
    rng = np.random.default_rng(9)
    options = AnalysisOptions(axis=axis)
    p = logistic(levels(n_levels), n_levels / 2, 0, 0.1, 0.9)
    curves: list[Curve] = [
        sequences(np.tile(p, (20, 1))),
        sequences(p[None]),
        counts(p, 30, rng),
        counts(p, 1, rng),
    ]
    for curve in curves:
        found = mirage(curve, options=options)
        again = compare_conditions(curve, curve, options=options)
        if found is not None:
            assert found.p.location == pytest.approx(n_levels / 2, abs=1)
        if again.location is not None:
            assert abs(again.location.value) < 1
        if isinstance(curve, SequenceCurve):
            assert individuals(curve, options=options) is None or found is not None
