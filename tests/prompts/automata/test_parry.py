import math

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.automata import DFA, group, parry, random_pfa, tomita

PHI = (1 + math.sqrt(5)) / 2


def test_the_golden_mean_shift_has_the_golden_law() -> None:
    rate, law = parry(DFA.from_table([[0, 1], [0, None]], [0, 1]))  # no 11
    assert rate == pytest.approx(PHI, rel=1e-14)
    np.testing.assert_allclose(law[0], [1 / PHI, 1 / PHI**2], rtol=1e-13)
    assert law[1].tolist() == [1, 0]
    assert np.isnan(law[2]).all()


@pytest.mark.parametrize(
    ("dfa", "bits"),  # growth rates of formal-language counts, bits a symbol
    [
        (tomita(1), 0.0),
        (tomita(2), 0.0),
        (tomita(3, "adjacent"), 0.8232),
        (tomita(4), 0.8791),
        (tomita(5), 1.0),
    ],
)
def test_growth_is_that_of_the_counts(dfa: DFA, bits: float) -> None:
    rate, _ = parry(dfa)
    assert math.log2(rate) == pytest.approx(bits, abs=5e-5)
    prefixes = dfa.prefixes()
    slope = (math.log2(prefixes.count(900)) - math.log2(prefixes.count(300))) / 600
    assert math.log2(rate) == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("key", range(8))
def test_the_law_is_the_limit_of_the_uniform_law(key: int) -> None:
    pfa = random_pfa(9, 6, np.random.Generator(np.random.Philox(key=key)), n_symbols=6)
    rate, law = parry(pfa.dfa)
    word = pfa.sample(30, np.random.Generator(np.random.Philox(key=key + 50)))
    states = pfa.dfa.states(word)
    followed = [t for t in range(31) if not np.isnan(law[states[t]]).any()]
    assert 0 in followed
    uniform = np.mean(
        [[pfa.dfa.conditional(word[:t], n) for t in followed] for n in range(2000, 2060)], axis=0
    )
    np.testing.assert_allclose(law[states[followed]], uniform, atol=0.02)  # of a period, lengths are averaged
    assert (np.abs(np.nansum(law, axis=1) - 1) < 1e-12).sum() == (~np.isnan(law).any(axis=1)).sum()
    assert 1 <= rate <= 3


def test_all_words_are_equally_likely_but_for_their_ends() -> None:
    # P(word) = v_end / (v_start * rate**n): equal for equal end states
    dfa = tomita(4)
    rate, law = parry(dfa)
    of_end: dict[int, set[float]] = {}
    for rank in range(dfa.count(9)):
        word = dfa.word(9, rank)
        states = dfa.states(word)
        p = float(np.prod(law[states[:-1], word]))
        of_end.setdefault(int(states[-1]), set()).add(round(p * rate**9, 10))
    assert all(len(values) == 1 for values in of_end.values())


def test_a_group_gives_every_generator_the_same_probability() -> None:
    rate, law = parry(group("a5").word_problem())
    assert rate == pytest.approx(2, rel=1e-14)
    np.testing.assert_allclose(law, 0.5, rtol=1e-12)


@pytest.mark.parametrize(
    "dfa", [tomita(7), tomita(3, "later"), DFA.from_table([[1, 2], [1, None], [None, 2]], [0, 1, 2])]
)
def test_a_law_that_is_not_unique_is_refused(dfa: DFA) -> None:
    with pytest.raises(SpecError, match="grow equally fast"):
        parry(dfa)


def test_a_finite_language_has_no_law() -> None:
    with pytest.raises(SpecError, match="finite"):
        parry(DFA.from_table([[1, None], [None, None]], [0, 1]))
    with pytest.raises(SpecError, match="finite"):
        parry(DFA.from_table([[0, 0]], []))


def test_slower_parts_are_never_entered() -> None:
    # 0 leads to all words, 1 to 1* only
    rate, law = parry(DFA.from_table([[1, 2], [1, 1], [None, 2]], [0, 1, 2]))
    assert rate == pytest.approx(2)
    assert law[0].tolist() == [1, 0]
    assert np.isnan(law[2]).all()
