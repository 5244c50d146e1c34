from fractions import Fraction
from itertools import product
from math import log, prod

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.observers.known_patterns import known_pattern, noisy
from tests.prompts.observers.words import Word, assert_ratio_of_evidences, ints


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("noise", [Fraction(0), Fraction(1, 10)])
def test_the_law_is_the_ratio_of_evidences_on_every_word(m: int, noise: Fraction) -> None:
    pattern, prior_random = (0, 1, 1), Fraction(3, 4)

    def evidence(word: Word) -> Fraction:
        fits = [s == pattern[i % 3] for i, s in enumerate(word)]
        of_pattern = prod((1 - noise if fit else noise / (m - 1) for fit in fits), start=Fraction(1))
        return prior_random / Fraction(m) ** len(word) + (1 - prior_random) * of_pattern

    for word in product(range(m), repeat=5):
        law = known_pattern(
            ints(word), m, pattern=ints(pattern), noise=float(noise), prior_random=float(prior_random)
        )
        assert_ratio_of_evidences(law, word, evidence)


@pytest.mark.parametrize("pattern", ["0", "01", "011", "0010111"])
def test_belief_in_a_pattern_is_logistic_with_slope_ln_2_whatever_the_pattern(pattern: str) -> None:
    word = ints((pattern * 30)[:30])
    law = known_pattern(word, 2, pattern=ints(pattern), noise=0.0, prior_random=0.9)
    believed = 2 * law[np.arange(30), word] - 1  # p(target) = 1/2 + P(pattern) / 2
    n = np.arange(30)
    np.testing.assert_allclose(believed, 1 / (1 + 2 ** (np.log2(9) - n)), rtol=1e-12)
    slopes = np.diff(np.log(believed / (1 - believed)))[:20]
    np.testing.assert_allclose(slopes, log(2), rtol=1e-8)


def test_one_symbol_that_does_not_fit_ends_a_pattern_without_noise() -> None:
    word = ints("011011010011011")
    law = known_pattern(word, 2, pattern=ints("011"), noise=0.0, prior_random=0.5)
    assert (law[9:] == 0.5).all()
    assert law[8, 1] > 0.99


def test_evidence_of_a_thousand_symbols_does_not_overflow() -> None:
    word = ints("011" * 2000)
    law = known_pattern(word, 2, pattern=ints("011"), noise=0.01, prior_random=0.999)
    np.testing.assert_allclose(law[-1], [0.99, 0.01], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": 0.5}, r"noise=0\.5 with 2 symbols must be at least 0 and below 0\.5"),
        ({"noise": -0.1}, "must be at least 0"),
        ({"prior_random": 0.0}, r"prior_random=0\.0 must be above 0"),
        ({"pattern": ints("")}, r"pattern=\[\] must be symbols 0\.\.1"),
        ({"pattern": ints("02")}, r"pattern=\[0, 2\] must be symbols 0\.\.1"),
    ],
)
def test_impossible_settings_are_refused(options: dict[str, object], message: str) -> None:
    given = {"pattern": ints("01"), "noise": 0.0, "prior_random": 0.5} | options
    with pytest.raises(SpecError, match=message):
        known_pattern(ints("01"), 2, **given)  # type: ignore[arg-type]


def test_noise_is_shared_by_the_other_symbols() -> None:
    np.testing.assert_allclose(noisy(ints("20"), 3, 0.2), [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
