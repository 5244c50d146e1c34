import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM  # type: ignore[import-untyped]

from harness.errors import SpecError
from harness.prompts.automata import (
    DFA,
    PFA,
    Process,
    even_process,
    golden_mean,
    mess3,
    minimal_binary_dfas,
    parry,
    rrxor,
    tomita,
)
from harness.prompts.observers import kt
from harness.prompts.observers.automata import Prior, dfa_posterior, hmm_filter, language, stream_posterior
from harness.types import Floats, Ints

Word = tuple[int, ...]


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def ints(word: Word | str) -> Ints:
    return np.array([int(s) for s in word], np.int64)


@cache
def languages(max_states: int, n: int) -> list[tuple[int, frozenset[Word]]]:
    """Size of the minimal automaton and all words of length n of every language that has one."""
    words = list(product(range(2), repeat=n))
    every = [
        (dfa.n_states, frozenset(w for w in words if dfa.contains(w)))
        for dfa in minimal_binary_dfas(max_states)
    ]
    return [(size, accepted) for size, accepted in every if accepted]


def posterior_by_listing(prefix: Word, max_states: int, n: int, prior: Prior) -> list[Fraction]:
    """The law after a prefix: every word of every language weighed one by one."""
    every = languages(max_states, n)
    sizes = [size for size, _ in every]
    weight = [Fraction(0)] * 2
    for size, accepted in every:
        share = Fraction(1, len(every))
        if prior == "states":
            share = Fraction(1, len(set(sizes)) * sizes.count(size))
        for word in accepted:
            if word[: len(prefix)] == prefix:
                weight[word[len(prefix)]] += share / len(accepted)
    return [w / sum(weight) for w in weight]


@pytest.mark.parametrize("prior", ["states", "languages"])
@pytest.mark.parametrize(("max_states", "n"), [(1, 4), (2, 5), (3, 4)])
def test_dfa_posterior_weighs_every_language(max_states: int, n: int, prior: Prior) -> None:
    exact = cache(lambda prefix: [float(p) for p in posterior_by_listing(prefix, max_states, n, prior)])
    for word in product(range(2), repeat=n):
        law = dfa_posterior(ints(word), max_states=max_states, prior=prior)
        np.testing.assert_allclose(law[:n], [exact(word[:t]) for t in range(n)], rtol=1e-12)
        assert law[n].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("n", [200, 1500])
def test_long_words_keep_the_exact_posterior(n: int) -> None:
    # big integers for every language of two states: 2**-1500 is below the smallest float
    word = [1] * (n - 1) + [0]
    law = dfa_posterior(ints(tuple(word)), max_states=2, prior="languages")
    every = [dfa for dfa in minimal_binary_dfas(2) if dfa.count(n)]
    for t in (0, 1, n // 2, n - 2, n - 1):
        weight = [Fraction(0)] * 2
        for dfa in every:
            of_prefix = dfa.exact_conditional(word[:t], n)
            if of_prefix is None:
                continue
            left = n - t
            state = int(dfa.states(word[:t])[-1])
            count = type(dfa)(dfa.table, dfa.accepting, state).count(left)
            for a in range(2):
                weight[a] += of_prefix[a] * Fraction(count, dfa.count(n))
        np.testing.assert_allclose(law[t], [float(w / sum(weight)) for w in weight], rtol=1e-9)


@pytest.mark.parametrize("i", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("prior", ["states", "languages"])
def test_dfa_posterior_never_loses_more_than_the_prior_of_the_truth(i: int, prior: Prior) -> None:
    # P(word) is at least prior(h) P(word | h): regret is at most -log2 prior(h), whatever the word
    dfa, n = tomita(i), 60
    word = dfa.sample(n, philox(10 + i))
    at = np.arange(n)
    regret = np.log2(
        dfa.laws(word)[at, word] / dfa_posterior(word, max_states=4, prior=prior)[at, word]
    ).sum()
    alike = 56_014 if dfa.n_states == 4 else (2, 24, 1028)[dfa.n_states - 1]
    assert regret <= math.log2(57_068 if prior == "languages" else 4 * alike)


def test_dfa_posterior_finds_a_language() -> None:
    # against all words it gains 1 - 0.8791 bit a symbol and its prior is 1 : 56,014, which takes about 130 symbols
    dfa, n = tomita(4), 400
    word = dfa.sample(n, philox(14))
    truth = dfa.laws(word)[:n]
    posterior = np.abs(dfa_posterior(word, max_states=4, prior="states")[:n] - truth).max(axis=1)
    assert posterior[:20].max() > 0.1
    assert posterior[300:380].max() < 0.01  # where words may end is seen in no prefix: the end stays unsure
    assert np.abs(kt(word, 2)[:n] - truth)[300:380].max() > 0.3  # after 00 comes 1


@pytest.mark.parametrize("prior", ["states", "languages"])
def test_dfa_posterior_is_calibrated_under_its_own_prior(prior: Prior) -> None:
    # sum of hit - p is a martingale with variance sum of p (1 - p); |z| > 4.9 has odds 1e-6
    rng, surprise, variance, n = philox(20), 0.0, 0.0, 12
    possible = [dfa for dfa in minimal_binary_dfas(3) if dfa.has_words(n)]
    by_size = [[dfa for dfa in possible if dfa.n_states == size] for size in (1, 2, 3)]
    for _ in range(400):
        group = by_size[int(rng.integers(3))] if prior == "states" else possible
        word = group[int(rng.integers(len(group)))].sample(n, rng)
        law = dfa_posterior(word, max_states=3, prior=prior)[:n]
        p = law.max(axis=1)
        surprise += float(((word == law.argmax(axis=1)) - p).sum())
        variance += float((p * (1 - p)).sum())
    assert abs(surprise) / variance**0.5 < 4.9


@cache
def streams(max_states: int) -> list[tuple[DFA, Floats]]:
    """Prefix-closed languages of endless words, by looking at words, with p(a | q) by numpy's eigenvectors."""
    found = []
    for dfa in minimal_binary_dfas(max_states):
        words = [word for n in range(7) for word in product(range(2), repeat=n) if dfa.contains(word)]
        closed = all(dfa.contains(word[:-1]) for word in words if word)
        if not closed or not dfa.count(max_states + 3):
            continue
        live = np.flatnonzero(dfa.live)
        m = np.array([[(dfa.table[q] == r).sum() for r in live] for q in live], np.float64)
        values, vectors = np.linalg.eig(m)
        top = np.flatnonzero(np.abs(values - values.real.max()) < 1e-5)
        if top.size == 1:  # of several, no law is the only one
            v = np.zeros(dfa.n_states)
            v[live] = np.abs(vectors[:, top[0]].real)
            v[v < 1e-9] = 0
            after = v[dfa.table]
            found.append((dfa, after / np.maximum(after.sum(axis=1, keepdims=True), 1e-300)))
    return found


@pytest.mark.parametrize("prior", ["states", "languages"])
@pytest.mark.parametrize("max_states", [1, 2, 3])
def test_stream_posterior_weighs_every_language(max_states: int, prior: Prior) -> None:
    every = streams(max_states)
    sizes = [dfa.n_states for dfa, _ in every]
    assert [sizes.count(n) for n in range(1, max_states + 1)] == [1, 2, 22][:max_states]
    for word in product(range(2), repeat=7):
        law = stream_posterior(ints(word), max_states=max_states, prior=prior)
        for t in range(8):
            weight = np.zeros(2)
            for dfa, rows in every:
                share = (
                    1 / len(every)
                    if prior == "languages"
                    else 1 / len(set(sizes)) / sizes.count(dfa.n_states)
                )
                states = dfa.states(word[:t])
                weight += share * math.prod(rows[states[:-1], list(word[:t])].tolist()) * rows[states[-1]]
            np.testing.assert_allclose(law[t], weight / weight.sum(), rtol=1e-9, atol=1e-12)


def test_stream_posterior_finds_a_stream() -> None:
    # no 111: two states more than all words; regret is at most -log2 of the prior of the truth
    dfa = DFA.from_table([[0, 1], [0, 2], [0, None]], [0, 1, 2])
    _, rows = parry(dfa)
    word = PFA(dfa, np.nan_to_num(rows)).sample(2000, philox(30))
    truth = rows[dfa.states(word)]
    law = stream_posterior(word, max_states=4, prior="states")
    at = np.arange(2000)
    assert np.log2(truth[at, word] / law[at, word]).sum() <= math.log2(4 * 408)
    np.testing.assert_allclose(law[1000:], truth[1000:], atol=1e-6)
    short = stream_posterior(word[:100], max_states=4, prior="states")
    np.testing.assert_array_equal(law[:101], short)


@pytest.mark.parametrize("observer", [dfa_posterior, stream_posterior])
def test_posteriors_refuse_what_they_cannot_weigh(observer: Callable[..., Floats]) -> None:
    with pytest.raises(SpecError, match=r"max_states=5 must be in 1\.\.4"):
        observer(ints("01"), max_states=5, prior="states")
    with pytest.raises(SpecError, match="prior='flat'"):
        observer(ints("01"), max_states=2, prior="flat")
    with pytest.raises(SpecError, match=r"symbols 0\.\.2 must be 0 and 1"):
        observer(ints("012"), max_states=2, prior="states")


def test_no_symbols_leave_one_row() -> None:
    empty = ints("")
    assert stream_posterior(empty, max_states=3, prior="states").shape == (1, 2)
    assert dfa_posterior(empty, max_states=3, prior="states").tolist() == [[0.5, 0.5]]
    assert language(empty, tomita(4)).tolist() == [[0.5, 0.5]]
    np.testing.assert_allclose(hmm_filter(empty, golden_mean()), [[1 / 3, 2 / 3]])


def test_a_known_language_is_uniform_where_it_has_nothing_to_say() -> None:
    possible = language(ints("110110"), tomita(4))
    np.testing.assert_array_equal(possible[:6], tomita(4).laws(ints("110110"))[:6])
    assert possible[6].tolist() == [0.5, 0.5]
    impossible = language(ints("110001"), tomita(4))  # after 11000 no word goes on
    assert impossible[4].tolist() == [0.0, 1.0]
    assert (impossible[5:] == 0.5).all()
    assert (language(ints("101"), tomita(2)) == 0.5).all()  # no word of odd length


@pytest.mark.parametrize("process", [golden_mean(), even_process(), mess3(0.15, 0.6), rrxor()])
def test_hmm_filter_multiplies_to_the_likelihood_of_hmmlearn(process: Process) -> None:
    # an edge that emits becomes a state: the symbol with the state arrived at
    m, k = process.n_symbols, process.n_states
    model = CategoricalHMM(n_components=m * k, n_features=m)
    model.startprob_ = np.einsum("i,aij->aj", process.stationary, process.T).reshape(-1)
    model.transmat_ = np.tile(process.T.transpose(1, 0, 2).reshape(k, m * k), (m, 1))
    model.emissionprob_ = np.repeat(np.eye(m), k, axis=0)
    for key in range(3):
        symbols, _ = process.sample(80, philox(key))
        law = hmm_filter(symbols, process)[np.arange(80), symbols]
        assert np.log(law).sum() == pytest.approx(model.score(symbols[:, None]), rel=1e-10)


@pytest.mark.parametrize("process", [golden_mean(), even_process(), mess3(0.05, 0.85), rrxor()])
def test_hmm_filter_sums_over_all_paths(process: Process) -> None:
    symbols, _ = process.sample(4, philox(5))

    def likelihood(word: Word) -> float:
        paths = product(range(process.n_states), repeat=len(word) + 1)
        return sum(
            float(process.stationary[p[0]])
            * math.prod(float(process.T[a, i, j]) for a, i, j in zip(word, p, p[1:], strict=False))
            for p in paths
        )

    law = hmm_filter(symbols, process)
    for t in range(5):
        before = tuple(symbols[:t].tolist())
        expected = [likelihood((*before, a)) / likelihood(before) for a in range(process.n_symbols)]
        np.testing.assert_allclose(law[t], expected, rtol=1e-10, atol=1e-15)


def test_hmm_filter_starts_again_after_what_is_impossible() -> None:
    process = even_process()
    law = hmm_filter(ints("0100110"), process)  # 0 1 0: the run of 1s is odd
    np.testing.assert_allclose(law[2], [0, 1])
    np.testing.assert_allclose(law[3:], hmm_filter(ints("00110"), process)[1:])
    np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-14)
    never = Process(np.array([[[1.0]], [[0.0]]]))
    assert hmm_filter(ints("011"), never).tolist() == [[1, 0]] * 4
