"""Families: the null share, the two ways to discover, and the corrections for several tests."""

import numpy as np
import pytest
from scipy import optimize, stats

from harness.analysis import discover
from harness.analysis.families import (
    LOCAL,
    bayes_factors,
    e_bh,
    holm,
    largest_set,
    null_interval,
    null_share,
    p_to_e,
    posterior_none,
)
from harness.errors import SpecError
from harness.types import AnalysisOptions, Bools, Floats, Transition


def judged(p_none: float, name: str = "c") -> Transition:
    change = (1 - p_none) / 3
    return Transition(name, "undetermined", p_none, change, change, change, AnalysisOptions())


def two_groups(share: float, n: int, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Bayes factors of z ~ N(0, 1) against z ~ N(0, 1 + 3^2), and which are null: an exact two-groups model."""
    null = rng.random(n) < share
    z = rng.standard_normal(n) * np.where(null, 1, np.sqrt(10))
    return stats.norm.pdf(z, scale=np.sqrt(10)) / stats.norm.pdf(z), null


def test_the_bayes_factor_undoes_the_prior_of_one_curve() -> None:
    factor = bayes_factors(np.array([0.5, 0.25, 0.0, 1.0]))
    assert factor[:2] == pytest.approx([1.0, 3.0])
    assert np.all(np.isfinite(factor))
    assert factor[2] > 1e200
    assert 0 < factor[3] < 1e-200
    np.testing.assert_allclose(posterior_none(factor[:2], 0.5), [0.5, 0.25])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_expectation_maximisation_finds_the_mode_that_a_search_finds(share: float) -> None:
    factor, _ = two_groups(share, 300, np.random.default_rng(int(100 * share)))

    def loss(p: float) -> float:
        return -float(np.log(p + (1 - p) * factor).sum() + np.log(p * (1 - p)))

    best = optimize.minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-10})
    assert null_share(factor) == pytest.approx(best.x, abs=1e-6)


def test_the_interval_of_the_null_share_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(31)
    inside = []
    for _ in range(150):
        low, high = null_interval(two_groups(0.7, 120, rng)[0])
        inside.append(low <= 0.7 <= high)
    assert np.mean(inside) >= 0.90  # of 150 at 95 %: less has odds of 1 in 250


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_the_share_of_false_discoveries_is_held_where_the_posteriors_are_calibrated(share: float) -> None:
    rng = np.random.default_rng(int(1000 * share))
    explored: list[float] = []
    confirmed: list[float] = []
    for _ in range(200):
        factor, null = two_groups(share, 150, rng)
        none = posterior_none(factor, null_share(factor))
        for chosen, rates in ((largest_set(none, q=0.05), explored), (e_bh(factor, q=0.05), confirmed)):
            rates.append(float((chosen & null).sum() / max(chosen.sum(), 1)))
    for rates in (explored, confirmed):
        assert np.mean(rates) <= 0.05 + 3 * np.std(rates) / np.sqrt(
            len(rates)
        )  # exceeded once in 740 by chance


def test_a_fixed_prior_would_discover_too_much_where_few_curves_change() -> None:
    rng = np.random.default_rng(8)
    rates = {"fixed": [], "estimated": []}  # type: dict[str, list[float]]
    for _ in range(200):
        factor, null = two_groups(0.95, 150, rng)
        for name, share in (("fixed", 0.5), ("estimated", null_share(factor))):
            chosen = largest_set(posterior_none(factor, share), q=0.05)
            rates[name].append(float((chosen & null).sum() / max(chosen.sum(), 1)))
    assert np.mean(rates["fixed"]) > 0.15 > 0.08 > np.mean(rates["estimated"])


def test_the_largest_set_is_the_largest_of_all_that_a_search_finds() -> None:
    none = np.array([0.3, 0.01, 0.02, 0.2, 0.001, 0.09])
    chosen = largest_set(none, q=0.05)
    sets = [np.array(list(np.binary_repr(code, 6))) == "1" for code in range(1, 64)]
    sets = [s for s in sets if none[s].max() <= LOCAL]
    assert chosen.sum() == max(s.sum() for s in sets if none[s].mean() <= 0.05)
    assert none[chosen].mean() <= 0.05


def test_e_bh_rejects_by_its_definition() -> None:
    e = np.array([200.0, 39.0, 41.0, 1.0])  # thresholds n / (q k): 80, 40, 26.7, 20
    np.testing.assert_array_equal(e_bh(e, q=0.05), [True, True, True, False])
    assert not e_bh(np.array([79.0, 39.0, 1.0, 1.0]), q=0.05).any()


def test_holm_is_the_closed_bonferroni_test() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.8])
    closed = [
        max(
            min(1.0, len(members) * min(p[j] for j in members))
            for code in range(16)
            if i in (members := [j for j in range(4) if code >> j & 1])
        )
        for i in range(4)
    ]
    np.testing.assert_allclose(holm(p), closed)


def test_a_p_value_turned_into_an_e_value_has_mean_one_at_most() -> None:
    p = (np.arange(200_000) + 0.5) / 200_000
    assert 0.9 < float(p_to_e(p).mean()) <= 1.0  # the mass below p = 2.5e-6 is what is missing
    assert p_to_e(np.array([1.0]))[0] == pytest.approx(0.5, abs=1e-3)


def test_a_small_family_keeps_the_prior_and_says_so() -> None:
    family = discover([judged(0.001, "a"), judged(0.9, "b")])
    assert family.null_share is None
    assert "not estimated" in family.note
    assert [m.p_none for m in family.members] == pytest.approx([0.001, 0.9])
    assert [m.exploratory for m in family.members] == [True, False]


def test_many_null_curves_make_a_weak_one_no_discovery() -> None:
    family = discover([judged(0.99, str(i)) for i in range(60)] + [judged(0.02, "weak")])
    assert family.null_share is not None
    assert family.null_share > 0.9
    assert family.members[-1].p_none > 0.1
    assert not family.members[-1].exploratory
    assert not family.members[-1].confirmatory


def test_an_impossible_rate_is_refused() -> None:
    with pytest.raises(SpecError, match=r"q=1\.5"):
        discover([judged(0.5)], q=1.5)
