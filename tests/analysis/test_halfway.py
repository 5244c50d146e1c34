"""Places and widths read off mean curves: shapes with unequal tails, and plateaus that lie on the points."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from benchmarks._analyzer_cells import Cell, run_cell
from benchmarks._analyzer_law import SKEWED
from harness.analysis.axis import make_axis
from harness.analysis.checks import DEFAULTS
from harness.analysis.evidence import weigh
from harness.analysis.halfway import make_reader
from harness.analysis.prepare import prepare
from harness.analysis.skewed_shapes import gompertz_rises, read_shapes
from harness.analysis.templates import make_singles
from tests.analysis.simulation import levels, logistic, sequences


@pytest.mark.parametrize("early", [False, True])
def test_a_skewed_rise_is_half_way_at_its_location_and_has_its_width_from_a_tenth_to_nine(
    early: bool,
) -> None:
    location, width = 7.0, 3.5

    def at(share: float) -> float:
        def left(x: float) -> float:
            one = np.array([x]), np.array([location]), np.array([width])
            return float(gompertz_rises(*one, early=early)[0, 0]) - share

        return float(brentq(left, -30, 40))

    assert at(0.5) == pytest.approx(location)
    assert at(0.9) - at(0.1) == pytest.approx(width)
    assert (at(0.9) - location > location - at(0.1)) is not early


def test_read_shapes_agree_with_their_rise_at_the_levels() -> None:
    axis = make_axis(levels(12), DEFAULTS.axis)
    place, width = np.array([4.5, 6.0]), np.array([0.0, 5.0])
    singles = make_singles(axis, place, width, np.ones(2), np.array([True, False]))
    shapes = read_shapes(axis, singles)
    assert len(shapes.kind) > len(singles.width)
    for i in range(len(shapes.kind)):
        assert axis.binned(shapes.rise_at(axis.x, i)) == pytest.approx(shapes.weights[i, 1])


def test_intervals_hold_for_curves_with_unequal_tails() -> None:
    sizes = [(64, 48, 0.95), (32, 100, 0.0), (32, 20, 0.8)]
    cells = [Cell("sequences", t, s, rho, SKEWED, 12, 0) for t, s, rho in sizes]
    found = [record for cell in cells for record in run_cell((cell, 3))[0]]
    # A logistic alone covers .85 of locations and .63 of widths here.
    for covered in ([r.location_covered for r in found], [r.width_covered for r in found]):
        given = [c for c in covered if c is not None]
        assert len(given) >= 60
        assert sum(given) >= binom.ppf(0.001, len(given), 0.93)


def test_plateaus_lie_on_the_points_when_all_noise_is_shared_along_the_curve() -> None:
    """Each sequence has a level of its own: differences along a curve are sharp, its height is not."""
    rng = np.random.default_rng(4)
    offset = 0.2 * rng.standard_normal((32, 1))
    drift = np.where(levels(48) > 30, 0.03, 0.0)  # no shape has it, so that the fitted ones are not exact
    mean = logistic(levels(48), 12.0, 4.0, 0.3, 0.6) + drift
    curve = sequences(np.clip(mean + offset + 0.01 * rng.standard_normal((32, 48)), 0, 1))
    prepared = prepare(curve, DEFAULTS)
    weighed = weigh(prepared.likelihood, prepared.axis, DEFAULTS)
    read = make_reader(prepared, weighed, DEFAULTS.sharp_width).read(prepared.mean[None, :])
    assert read.before[0] == pytest.approx(prepared.mean[:8].mean(), abs=0.01)
    assert read.after[0] == pytest.approx(prepared.mean[18:].mean(), abs=0.01)
