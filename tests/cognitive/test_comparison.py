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
    compare,
    generated,
    predicted,
    simulate,
)
from harness.cognitive.comparison import ratio_error
from harness.cognitive.fitting import log_likelihoods
from harness.errors import SpecError
from tests.cognitive.models import CASES, CONCEPTS, beginnings, flips, law_of

MODELS: list[CognitiveModel] = [
    bernoulli(),
    Markov(3),
    WindowAverage((3, 5, 10)),
    Alternation(),
    DiscountedFilter(),
    RepeatMixture(CONCEPTS, "average"),
]


@pytest.mark.parametrize("name", ["markov 3", "window 5", "filter .9", "average"])
def test_the_model_that_generated_wins(name: str) -> None:
    model, values = CASES[name]
    begin = np.concatenate([beginnings(name, 1, 60)] * 3, axis=1)[:, :4]
    rng = np.random.default_rng(30)
    symbols = simulate(model, np.array(values), begin=begin, length=40, rng=rng)
    result = compare(MODELS, generated(symbols, 2, given=3), folds=2, rng=rng)
    assert result.scores[0].fit.model == model.name == result.best_by_bic
    assert (result.scores[0].behind, result.scores[0].behind_error) == (0, 0)
    for score in result.scores[1:]:
        assert score.behind > 2 * score.behind_error > 0, score.fit.model


def test_bernoulli_symbols_are_best_explained_by_bernoulli() -> None:
    rng = np.random.default_rng(31)
    symbols = (rng.random((60, 40)) > 0.7).astype(np.int64)
    result = compare(MODELS, generated(symbols, 2, given=3), folds=2, rng=rng)
    assert result.best_by_bic == "bernoulli"
    [bernoulli_score] = [score for score in result.scores if score.fit.model == "bernoulli"]
    assert bernoulli_score.behind < 0.001  # the others contain it: what they overfit is a parameter's 1/2 nat


def test_each_sequence_is_scored_by_a_fit_to_the_others() -> None:
    symbols = np.array([[0] * 9, [1] * 9])  # each is a surprise to the model of the other
    result = compare([bernoulli()], generated(symbols, 2, given=0), folds=2, rng=np.random.default_rng(32))
    assert result.scores[0].held_out == pytest.approx(-np.log(0.5 / 10), rel=1e-12)


def test_held_out_loss_is_that_of_the_folds() -> None:
    behaviour, folds = generated(flips(33, (10, 20)), 2, given=2), 5
    models: list[CognitiveModel] = [Markov(2), bernoulli()]
    result = compare(models, behaviour, folds=folds, rng=np.random.default_rng(34))
    parts = np.array_split(np.random.default_rng(34).permutation(10), folds)
    by_model = {}
    for model in models:
        loss = np.zeros(10)
        for part in parts:
            rest = np.array([i for i in range(10) if i not in part])
            values = model.estimate(behaviour.part(rest)).values
            loss[part] = -log_likelihoods(model, values, behaviour.part(part))
        by_model[model.name] = loss / 18
    best = result.scores[0]
    for score in result.scores:
        loss = by_model[score.fit.model]
        assert score.held_out == pytest.approx(loss.mean(), rel=1e-12)
        assert score.held_out_error == pytest.approx(stats.sem(loss), rel=1e-10)
        assert score.behind == pytest.approx(score.held_out - best.held_out, abs=1e-12)
        paired = stats.sem(loss - by_model[best.fit.model])
        assert score.behind_error == pytest.approx(paired, rel=1e-10)


def test_of_predicted_laws_the_true_model_loses_their_entropy() -> None:
    # without noise only the tolerance of the search is left
    symbols = flips(35, (20, 20))
    behaviour = predicted(symbols, law_of("filter .9", symbols), given=0)
    result = compare([bernoulli(), DiscountedFilter()], behaviour, folds=4, rng=np.random.default_rng(36))
    assert result.scores[0].fit.model == "discounted filter"
    assert result.scores[0].held_out == pytest.approx(result.entropy, abs=1e-6)
    assert result.scores[1].held_out > result.entropy + 0.01


def test_the_error_of_a_ratio_weighs_sequences_by_their_length() -> None:
    # against 4000 resamples of sequences, which give their s.d. to 1 %
    rng = np.random.default_rng(37)
    weight = rng.integers(5, 60, size=200).astype(np.float64)
    total = weight * rng.normal(0.7, 0.2, size=200)
    times = rng.multinomial(200, np.full(200, 1 / 200), size=4000)
    resampled = (times @ total) / (times @ weight)
    assert ratio_error(total, weight) == pytest.approx(resampled.std(), rel=0.06)


@pytest.mark.parametrize(
    ("models", "folds", "message"),
    [
        ([bernoulli()], 1, "folds=1"),
        ([bernoulli()], 11, r"2\.\.10"),
        ([], 2, "one or more"),
        ([Markov(0), bernoulli()], 2, "no name twice"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_named(
    models: list[CognitiveModel], folds: int, message: str
) -> None:
    behaviour = generated(flips(38, (10, 20)), 2, given=2)
    with pytest.raises(SpecError, match=message):
        compare(models, behaviour, folds=folds, rng=np.random.default_rng(39))
