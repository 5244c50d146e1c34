import gzip
import math
from collections import Counter
from fractions import Fraction
from itertools import groupby, pairwise, product

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts import statistics as of
from tests.prompts.observers.words import Word, ints

NOTHING = ints("")
BINARY = [word for n in range(13) for word in product(range(2), repeat=n)]  # all words to length 12
TERNARY = [word for n in range(8) for word in product(range(3), repeat=n)]


def text(word: Word) -> str:
    return "".join(map(str, word))


def lz76_by_search(word: str) -> int:
    """The exhaustive history as it is defined: the shortest word not found before its own last symbol."""
    n_phrases = begin = 0
    while begin < len(word):
        end = begin + 1
        while end <= len(word) and word[begin:end] in word[: end - 1]:
            end += 1
        n_phrases, begin = n_phrases + 1, end
    return n_phrases


@pytest.mark.parametrize(
    ("word", "n_phrases"),
    [("0001101001000101", 6), ("0" * 20, 2), ("01" * 10, 3), ("0", 1), ("", 0)],
)
def test_lz76_of_the_known_words(word: str, n_phrases: int) -> None:
    assert of.lz76(ints(word)) == n_phrases


@pytest.mark.parametrize("words", [BINARY, TERNARY], ids=["binary", "ternary"])
def test_lz76_is_its_definition_on_all_short_words(words: list[Word]) -> None:
    assert [of.lz76(ints(w)) for w in words] == [lz76_by_search(text(w)) for w in words]


def test_lz76_is_its_definition_on_longer_words() -> None:
    rng = np.random.default_rng(1)
    for p in (0.5, 0.1):
        word = (rng.random(600) < p).astype(np.int64)
        for n in (13, 100, 599, 600):
            assert of.lz76(word[:n]) == lz76_by_search(text(tuple(word[:n])))
    thue_morse = np.array([n.bit_count() % 2 for n in range(512)])
    assert of.lz76(thue_morse) == lz76_by_search(text(tuple(thue_morse)))


def lz78_by_a_set(word: str) -> int:
    phrases: list[str] = []
    phrase = ""
    for symbol in word:
        phrase += symbol
        if phrase not in phrases:
            phrases.append(phrase)
            phrase = ""
    return len(phrases) + bool(phrase)


@pytest.mark.parametrize(("word", "n_phrases"), [("", 0), ("0", 1), ("00", 2), ("1011010100010", 7)])
def test_lz78_of_known_words(word: str, n_phrases: int) -> None:
    """1|0|11|01|010|00|10 is the parsing in Cover & Thomas (2006), chapter 13."""
    assert of.lz78(ints(word)) == n_phrases


@pytest.mark.parametrize("words", [BINARY, TERNARY], ids=["binary", "ternary"])
def test_lz78_is_its_definition_on_all_short_words(words: list[Word]) -> None:
    assert [of.lz78(ints(w)) for w in words] == [lz78_by_a_set(text(w)) for w in words]


@pytest.mark.parametrize("words", [BINARY[:2047], TERNARY], ids=["binary", "ternary"])
def test_runs_and_alternations_are_those_of_groupby(words: list[Word]) -> None:
    for word in words:
        lengths = [len(list(group)) for _, group in groupby(word)]
        assert of.runs(ints(word)) == len(lengths)
        assert of.longest_run(ints(word)) == max(lengths, default=0)
        if len(word) > 1:
            changes = sum(a != b for a, b in pairwise(word))
            assert of.alternation_rate(ints(word)) == pytest.approx(changes / (len(word) - 1), rel=1e-15)


def test_no_alternation_rate_below_two_symbols() -> None:
    assert math.isnan(of.alternation_rate(NOTHING))
    assert math.isnan(of.alternation_rate(ints("1")))


@pytest.mark.parametrize(("m", "longest"), [(2, 10), (3, 6), (4, 5)])
def test_laws_of_runs_are_those_of_all_words(m: int, longest: int) -> None:
    for n in range(longest + 1):
        words = [ints(w) for w in product(range(m), repeat=n)]
        for statistic, law in [
            (of.runs, of.runs_law(n, m)),
            (of.longest_run, of.longest_run_law(n, m)),
        ]:
            found = Counter(statistic(w) for w in words)
            assert law == [Fraction(found[k], m**n) for k in range(n + 1)]
        mean = Fraction(sum(of.longest_run(w) for w in words), m**n)
        assert of.expected_longest_run(n, m) == mean


def test_laws_of_runs_of_fair_flips_are_the_binomials() -> None:
    n = 50
    assert of.runs_law(n)[1:] == [Fraction(2 * math.comb(n - 1, r - 1), 2**n) for r in range(1, n + 1)]
    assert sum(of.longest_run_law(n)) == 1


def test_a_law_of_runs_needs_a_source() -> None:
    for law in (of.runs_law, of.longest_run_law, of.expected_longest_run):
        with pytest.raises(SpecError, match="length=-1"):
            law(-1)
        with pytest.raises(SpecError, match="n_symbols=1"):
            law(3, 1)


@pytest.mark.parametrize(
    ("word", "k", "bits"),
    [
        ("0000", 1, 0.0),
        ("0011", 1, 1.0),
        ("01010", 2, 1.0),
        ("0101", 2, math.log2(3) - 2 / 3),  # 01, 10, 01: the last window counts
        ("0001011100", 3, 3.0),  # a de Bruijn word, opened: each triple once
        ("012", 1, math.log2(3)),
        ("01", 2, 0.0),
    ],
)
def test_kgram_entropies_of_known_words(word: str, k: int, bits: float) -> None:
    assert of.kgram_entropy(ints(word), k) == pytest.approx(bits, abs=1e-14)


def test_kgram_entropy_is_that_of_the_counts() -> None:
    word = tuple(np.random.default_rng(2).integers(3, size=80).tolist())
    for k in (1, 2, 5):
        counts = Counter(word[i : i + k] for i in range(81 - k))
        p = [n / (81 - k) for n in counts.values()]
        assert of.kgram_entropy(ints(word), k) == pytest.approx(-sum(q * math.log2(q) for q in p), rel=1e-12)


def test_kgram_entropy_needs_k_symbols_and_a_k() -> None:
    assert math.isnan(of.kgram_entropy(ints("01"), 3))
    with pytest.raises(SpecError, match="k=0"):
        of.kgram_entropy(ints("01"), 0)


def test_gzip_length_is_that_of_the_symbols_written_out() -> None:
    word = ints("0110100110010110" * 8)
    assert of.gzip_length(word) == len(gzip.compress(b"0110100110010110" * 8, mtime=0))
    random = np.random.default_rng(3).integers(2, size=4096)
    assert of.gzip_length(np.zeros(4096, np.int64)) < 100 < 4096 / 8 < of.gzip_length(random)
    with pytest.raises(SpecError, match=r"0\.\.255"):
        of.gzip_length(np.array([300]))


def shortest_register(word: Word) -> int:
    """The least L for which some taps give every symbol from the L-th on: all taps tried."""
    for length in range(len(word) + 1):
        for taps in product(range(2), repeat=length):
            made = (
                sum(t & word[n - 1 - i] for i, t in enumerate(taps)) % 2 for n in range(length, len(word))
            )
            if all(a == b for a, b in zip(made, word[length:], strict=True)):
                return length
    raise AssertionError("a register as long as the word gives any word")


def test_linear_complexity_is_that_of_the_shortest_register() -> None:
    for word in product(range(2), repeat=8):
        assert of.linear_complexity(ints(word)).tolist() == [shortest_register(word[:n]) for n in range(9)]


@pytest.mark.parametrize(("degree", "taps"), [(5, (2, 5)), (7, (1, 7)), (16, (11, 13, 14, 16))])
def test_a_register_is_known_after_twice_its_length(degree: int, taps: tuple[int, ...]) -> None:
    """Maximal registers: s_n is the sum of the s_(n - tap) modulo 2."""
    word = [0] * (degree - 1) + [1]
    while len(word) < 10 * degree:
        word.append(sum(word[-tap] for tap in taps) % 2)
    assert (of.linear_complexity(np.array(word))[2 * degree :] == degree).all()


def test_linear_complexity_is_of_two_symbols() -> None:
    assert of.linear_complexity(NOTHING).tolist() == [0]
    with pytest.raises(SpecError, match="0 or 1"):
        of.linear_complexity(ints("012"))
