import numpy as np
import pytest
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.emergence.bounds import donsker_varadhan, info_nce, smile
from harness.local_models.whitebox.emergence.coordinates import canonical_coordinates
from harness.local_models.whitebox.emergence.enumerable import arrangement_bits, plug_in
from harness.local_models.whitebox.emergence.estimates import Fit, HeldOut, held_out
from harness.local_models.whitebox.emergence.faithful import Faithful, faithful

Array = NDArray[np.float64]


def gaussian(d: int, bits: float, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Pairs with I = -d/2 log2(1 - rho^2) bits, the same correlation in each of d coordinates."""
    rho = np.sqrt(1 - 2 ** (-2 * bits / d))
    x = rng.standard_normal((n, d))
    return x, rho * x + np.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def ordered_entities(shots: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """States of `shots` of 16 entities in order, and what one random residual block makes of them."""
    order = np.argsort(rng.random((n, 16)), axis=1)[:, :shots]
    one_hot = np.zeros((n, shots, 16))
    np.put_along_axis(one_hot, order[..., None], 1.0, axis=2)
    fixed = np.random.default_rng(5)
    a, b, c = (fixed.standard_normal(s) / np.sqrt(s[0]) for s in ((16 * shots, 32), (32, 128), (128, 32)))
    x = np.tanh(4 * one_hot.reshape(n, -1) @ a)
    return x, x + np.maximum(x @ b, 0) @ c


def best_scores(d: int, bits: float, n: int, rng: np.random.Generator) -> Array:
    """Scores of the best critic there is, log p(x, y) / p(x) p(y), for Gaussian pairs."""
    x, y = gaussian(d, bits, n, rng)
    r2 = 1 - 2 ** (-2 * bits / d)
    w, a = np.sqrt(r2) / (1 - r2), r2 / (1 - r2)
    own = [(side**2).sum(1) * a / 2 for side in (x, y)]
    return np.asarray(w * x @ y.T - own[0][:, None] - own[1][None, :] - d / 2 * np.log(1 - r2))


def test_all_bounds_reach_the_truth_with_the_best_critic() -> None:
    scores = best_scores(8, 2.0, 3000, np.random.default_rng(0))
    value = donsker_varadhan(scores)
    assert value.value == pytest.approx(2.0, abs=4 * value.error)
    assert info_nce(scores) == pytest.approx(2.0, abs=4 * value.error + 0.02)
    assert smile(scores, clip=50.0) == pytest.approx(value.value, abs=1e-9)


def test_the_error_of_donsker_varadhan_is_the_spread_between_repetitions() -> None:
    found = [donsker_varadhan(best_scores(4, 2.0, 300, np.random.default_rng(s))) for s in range(200)]
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.2)  # spread is known to 5 %


def test_the_contrastive_bound_never_exceeds_log_n() -> None:
    scores = 1e3 * np.eye(64)
    assert info_nce(scores) == pytest.approx(6.0, abs=1e-9)
    assert donsker_varadhan(scores).value > 6.0


@pytest.mark.parametrize("scores", [np.zeros((3, 4)), np.zeros((1, 1)), np.full((3, 3), np.nan)])
def test_scores_that_are_none_are_refused(scores: Array) -> None:
    with pytest.raises(WhiteBoxError):
        donsker_varadhan(scores)


@pytest.mark.parametrize(("d", "bits", "n"), [(2, 2.0, 6000), (8, 3.0, 6000), (20, 4.5, 6000)])
def test_gaussian_information_is_recovered_within_five_percent(d: int, bits: float, n: int) -> None:
    rng = np.random.default_rng(d)
    found = held_out(*gaussian(d, bits, n, rng), rng)
    assert found.dv.value == pytest.approx(bits, rel=0.05)
    assert found.certified


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 8, 20])
@pytest.mark.parametrize("bits", [1.0, 2.0, 3.0, 4.0, 4.9])
def test_gaussian_information_is_recovered_over_the_whole_range(d: int, bits: float) -> None:
    rng = np.random.default_rng([d, int(10 * bits)])
    found = held_out(*gaussian(d, bits, 30_000, rng), rng, fit=Fit(folds=4))
    assert found.dv.value == pytest.approx(bits, rel=0.05)


@pytest.mark.parametrize("d", [2, 8, 20])
def test_independent_sides_share_nothing(d: int) -> None:
    rng = np.random.default_rng(d)
    found = held_out(rng.standard_normal((2000, d)), rng.standard_normal((2000, d)), rng)
    assert abs(found.dv.value) < 0.05
    assert abs(found.info_nce) < 0.05


def test_shuffled_pairs_share_nothing() -> None:
    rng = np.random.default_rng(0)
    x, y = ordered_entities(2, 4000, rng)
    assert abs(held_out(x, rng.permutation(y), rng).dv.value) < 0.05


def test_an_invertible_linear_map_changes_nothing() -> None:
    x, y = gaussian(6, 2.0, 1500, np.random.default_rng(0))
    turn = np.random.default_rng(1).standard_normal((6, 6))
    plain = held_out(x, y, np.random.default_rng(2), fit=Fit(folds=1))
    mapped = held_out(x @ turn + 3.0, y, np.random.default_rng(2), fit=Fit(folds=1))
    assert mapped.dv.value == pytest.approx(plain.dv.value, abs=1e-3)  # the coordinates agree up to rounding


def test_a_monotone_map_of_a_coordinate_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x, y = gaussian(1, 2.0, 4000, rng)
    assert held_out(x**3, np.exp(2 * y), rng, fit=Fit(folds=1)).dv.value == pytest.approx(2.0, rel=0.05)


def test_dependence_without_correlation_is_found() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 1))
    y = np.abs(x) + 0.3 * rng.standard_normal((3000, 1))
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.06
    assert held_out(x, y, rng, fit=Fit(folds=1)).dv.value > 0.7  # about one bit is there


def test_processing_never_adds_information() -> None:
    rng = np.random.default_rng(0)
    x, y = gaussian(8, 4.0, 4000, rng)
    half = held_out(x, y[:, :4], rng)
    assert half.dv.value == pytest.approx(2.0, rel=0.06)
    noisy = held_out(x, y[:, :4] + rng.standard_normal((4000, 4)), rng)
    assert noisy.dv.value < half.dv.value - 3 * half.dv.error


@pytest.mark.parametrize(
    ("shots", "n", "rel"),
    [(1, 2000, 0.02), (2, 4000, 0.02), pytest.param(3, 10_000, 0.03, marks=pytest.mark.slow)],
)
def test_held_out_information_of_ordered_entities_is_their_entropy(shots: int, n: int, rel: float) -> None:
    rng = np.random.default_rng(shots)
    x, y = ordered_entities(shots, n, rng)
    found = held_out(x, y, rng)
    assert found.dv.value == pytest.approx(arrangement_bits(16, shots), rel=rel)


def test_more_than_the_pairs_can_carry_is_not_called_certified() -> None:
    rng = np.random.default_rng(0)
    x, y = ordered_entities(4, 2000, rng)  # 15.4 bits, read on 500 pairs
    found = held_out(x, y, rng, fit=Fit(folds=1))
    assert found.ceiling == pytest.approx(np.log2(500))
    assert not found.certified
    assert found.bits == found.info_nce <= found.ceiling


def test_a_constant_side_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    found = held_out(np.full((400, 3), 0.3), rng.standard_normal((400, 3)), rng)
    assert found.dv.value == 0.0


def test_the_same_draws_give_the_same_estimate() -> None:
    x, y = gaussian(3, 1.0, 800, np.random.default_rng(0))

    def again() -> HeldOut:
        return held_out(x, y, np.random.default_rng(7))

    assert again() == again()


def test_no_more_directions_are_kept_than_the_pairs_can_tell_apart() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((160, 64)) * np.where(np.arange(64) < 3, 10.0, 1.0)
    found = canonical_coordinates(x, x[:, :3] + rng.standard_normal((160, 3)), components=32)
    assert found.correlation.shape == (3,)
    assert np.all(found.correlation > 0.98)  # the three directions of the largest variance are among the kept
    assert np.linalg.matrix_rank(found.maps[0]) == 3


def test_too_few_pairs_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(WhiteBoxError, match="199 pairs are too few"):
        held_out(rng.standard_normal((199, 2)), rng.standard_normal((199, 2)), rng)
    with pytest.raises(WhiteBoxError, match="no pairs"):
        held_out(rng.standard_normal((300, 2)), rng.standard_normal((301, 2)), rng)


def test_the_published_rule_finds_bits_where_there_are_none() -> None:
    """Why it is not the headline: in-sample, at the best epoch, independent pairs look dependent."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((500, 64)), rng.standard_normal((500, 64))
    published = faithful(x, y, rng, widths=(64, 32, 16, 8), epochs=400, rate=2e-3)
    assert published.largest > 2.0
    assert published.largest >= published.tail
    more = rng.standard_normal((800, 64)), rng.standard_normal((800, 64))
    assert abs(held_out(*more, rng).dv.value) < 0.05


def test_the_published_rule_keeps_the_largest_epoch() -> None:
    x, y = gaussian(2, 1.0, 300, np.random.default_rng(0))
    one = faithful(x, y, np.random.default_rng(1), widths=(8,), epochs=1)
    more = faithful(x, y, np.random.default_rng(1), widths=(8,), epochs=60, rate=1e-2)
    assert isinstance(one, Faithful)
    assert more.largest >= one.largest
    assert (one.epochs, more.epochs) == (1, 60)


@pytest.mark.parametrize(("entities", "shots", "bits"), [(25, 4, 15.89), (16, 5, 17.00), (15, 5, 16.51)])
def test_published_sets_have_the_closed_form_of_their_arithmetic(
    entities: int, shots: int, bits: float
) -> None:
    """Country, animal and colour: entropy of the sequence less the mean over entity and comma tokens."""
    assert arrangement_bits(entities, shots) - np.log2(entities) / 2 == pytest.approx(bits, abs=0.005)


@pytest.mark.parametrize(
    ("entities", "bits"),
    [
        (25, (4.64, 9.23, 13.75, 18.21)),
        (16, (4.00, 7.91, 11.71, 15.41, 19.00)),
        (15, (3.91, 7.71, 11.41, 15.00, 18.46)),
    ],
)
def test_prefix_entropies_are_those_of_counting(entities: int, bits: tuple[float, ...]) -> None:
    found = [arrangement_bits(entities, j) for j in range(1, len(bits) + 1)]
    np.testing.assert_allclose(found, bits, atol=0.005)


def test_plug_in_is_exact_for_a_known_partition() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((8, 5))
    x, y = (
        points[np.arange(64) % 8],
        points[np.arange(64) % 4],
    )  # y is what is left of x without one of three bits
    found = plug_in(x, y)
    assert found.bits == pytest.approx(2.0)
    assert found.distinct == (8, 4)
    assert plug_in(points, rng.standard_normal((8, 3))).bits == pytest.approx(3.0)
    assert plug_in(x, np.zeros((64, 2))).bits == 0.0


def test_plug_in_does_not_tell_apart_what_lies_within_its_resolution() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.integers(1, 5, size=(4, 6)).astype(np.float64), 2, axis=0)
    close = x + 1e-7 * rng.standard_normal(x.shape)
    assert plug_in(close, close, resolution=0.02).distinct == (4, 4)
    assert plug_in(close, close, resolution=1e-12).bits == pytest.approx(3.0)


def test_more_entities_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(WhiteBoxError, match="5 different entities cannot be drawn from 4"):
        arrangement_bits(4, 5)
