import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.automata import DFA, minimal_binary_dfas, tomita
from harness.prompts.observers import kt
from harness.prompts.observers.word_automata import Languages, small_languages
from harness.prompts.regular_words import regular
from harness.prompts.words import Words
from harness.types import Floats, Ints

MEAN = 2.0
SEPARATOR = 2


def ints(text: str) -> Ints:
    return np.array(["01|".index(s) for s in text], np.int64)


def predict(symbols: Ints, languages: Languages, mean_size: float = MEAN) -> Floats:
    return languages.predict(symbols, mean_size)


def p_begins(dfa: DFA, letters: tuple[int, ...], *, ended: bool) -> float:
    """The probability that a word begins with these letters, or is them, by counting all of at most 40 letters."""
    total, size = 0.0, 0
    for n in range(1, 41):
        if not dfa.has_words(n):
            continue
        size += 1
        p_size = (1 - 1 / MEAN) ** (size - 1) / MEAN
        if ended:
            total += p_size / dfa.count(n) * (n == len(letters) and dfa.contains(letters))
        elif n >= len(letters):
            rest = DFA(dfa.table, dfa.accepting, int(dfa.states(letters)[-1]))
            total += p_size * rest.count(n - len(letters)) / dfa.count(n)
    return total


def law_by_counting(dfas: list[DFA], prior: list[float], prefix: Ints) -> Floats:
    *ended, begun = [tuple(w.tolist()) for w in np.split(prefix, np.flatnonzero(prefix == SEPARATOR))]
    words = [tuple(s for s in w if s != SEPARATOR) for w in ended]
    letters = tuple(s for s in begun if s != SEPARATOR)
    weight = np.zeros(3)
    for dfa, share in zip(dfas, prior, strict=True):
        so_far = share * float(np.prod([p_begins(dfa, word, ended=True) for word in words]))
        weight[:2] += [so_far * p_begins(dfa, (*letters, a), ended=False) for a in range(2)]
        weight[2] += so_far * p_begins(dfa, letters, ended=True)
    return np.asarray(weight / weight.sum())


@pytest.mark.parametrize("text", ["10|1010|0", "11|1|11", "0011|01|1", "000|0"])
def test_words_are_weighed_one_by_one(text: str) -> None:
    # words of more than 40 letters, which the count leaves out, have probability 2**-39 at most, these above 2**-12
    dfas = [tomita(4), tomita(7), tomita(6), tomita(3, "later")]
    prior = [0.1, 0.2, 0.3, 0.4]
    symbols = ints(text)
    rows = predict(symbols, Languages(dfas, np.array(prior)))
    for t in range(symbols.size + 1):
        np.testing.assert_allclose(rows[t], law_by_counting(dfas, prior, symbols[:t]), rtol=1e-7)


@pytest.mark.parametrize("language", [1, 2, 4, 5, 6, 7])
def test_one_language_has_the_law_of_its_words(language: int) -> None:
    dfa = tomita(language)
    words = Words(regular(dfa), "words", "geometric", 5.0)
    symbols, _ = words.draw(200, np.random.Generator(np.random.Philox(key=language)))
    np.testing.assert_allclose(predict(symbols, Languages([dfa]), 5.0), words.predict(symbols), rtol=1e-9)


def test_a_word_that_no_language_has_is_evidence_for_none() -> None:
    both = Languages([tomita(1), tomita(2)])
    broken = ints("11|1001|1")
    rows = predict(broken, both)
    np.testing.assert_array_equal(
        rows[5], kt(broken, 3)[5]
    )  # after 11|10: the word 10 of (10)*, which 11 excludes
    whole = predict(ints("11|1"), both)
    np.testing.assert_allclose(rows[8:], whole[3:], rtol=1e-12)


def test_small_languages_are_those_that_are_infinite() -> None:
    # of 2 + 24 + 1028 languages those with a word of n..2n - 1 letters, n states (the pumping lemma)
    expected = [
        dfa
        for dfa in minimal_binary_dfas(3)
        if any(dfa.count(n) for n in range(dfa.n_states, 2 * dfa.n_states))
    ]
    languages = small_languages()
    assert len(languages.table) == len(expected)
    shares = np.exp(languages.log_prior)
    n_states = np.array([dfa.n_states for dfa in expected])
    totals = [shares[n_states == n].sum() for n in (1, 2, 3)]
    np.testing.assert_allclose(totals, totals[0])


def test_the_small_language_is_found() -> None:
    dfa = tomita(6)
    words = Words(regular(dfa), "words", "geometric", 8.0)
    symbols, _ = words.draw(400, np.random.Generator(np.random.Philox(key=3)))
    known, found = (predict(symbols, languages, 8.0) for languages in (Languages([dfa]), small_languages()))
    np.testing.assert_allclose(found[-50:], known[-50:], atol=0.01)


def test_all_lengths_of_even_languages_are_kept() -> None:
    # a word of N pairs has 2 N letters: the tail of the table must reach twice as far
    symbols = np.tile([1, 0], 100)
    rows = predict(symbols, Languages([tomita(2)]), 8.0)
    np.testing.assert_allclose(rows[2:200:2], np.tile([0, 7 / 8, 1 / 8], (99, 1)), rtol=1e-9)


def test_alphabets_that_differ_are_refused() -> None:
    one = DFA(np.zeros((1, 1), np.int64), np.ones(1, np.bool_))
    for dfas in ([tomita(1), one], []):
        with pytest.raises(SpecError, match="one or more over one alphabet"):
            Languages(dfas)
