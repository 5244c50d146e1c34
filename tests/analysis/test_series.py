"""Segmentation of real-valued series: against enumeration, on known truths, and what it refuses."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from harness.analysis import segment
from harness.analysis.series import RHO, RHO_CELL
from harness.errors import CurveError, SpecError
from harness.types import Floats, SegmentationOptions


def correlated(n: int, rho: float, rng: np.random.Generator) -> Floats:
    """AR(1) noise of variance 1."""
    noise = rng.standard_normal(n)
    for t in range(1, n):
        noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho**2) * noise[t]
    return noise


def enumerated(y: Floats, a: float, options: SegmentationOptions) -> tuple[Floats, Floats]:
    """Posterior of the number of changes and of where runs begin, from the density of every segmentation."""
    n = len(y)
    z = (y - np.median(y)) / np.sqrt(np.mean((y - np.median(y)) ** 2))
    spread = np.median(np.abs(np.diff(z))) / 0.6745
    most = min(options.max_changes, n // options.shortest - 1)
    mass = np.full((len(RHO), most + 1), -np.inf)
    place = np.full((len(RHO), most + 1, n), -np.inf)
    cells = list(zip(RHO, RHO_CELL, strict=True)) if options.noise == "ar1" else [(0.0, 1.0)]
    for r, (rho, cell) in enumerate(cells):
        v = spread**2 * (1 + rho) / 2
        for m in range(most + 1):
            cuts = [
                c
                for c in combinations(range(1, n), m)
                if all(b - a >= options.shortest for a, b in zip((0, *c), (*c, n), strict=True))
            ]
            share = np.log(0.5 if m == 0 else 0.5 * 0.5**m / sum(0.5**k for k in range(1, most + 1)))
            for c in cuts:
                density = 0.0
                for i, j in zip((0, *c), (*c, n), strict=True):
                    lag = np.abs(np.subtract.outer(np.arange(j - i), np.arange(j - i)))
                    shape = rho**lag / (1 - rho**2) + 1 / v
                    law = multivariate_t(np.zeros(j - i), v * shape, df=int(2 * a))
                    density += float(law.logpdf(z[i:j]))
                term = density + share - np.log(len(cuts)) + np.log(cell)
                mass[r, m] = np.logaddexp(mass[r, m], term)
                for t in c:
                    place[r, m, t] = np.logaddexp(place[r, m, t], term)
    total = logsumexp(mass)
    return np.exp(logsumexp(mass, axis=0) - total), np.exp(logsumexp(place, axis=(0, 1)) - total)


@pytest.mark.parametrize("noise", ["ar1", "independent"])
@pytest.mark.parametrize(("change", "a"), [("level", 10.0), ("level or spread", 1.0)])
@pytest.mark.parametrize("shortest", [1, 2])
def test_the_posterior_is_that_of_all_segmentations_enumerated(
    noise: str, change: str, a: float, shortest: int
) -> None:
    rng = np.random.default_rng(3)
    y = 40 + 3 * (rng.standard_normal(9) + 2 * (np.arange(9) >= 5))
    options = SegmentationOptions(max_changes=3, change=change, noise=noise, shortest=shortest)  # type: ignore[arg-type]
    found = segment(y, options=options)
    number, place = enumerated(y, a, options)
    np.testing.assert_allclose(found.p_changes, number, atol=1e-10)
    np.testing.assert_allclose(found.place, place, atol=1e-10)


def test_the_unit_and_the_zero_of_the_values_do_not_matter() -> None:
    y = np.random.default_rng(0).standard_normal(60) + 2.0 * (np.arange(60) >= 20)
    plain, moved = segment(y), segment(1e-6 * y + 7)
    np.testing.assert_allclose(plain.place, moved.place, atol=1e-6)
    assert [c.location for c in plain.changes] == [c.location for c in moved.changes]


def test_a_series_read_backwards_has_the_same_changes() -> None:
    y = correlated(80, 0.5, np.random.default_rng(4)) + 3.0 * (np.arange(80) >= 30)
    there, back = segment(y), segment(y[::-1])
    np.testing.assert_allclose(there.p_changes, back.p_changes, atol=1e-9)
    np.testing.assert_allclose(there.place[1:], back.place[:0:-1], atol=1e-9)


def test_changes_are_found_where_they_are_with_an_honest_interval() -> None:
    """Two changes of 3 and 4 noise sd, 30 series: both found in about .94 (3 s.e. .13), intervals .95 (3 s.e. .08)."""
    rng = np.random.default_rng(11)
    truth = np.repeat([0.0, 3.0, -1.0], [25, 30, 25])
    inside, error, counted = [], [], []
    for _ in range(30):
        found = segment(truth + rng.standard_normal(80), level=10 * np.arange(80.0))
        counted.append(found.n_changes == 2)
        if counted[-1]:
            for change, at in zip(found.changes, (245.0, 545.0), strict=True):
                inside.append(change.low <= at <= change.high)
                error.append(abs(change.location - at))
    assert np.mean(counted) >= 0.81
    assert np.mean(inside) >= 0.87
    assert np.median(error) <= 5  # half of the spacing of the levels
    assert all(c.high - c.low >= 10 for c in found.changes)  # never narrower than the spacing


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_correlated_noise_about_a_constant_gives_no_changes(rho: float) -> None:
    """At most 5 %: of 40 series 7 or more have a chance below .004 if the rate is .05."""
    rng = np.random.default_rng(21)
    said = [segment(correlated(60, rho, rng)).verdict for _ in range(40)]
    assert said.count("changes") <= 6


def test_independence_wrongly_declared_is_said() -> None:
    rng = np.random.default_rng(5)
    options = SegmentationOptions(noise="independent")
    said = [segment(correlated(100, 0.8, rng), options=options).warnings for _ in range(20)]
    assert sum(any("correlated" in w for w in warnings) for warnings in said) >= 18
    calm = [segment(rng.standard_normal(100), options=options).warnings for _ in range(20)]
    assert sum(any("correlated" in w for w in warnings) for warnings in calm) <= 2


def test_a_change_of_spread_is_found_when_asked_for() -> None:
    rng = np.random.default_rng(6)
    y = rng.standard_normal(120) * np.where(np.arange(120) < 60, 0.3, 3.0)
    found = segment(y, options=SegmentationOptions(change="level or spread"))
    assert found.verdict == "changes"
    assert abs(found.changes[0].location - 59.5) <= 5


def test_changes_that_one_odd_value_makes_are_warned_of() -> None:
    y = np.random.default_rng(7).standard_normal(50)
    y[25] = 12
    found = segment(y)
    assert found.n_changes == 0 or any("odd value" in w for w in found.warnings)
    assert any("odd value" in w for w in segment(np.r_[y, y]).warnings)


def test_an_exact_step_and_a_constant_are_read_without_noise() -> None:
    step = segment(np.repeat([0.0, 1.0], 20))
    assert step.verdict == "changes"
    assert [(c.location, c.low, c.high) for c in step.changes] == [(19.5, 19.0, 20.0)]
    assert any("equal" in w for w in step.warnings)
    flat = segment([4.2] * 12)
    assert (flat.verdict, flat.changes, flat.warnings) == ("none", (), ("all values are equal",))


def test_a_slope_is_called_a_staircase() -> None:
    y = np.linspace(0, 30, 90) + np.random.default_rng(8).standard_normal(90)
    found = segment(y, options=SegmentationOptions(noise="independent"))
    assert any("staircase" in w for w in found.warnings)


def test_too_few_changes_allowed_is_said() -> None:
    y = np.tile(np.repeat([0.0, 5.0], 10), 4) + np.random.default_rng(9).standard_normal(80)
    assert any(
        "raise max_changes=3" in w for w in segment(y, options=SegmentationOptions(max_changes=3)).warnings
    )


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([1, 2, np.nan, 4, 5, 6], None, r"values\[2\]=nan; it must be finite"),
        ([1, 2, 3], None, "3 value.s.; segmentation needs at least 6"),
        ([[1, 2], [3, 4]], None, r"shape \(2, 2\)"),
        (["a"] * 6, None, "values must be numbers"),
        (list(range(6)), [0, 1, 1, 2, 3, 4], r"level\[2\]=1.0 is not above level\[1\]=1.0"),
        (list(range(6)), [0, 1], "6 values at 2 levels"),
    ],
)
def test_what_is_no_series_is_refused_by_name(values: list[float], level: list[float], message: str) -> None:
    with pytest.raises(CurveError, match=message):
        segment(values, level=level)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SegmentationOptions(max_changes=0), "max_changes=0"),
        (SegmentationOptions(shortest=0), "shortest=0"),
        (SegmentationOptions(confidence=1.0), "confidence=1.0"),
        (SegmentationOptions(noise="pink"), "noise='pink'"),  # type: ignore[arg-type]
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: SegmentationOptions, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        segment(range(9), options=options)
