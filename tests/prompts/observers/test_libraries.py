from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import prod

import numpy as np
import pytest
from scipy import linalg

from harness.errors import SpecError
from harness.prompts.observers import dirichlet, markov
from harness.prompts.observers.libraries import (
    bigram_retrieval,
    library_or_new,
    stationary_laws,
    unigram_retrieval,
)
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints, multinomial_evidence

Matrix = tuple[tuple[Fraction, ...], ...]
THIRD, FIFTH = Fraction(1, 3), Fraction(1, 5)
EXACT: list[Matrix] = [  # rows of 2 symbols; stationary laws (1/3, 2/3), (1/2, 1/2), (3/7, 4/7)
    ((THIRD, 2 * THIRD), (THIRD, 2 * THIRD)),
    ((FIFTH, 4 * FIFTH), (4 * FIFTH, FIFTH)),
    ((FIFTH, 4 * FIFTH), (3 * FIFTH, 2 * FIFTH)),
]
STATIONARY = [(THIRD, 2 * THIRD), (Fraction(1, 2), Fraction(1, 2)), (Fraction(3, 7), Fraction(4, 7))]
LIBRARY = np.array(EXACT, np.float64)


def random_library(n_chains: int, m: int, alpha: float = 1.0) -> np.ndarray:
    return np.random.default_rng(m).dirichlet([alpha] * m, size=(n_chains, m))


def of_chain(word: Word, rows: Matrix) -> Fraction:
    """P(word) from a uniform first symbol."""
    walked = prod((rows[i][j] for i, j in pairwise(word)), start=Fraction(1))
    return walked / 2 if word else Fraction(1)


def of_new_chain(word: Word) -> Fraction:
    """P(word), rows integrated over Dirichlet(1)."""
    pairs = Counter(pairwise(word))
    rows = ([pairs[i, j] for j in range(2)] for i in range(2))
    integrated = prod((multinomial_evidence(row, Fraction(1)) for row in rows), start=Fraction(1))
    return integrated / 2 if word else Fraction(1)


@pytest.mark.parametrize("novel", [Fraction(0), Fraction(1, 3), Fraction(1)])
def test_library_or_new_is_the_ratio_of_evidences_on_every_word(novel: Fraction) -> None:
    @cache
    def evidence(word: Word) -> Fraction:
        known = sum((of_chain(word, rows) for rows in EXACT), start=Fraction(0)) / 3
        return (1 - novel) * known + novel * of_new_chain(word)

    for word in product(range(2), repeat=6):
        law = library_or_new(ints(word), LIBRARY, novel=float(novel), alpha=1.0)
        assert_ratio_of_evidences(law, word, evidence)


def test_unigram_retrieval_is_the_ratio_of_evidences_on_every_word() -> None:
    @cache
    def evidence(word: Word) -> Fraction:
        return sum((prod((pi[s] for s in word), start=Fraction(1)) for pi in STATIONARY), start=Fraction(0))

    for word in product(range(2), repeat=6):
        assert_ratio_of_evidences(unigram_retrieval(ints(word), LIBRARY), word, evidence)


def test_without_new_chains_it_is_retrieval_and_without_a_library_inference() -> None:
    library = random_library(5, 4)
    word = np.random.default_rng(1).integers(4, size=90)
    retrieved = library_or_new(word, library, novel=0.0, alpha=1.0)
    np.testing.assert_array_equal(retrieved, bigram_retrieval(word, library))
    inferred = library_or_new(word, library, novel=1.0, alpha=1.0)
    np.testing.assert_array_equal(inferred, markov(word, 4, order=1, alpha=1.0))


def test_retrieval_finds_the_chain_and_a_new_chain_is_noticed() -> None:
    library = random_library(64, 6)
    other = random_library(1, 7)[0][:6, :6]
    other = other / other.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(2)
    for rows, of_library in ((library[11], True), (other, False)):
        word = [0]
        for _ in range(600):
            word.append(int(rng.choice(6, p=rows[word[-1]])))
        law = library_or_new(np.array(word), library, novel=0.1, alpha=1.0)[-1]
        if of_library:
            np.testing.assert_allclose(law, rows[word[-1]], atol=1e-6)
        else:
            np.testing.assert_allclose(law, markov(np.array(word), 6, order=1, alpha=1.0)[-1], atol=1e-6)


@pytest.mark.parametrize("m", [2, 3, 10])
def test_stationary_laws_are_the_left_eigenvectors(m: int) -> None:
    library = random_library(4, m)
    for rows, law in zip(library, stationary_laws(library), strict=True):
        values, left = linalg.eig(rows, left=True, right=False)
        vector = np.real(left[:, np.argmax(values.real)])
        np.testing.assert_allclose(law, vector / vector.sum(), rtol=1e-9)
    np.testing.assert_allclose(stationary_laws(LIBRARY), np.array(STATIONARY, np.float64), rtol=1e-12)


def test_a_chain_that_hardly_ever_leaves_has_its_stationary_law() -> None:
    tiny = 1e-200
    rows = np.array([[[1.0, tiny], [3 * tiny, 1.0]]])
    np.testing.assert_allclose(stationary_laws(rows), [[0.75, 0.25]], rtol=1e-12)


@pytest.mark.parametrize("length", [0, 1, 2, 50])
def test_laws_have_a_row_at_every_prefix(length: int) -> None:
    library = random_library(3, 5)
    word = np.random.default_rng(3).integers(5, size=length)
    laws = [
        bigram_retrieval(word, library),
        unigram_retrieval(word, library),
        library_or_new(word, library, novel=0.5, alpha=0.5),
    ]
    for law in laws:
        assert law.shape == (length + 1, 5)
        np.testing.assert_allclose(law.sum(axis=1), 1, rtol=1e-12)
    assert (laws[0][0] == 0.2).all()
    np.testing.assert_allclose(dirichlet(word, 5, 1.0)[0], laws[2][0])


def test_a_library_with_impossible_pairs_is_refused() -> None:
    with pytest.raises(SpecError, match=r"a library of shape \(1, 2, 2\) must be one or more chains"):
        bigram_retrieval(ints("01"), np.eye(2)[None])
    with pytest.raises(SpecError, match=r"novel=1\.5 must be in 0\.\.1"):
        library_or_new(ints("01"), LIBRARY, novel=1.5, alpha=1.0)
