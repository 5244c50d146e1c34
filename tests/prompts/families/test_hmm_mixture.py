import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM  # type: ignore[import-untyped]
from scipy import stats
from scipy.special import logsumexp

from harness.prompts.hmm_library import HMMLibrary, hmm_library
from harness.registry import load_family
from harness.types import Ints, Params
from tests.prompts.families.test_markov import RARE, philox

FAMILY = load_family("hmm_mixture")
SMALL: Params = {
    "n_models": 3,
    "n_entities": 2,
    "n_properties": 3,
    "symbols": ("a", "b", "c"),
    "example_length": 4,
}


def small_library(stay: float = 0.9, alpha: float = 1.0) -> HMMLibrary:
    return hmm_library(0, n_models=3, n_entities=2, n_properties=3, n_letters=3, stay=stay, alpha=alpha)


def model(library: HMMLibrary, index: int) -> CategoricalHMM:
    """One model of the library, states (entity, property), as hmmlearn knows it."""
    hmm = CategoricalHMM(n_components=library.emits.size)
    hmm.startprob_ = np.full(library.emits.size, 1 / library.emits.size)
    hmm.transmat_ = np.kron(library.entities, library.properties[index])
    hmm.emissionprob_ = np.eye(library.n_letters)[library.emits.ravel()]
    hmm.n_features = library.n_letters
    return hmm


def scores(library: HMMLibrary, symbols: Ints, example_length: int) -> list[list[float]]:
    """The log-likelihood of each example under each model, by hmmlearn: (n_models, n_examples)."""
    examples = symbols[: symbols.size // (example_length + 1) * (example_length + 1)]
    letters = examples.reshape(-1, example_length + 1)[:, :-1]
    return [[model(library, h).score(e[:, None]) for e in letters] for h in range(library.n_models)]


def test_observers_and_law_give_examples_the_likelihood_of_hmmlearn() -> None:
    for key in range(3):
        sequence = FAMILY.sample(50, philox(key), **SMALL)
        said = {**sequence.observers, "law": sequence.law}
        log_p = {name: np.log(rows[np.arange(50), sequence.symbols]) for name, rows in said.items()}
        likelihood = np.array(scores(small_library(), sequence.symbols, 4))
        true = int(sequence.concept.split()[1]) - 1
        assert log_p["law"].sum() == pytest.approx(likelihood[true].sum(), rel=1e-9)
        assert log_p["posterior"].sum() == pytest.approx(
            logsumexp(likelihood.sum(axis=1)) - np.log(3), rel=1e-9
        )
        each = logsumexp(likelihood, axis=0) - np.log(3)
        np.testing.assert_allclose(log_p["one_example"].reshape(-1, 5).sum(axis=1), each, rtol=1e-9)


def test_letters_come_as_often_as_hmmlearn_says() -> None:
    library, rng = small_library(), philox(100)
    for h in range(3):
        seen = np.zeros((3, 3))
        for _ in range(3000):
            seen[tuple(library.sample(h, 2, 4, rng))] += 1
        p = np.array([[np.exp(model(library, h).score([[a], [b]])) for b in range(3)] for a in range(3)])
        assert stats.chisquare(seen.ravel(), 3000 * p.ravel()).pvalue > RARE


def test_every_model_is_as_probable() -> None:
    concepts = [FAMILY.sample(0, philox(2000 + key)).concept for key in range(400)]
    seen = [concepts.count(f"model {h} of 5") for h in range(1, 6)]
    assert sum(seen) == 400
    assert stats.chisquare(seen).pvalue > RARE


def test_the_delimiter_stands_after_each_example_and_is_certain() -> None:
    sequence = FAMILY.sample(100, philox(1), example_length=3)
    places = np.arange(101) % 4 == 3
    bar = len(sequence.alphabet) - 1
    assert sequence.alphabet[bar] == "|"
    np.testing.assert_array_equal(sequence.symbols == bar, places[:100])
    for name in ("posterior", "one_example"):
        np.testing.assert_array_equal(sequence.observers[name][:, bar], places)
    np.testing.assert_array_equal(sequence.law[:, bar], places)


def test_the_library_is_the_same_in_every_sequence_and_another_for_another_seed() -> None:
    def drawn(seed: int) -> HMMLibrary:
        hmm_library.cache_clear()
        return hmm_library(seed, n_models=4, n_entities=3, n_properties=4, n_letters=5, stay=0.8, alpha=0.5)

    first, again, other = drawn(3), drawn(3), drawn(4)
    np.testing.assert_array_equal(first.properties, again.properties)
    assert not np.array_equal(first.properties, other.properties)
    assert set(first.emits.ravel().tolist()) == set(range(5))
    np.testing.assert_allclose(first.properties.sum(axis=2), 1)
    np.testing.assert_allclose(first.entities, np.where(np.eye(3) == 1, 0.8 + 0.2 / 3, 0.2 / 3))


def test_with_one_model_there_is_nothing_to_learn() -> None:
    sequence = FAMILY.sample(60, philox(2), n_models=1)
    for name in ("posterior", "one_example"):
        np.testing.assert_allclose(sequence.observers[name], sequence.law, atol=1e-12)


def test_symbols_in_a_wrong_place_say_nothing() -> None:
    symbols = FAMILY.sample(14, philox(3), **SMALL).symbols
    alphabet = ("a", "b", "c", "|")
    said = FAMILY.observe(symbols, alphabet, **SMALL)["posterior"]
    no_delimiter = symbols.copy()
    no_delimiter[4] = 0
    np.testing.assert_array_equal(FAMILY.observe(no_delimiter, alphabet, **SMALL)["posterior"], said)
    last_is_delimiter = symbols.copy()
    last_is_delimiter[8] = 3  # the last letter of its example, whose successor is the delimiter
    rows = FAMILY.observe(last_is_delimiter, alphabet, **SMALL)["posterior"]
    np.testing.assert_array_equal(rows[:10], said[:10])


def test_what_is_learned_across_examples_shows_against_one_example() -> None:
    # models that differ much: after ten examples the posterior is sure of one, one example is not
    gain = 0.0
    for key in range(40):
        sequence = FAMILY.sample(120, philox(300 + key), alpha=0.3)
        late = np.arange(90, 120)
        p = {n: sequence.observers[n][late, sequence.symbols[late]] for n in ("posterior", "one_example")}
        gain += float(np.log2(p["posterior"] / p["one_example"]).mean()) / 40
        np.testing.assert_allclose(sequence.observers["posterior"][late], sequence.law[late], atol=0.2)
    assert gain > 0.1
