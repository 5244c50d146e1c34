import numpy as np
import pytest
from scipy import stats

from harness.cognitive import (
    Alternation,
    CognitiveModel,
    DiscountedFilter,
    Markov,
    RepeatMixture,
    WindowAverage,
    bernoulli,
    fit,
    generated,
    predicted,
    simulate,
)
from harness.cognitive.search import maximise
from harness.errors import SpecError
from harness.types import Ints
from tests.cognitive.models import CASES, CONCEPTS, FIVE, RARE, beginnings, flips, law_of

CONCEPT_ROW = np.array([[0, 1, 1] * 6])


def simulated(name: str, seed: int) -> tuple[Ints, int]:
    """Sequences, and how many symbols of each were given."""
    model, values = CASES[name]
    n_sequences, length = (
        (400, 20) if name == "tempered" else (80, 40)
    )  # with fewer tau can pass for infinite
    begin = beginnings(name, seed, n_sequences)
    rng = np.random.default_rng(seed)
    return simulate(model, np.array(values), begin=begin, length=length, rng=rng), begin.shape[1]


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_recovered_from_sequences(name: str) -> None:
    # Five standard errors have odds 1e-6 each; twice the gain over the truth is chi2 with k degrees of freedom.
    # Estimates by add-half counts are not quite the maximum: 0.1.
    symbols, given = simulated(name, seed=11)
    model, truth = CASES[name]
    behaviour = generated(symbols, 2, given=given)
    found = fit(model, behaviour)
    assert found.converged
    gain = found.log_likelihood - behaviour.log_likelihood(law_of(name, symbols)).sum()
    assert -0.1 <= gain <= stats.chi2.isf(RARE, len(truth)) / 2
    for parameter, value in zip(model.parameters, truth, strict=True):
        error = found.standard_errors[parameter.name]
        if np.isfinite(error):
            assert abs(found.parameters[parameter.name] - value) < FIVE * error, parameter.name


@pytest.mark.parametrize("name", ["window 5", "window 10"])
def test_the_width_of_the_window_is_found_and_its_profile_says_how_surely(name: str) -> None:
    # twice the log-likelihood ratio of the true width is about chi2 with one degree of freedom
    symbols, given = simulated(name, seed=12)
    model, values = CASES[name]
    found = fit(model, generated(symbols, 2, given=given))
    assert np.isnan(found.standard_errors["w"])
    assert list(found.profile) == list(range(1, 21))
    best = max(found.profile, key=lambda w: found.profile[w])
    assert found.parameters["w"] == best
    assert found.profile[best] == pytest.approx(found.log_likelihood, rel=1e-12)
    behind = {w: found.log_likelihood - total for w, total in found.profile.items()}
    assert (
        behind[values[0]] <= stats.chi2.isf(RARE, 1) / 2 < min(behind[values[0] // 2], behind[values[0] * 2])
    )


@pytest.mark.parametrize("name", ["window 5", "alternation", "filter .9", "average", "tempered"])
def test_parameters_are_recovered_from_predicted_laws(name: str) -> None:
    # the laws carry no noise: what is left is the tolerance of the search, 1e-13 in the mean log-loss, whose
    # square root over the flattest curvature met here is below 1e-3
    symbols = np.concatenate([flips(13, (20, 18)), np.tile(CONCEPT_ROW, (5, 1))])
    model, values = CASES[name]
    found = fit(model, predicted(symbols, law_of(name, symbols), given=0))
    assert list(found.parameters.values()) == pytest.approx(values, rel=5e-3, abs=1e-3)


def test_map_selection_finds_where_the_concept_takes_over() -> None:
    # the prior is known up to a step of the staircase, the length at which the law changes exactly
    symbols = np.tile(CONCEPT_ROW, (3, 1))
    model = RepeatMixture(CONCEPTS, "map")
    law = model.bind(symbols)(np.array([0.5, 0.95, 0.1]))
    found = fit(model, predicted(symbols, law, given=0))
    fitted = model.bind(symbols)(np.array(list(found.parameters.values())))
    np.testing.assert_allclose(fitted, law, atol=1e-3)


def test_the_alternation_chain_has_its_closed_form() -> None:
    # an order-1 chain saturates it: odds(0 -> 1) odds(1 -> 0) = odds(a)^2, their ratio odds(p0)^2
    symbols, _ = simulated("alternation", seed=14)
    pairs = [int(np.sum((symbols[:, :-1] == i) & (symbols[:, 1:] == j))) for i in (0, 1) for j in (0, 1)]
    odds_01, odds_10 = pairs[1] / pairs[0], pairs[2] / pairs[3]
    expected = [1 / (1 + odds**-0.5) for odds in (odds_10 / odds_01, odds_01 * odds_10)]
    found = fit(Alternation(), generated(symbols, 2, given=1))
    assert list(found.parameters.values()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("model", [bernoulli(), Markov(2)])
def test_counting_agrees_with_the_search(model: Markov) -> None:
    # (count + 1/2) / (total + 1) is within 1 / (2 total) of the maximum
    behaviour = generated(flips(15, (60, 40)), 2, given=2)
    counted = model.estimate(behaviour).values
    searched = maximise(model.bind(behaviour.symbols), behaviour, model.parameters).values
    np.testing.assert_allclose(counted, searched, atol=1 / 600)


@pytest.mark.parametrize("model", [bernoulli(), Markov(2)])
def test_closed_standard_errors_agree_with_numerical_ones(model: Markov) -> None:
    behaviour = generated(coins_of_unequal_bias(np.random.default_rng(16)), 2, given=2)
    values = model.estimate(behaviour).values
    numerical = CognitiveModel.standard_errors(model, behaviour, values)
    np.testing.assert_allclose(model.standard_errors(behaviour, values), numerical, rtol=5e-3)


def coins_of_unequal_bias(rng: np.random.Generator) -> Ints:
    """Flips of 40 coins of bias Beta(2, 2)."""
    return (rng.random((40, 50)) > rng.beta(2, 2, size=(40, 1))).astype(np.int64)


def test_standard_errors_hold_where_sequences_differ() -> None:
    # taken for independent flips the error would be too small threefold. 200 estimates give their own s.d. to
    # 5 %, five times which are allowed.
    rng, estimates, errors = np.random.default_rng(17), [], []
    for _ in range(200):
        behaviour = generated(coins_of_unequal_bias(rng), 2, given=0)
        values = bernoulli().estimate(behaviour).values
        estimates.append(values[0])
        errors.append(bernoulli().standard_errors(behaviour, values)[0])
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.25)


def test_bic_counts_parameters_and_scored_symbols() -> None:
    behaviour = generated(flips(18, (10, 20)), 2, given=2)
    found = fit(WindowAverage((5, 10)), behaviour)
    assert found.bic == pytest.approx(3 * np.log(180) - 2 * found.log_likelihood)
    assert found.log_loss == pytest.approx(-found.log_likelihood / 180)


def test_a_parameter_stopped_by_its_bound_is_named_and_has_no_error() -> None:
    symbols = np.array([[0, 1] * 15] * 10)  # perfect alternation
    found = fit(Alternation(), generated(symbols, 2, given=1))
    assert found.at_bound == ("a",)
    assert np.isnan(found.standard_errors["a"])


def test_one_sequence_gives_no_standard_errors() -> None:
    behaviour = generated(flips(19, (1, 50)), 2, given=1)
    for model in (Markov(1), DiscountedFilter()):
        assert np.isnan(list(fit(model, behaviour).standard_errors.values())).all()


def test_fitting_twice_gives_the_same() -> None:
    behaviour = generated(flips(20, (10, 20)), 2, given=1)
    assert fit(DiscountedFilter(), behaviour).parameters == fit(DiscountedFilter(), behaviour).parameters


def test_early_ends_are_not_scored() -> None:
    symbols = flips(21, (20, 30))
    cut = symbols.copy()
    cut[:10, 20:] = -1
    short = [generated(symbols[:10, :20], 2, given=1), generated(symbols[10:], 2, given=1)]
    values = np.array([0.8, 2.0, 1.0, 0.1])
    model = DiscountedFilter()
    expected = sum(b.log_likelihood(model.bind(b.symbols)(values)).sum() for b in short)
    whole = generated(cut, 2, given=1)
    assert whole.log_likelihood(model.bind(whole.symbols)(values)).sum() == pytest.approx(expected)


def test_a_model_of_other_symbols_is_refused() -> None:
    with pytest.raises(SpecError, match="of 2 symbols and the behaviour of 3"):
        fit(Alternation(), generated(flips(22, (2, 5)), 3, given=0))
