import math
from collections import Counter
from fractions import Fraction
from itertools import product
from operator import mul

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.brackets import brackets
from harness.prompts.observers import kt
from harness.prompts.word_languages import blocks, doubled
from harness.prompts.words import Language, Sizes, Words, listed, with_separator
from harness.types import Floats, Ints
from tests.prompts import word_enumeration as every

RARE = 1e-6  # odds that a correct draw fails a test of its law, were the seed drawn at random
SIZES = range(1, 4)  # uniform with mean 2

LANGUAGES: dict[str, tuple[Language, every.Listing]] = {
    "a^n b^n": (blocks((1, 1)), every.block_words((1, 1))),
    "a^n b^2n": (blocks((1, 2)), every.block_words((1, 2))),
    "a^n b^n c^n": (blocks((1, 1, 1)), every.block_words((1, 1, 1))),
    "dyck 1": (brackets(1), every.balanced_words(1)),
    "dyck 2": (brackets(2), every.balanced_words(2)),
    "dyck 2, at most 2 deep": (brackets(2, 2), every.balanced_words(2, 2)),
    "w#w": (doubled(3, marked=True, mirrored=False), every.double_words(2, marked=True, mirrored=False)),
    "w#w reversed": (
        doubled(3, marked=True, mirrored=True),
        every.double_words(2, marked=True, mirrored=True),
    ),
    "ww": (doubled(2, marked=False, mirrored=False), every.double_words(2, marked=False, mirrored=False)),
    "ww reversed": (
        doubled(3, marked=False, mirrored=True),
        every.double_words(3, marked=False, mirrored=True),
    ),
}
each_language = pytest.mark.parametrize("name", LANGUAGES)


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def ints(word: every.Word) -> Ints:
    return np.array(word, np.int64)


def floats(law: list[Fraction]) -> Floats:
    return np.array(law, np.float64)


@each_language
@pytest.mark.parametrize("total", [7, 9, 12])
def test_the_law_of_a_stream_adds_up_all_streams_of_that_total(name: str, total: int) -> None:
    language, listing = LANGUAGES[name]
    words = Words(language, "words", "uniform", 2)
    texts = every.streams(every.weighted(listing, SIZES), language.n_letters, total)
    if not texts:
        with pytest.raises(SpecError, match=f"no stream of words of length {total}"):
            words.draw(total, philox(1))
        return
    for key in range(12):
        drawn, sizes = words.draw(total, philox(key))
        text = tuple(drawn.tolist())
        assert text in texts
        assert [len(part) for part in split(text, language.n_letters)] == [
            language.step * n + language.extra for n in sizes
        ]
        law = words.law(drawn)
        for n in range(total):
            expected = every.law_of(texts, text[:n], words.n_symbols)
            np.testing.assert_allclose(law[n], floats(expected[:-1]), atol=1e-12)
        assert np.isnan(law[total]).all()


@each_language
def test_streams_are_drawn_by_their_law(name: str) -> None:
    language, listing = LANGUAGES[name]
    for total in (9, 10):
        texts = every.streams(every.weighted(listing, SIZES), language.n_letters, total)
        if texts:
            break
    words, rng = Words(language, "words", "uniform", 2), philox(2)
    n = 3000
    seen = Counter(tuple(words.draw(total, rng)[0].tolist()) for _ in range(n))
    assert set(seen) <= set(texts)
    often = [text for text, p in texts.items() if n * p >= 5]
    observed = [seen[text] for text in often] + [n - sum(seen[text] for text in often)]
    expected = [float(n * texts[text]) for text in often]
    expected.append(max(n - sum(expected), 0))
    if expected[-1] < 5:
        observed[-2:], expected[-2:] = [sum(observed[-2:])], [sum(expected[-2:])]
    if len(expected) > 1:
        assert stats.chisquare(observed, expected).pvalue > RARE


@each_language
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_word_alone_is_uniform_among_the_words_of_its_length(name: str, size: int) -> None:
    language, listing = LANGUAGES[name]
    words, rng = Words(language, "word", "geometric", 3), philox(3)
    all_words = listing(size)
    total = language.step * size + language.extra
    n = 40 * len(all_words)
    drawn = [words.draw(total, rng)[0] for _ in range(n)]
    seen = Counter(tuple(word.tolist()) for word in drawn)
    assert set(seen) == set(all_words)
    if len(all_words) > 1:
        assert stats.chisquare(list(seen.values())).pvalue > RARE
    texts = dict.fromkeys(all_words, Fraction(1, len(all_words)))
    for word in drawn[:10]:
        law = words.law(word)
        for t in range(total):
            expected = every.law_of(texts, tuple(word[:t].tolist()), words.n_symbols)
            np.testing.assert_allclose(law[t], floats(expected[:-1]), atol=1e-12)
        assert np.isnan(law[total]).all()


@each_language
def test_who_does_not_know_the_total_adds_up_all_words_that_begin_so(name: str) -> None:
    """Letter sequences of 6 are tried, hundreds spread over all of them: most begin no word."""
    language, listing = LANGUAGES[name]
    stream, alone = (Words(language, kind, "uniform", 2) for kind in ("words", "word"))
    texts = every.weighted(listing, SIZES)
    sequences = list(product(range(language.n_letters), repeat=6))
    likely = [word[:6] for word in texts if len(word) >= 6]
    for word in sequences[:: 1 + len(sequences) // 200] + likely[:: 1 + len(likely) // 100]:
        laws, laws_alone = stream.predict(ints(word)), alone.predict(ints(word))
        for t in range(7):
            expected = floats(every.law_of(texts, word[:t], language.n_letters))
            unknown = kt(ints(word[:t]), stream.n_symbols)[t]
            np.testing.assert_allclose(laws[t], expected if expected.any() else unknown, atol=1e-12)
            on = expected[:-1].sum()
            unknown = kt(ints(word[:t]), alone.n_symbols)[t]
            np.testing.assert_allclose(laws_alone[t], expected[:-1] / on if on else unknown, atol=1e-12)


@pytest.mark.parametrize(
    "names",
    [("a^n b^n", "a^n b^2n"), ("w#w", "w#w reversed"), ("dyck 2", "dyck 2, at most 2 deep")],
)
def test_languages_held_for_equally_probable_are_weighed_by_all_words_so_far(names: tuple[str, ...]) -> None:
    languages = [LANGUAGES[name][0] for name in names]
    separator = languages[0].n_letters
    texts = [every.weighted(LANGUAGES[name][1], SIZES) for name in names]
    for key, language in enumerate(languages):
        drawn = Words(language, "words", "uniform", 2).draw(23, philox(key + 4))[0]
        law = Words(language, "words", "uniform", 2).predict(drawn, *(each.law for each in languages))
        for t in range(24):
            *whole, begun = split(tuple(drawn[:t].tolist()), separator)
            mass = [
                math.prod((text.get(word, Fraction(0)) for word in whole), start=Fraction(1))
                * sum(p for word, p in text.items() if word[: len(begun)] == begun)
                for text in texts
            ]
            each = zip(*(every.law_of(text, begun, separator) for text in texts), strict=True)
            expected = [sum(map(mul, mass, ps), start=Fraction(0)) / sum(mass) for ps in each]
            np.testing.assert_allclose(law[t], floats(expected), atol=1e-12)


def test_an_impossible_word_is_forgotten_after_the_next_separator() -> None:
    words = Words(blocks((1, 1)), "words", "geometric", 3)
    broken, mended = ints((0, 1, 1, 0, 2, 0, 0, 1)), ints((0, 0, 1))
    law = words.predict(broken)
    np.testing.assert_array_equal(law[3:5], kt(broken, 3)[3:5])
    np.testing.assert_array_equal(law[5:], words.predict(mended))
    two_or_three = [blocks((1, ratio)).law for ratio in (2, 3)]
    word = (0, 0, 1, 1, 1, 1)  # a^2 b^4, or the beginning of a^2 b^6
    fresh = words.predict(ints(word), *two_or_three)
    assert 0 < fresh[-1, 1] < 1
    np.testing.assert_array_equal(words.predict(ints((2, *word)), *two_or_three)[1:], fresh)
    assert words.predict(ints((0, 1, 1, 2, *word)), *two_or_three)[-1, 1] == 0  # a b^2 was evidence


def test_lengths_may_begin_anywhere() -> None:
    """Words of N letters 0 more than step * (N - 1), the first of one letter: a negative `extra`."""
    runs = Language(
        1,
        step=3,
        extra=-2,
        draw=lambda size, _: np.zeros(3 * size - 2, np.int64),
        law=lambda letters, log_weights: run_law(letters.size, log_weights),
    )
    words = Words(runs, "words", "uniform", 2)
    texts = every.streams({(0,) * n: Fraction(1, 3) for n in (1, 4, 7)}, 1, 12)
    for key in range(8):
        drawn = words.draw(12, philox(key))[0]
        assert tuple(drawn.tolist()) in texts
        for n, row in enumerate(words.law(drawn)[:12]):
            np.testing.assert_allclose(row, floats(every.law_of(texts, tuple(drawn[:n].tolist()), 2)[:-1]))


def run_law(n: int, log_weights: Floats) -> Floats:
    weight = np.exp(log_weights)
    length = 3 * np.arange(weight.size) - 2
    rows = [[weight[length > t].sum(), weight[length == t].sum()] for t in range(n + 1)]
    return np.array([np.divide(row, max(sum(row), 1e-300)) for row in rows])


@pytest.mark.parametrize("mean", [1.0, 1.5, 4.0, 100.0])
def test_a_geometric_size_ends_at_a_constant_rate_however_long_it_is(mean: float) -> None:
    stops = Words(blocks((1, 1)), "word", "geometric", mean).predict(np.zeros(600, np.int64))[1:, 1]
    if mean == 1:
        np.testing.assert_array_equal(stops[0], 1)
    else:
        np.testing.assert_allclose(stops, 1 / mean, rtol=1e-11)


@pytest.mark.parametrize("sizes", ["geometric", "uniform"])
def test_far_from_its_end_a_stream_does_not_feel_the_total(sizes: Sizes) -> None:
    # the renewal theorem: what is left in the total is soon forgotten, at a rate set by the sizes
    words = Words(brackets(2), "words", sizes, 3)
    drawn = words.draw(600, philox(5))[0]
    np.testing.assert_allclose(words.law(drawn)[:300], words.predict(drawn)[:300], atol=1e-9)


@pytest.mark.parametrize(
    ("words", "total", "near"),
    [
        (Words(brackets(1), "word", "geometric", 3), 7, "6 and 8"),
        (Words(brackets(1), "word", "geometric", 3), 0, "2"),
        (Words(brackets(1), "word", "uniform", 3), 30, "10"),
        (Words(brackets(1), "word", "geometric", 1), 8, "2"),
        (Words(brackets(1), "words", "geometric", 1), 9, "8 and 11"),
        (Words(brackets(1), "words", "uniform", 1), 0, "2"),
        (Words(brackets(1), "words", "uniform", 2), 3, "2 and 4"),
        (Words(doubled(3, marked=True, mirrored=False), "words", "uniform", 2), 4, "3 and 5"),
        (Words(doubled(3, marked=True, mirrored=False), "word", "geometric", 2), 8, "7 and 9"),
        (Words(blocks((1, 1, 1)), "word", "geometric", 2), 256, "255 and 258"),
    ],
)
def test_an_impossible_total_is_refused_with_the_nearest_possible(
    words: Words, total: int, near: str
) -> None:
    with pytest.raises(
        SpecError, match=f"of length {total} with these sizes; nearest possible lengths: {near}$"
    ):
        words.draw(total, philox(6))
    for n in map(int, near.split(" and ")):
        assert words.draw(n, philox(6))[0].size == n


@pytest.mark.parametrize("mean", [0.99, 0.0, -1.0, 1001.0, float("nan"), float("inf")])
def test_a_mean_size_out_of_range_is_refused(mean: float) -> None:
    with pytest.raises(SpecError, match=r"mean_size=.* must be in 1\.\.1000"):
        Words(blocks((1, 1)), "words", "geometric", mean)


def test_uniform_sizes_need_a_mean_that_is_half_of_an_integer() -> None:
    with pytest.raises(SpecError, match=r"mean_size=2\.3 .* must be a multiple of 0\.5"):
        Words(blocks((1, 1)), "words", "uniform", 2.3)


def test_sizes_have_the_mean_they_say() -> None:
    # in a long stream; the mean of 400 sizes of standard deviation <= 5 is off by 1.2 with odds 1e-6
    for sizes in ("geometric", "uniform"):
        drawn = Words(blocks((1, 1)), "words", sizes, 5).draw(4400, philox(7))[1]
        assert drawn.mean() == pytest.approx(5, abs=1.2)


def test_a_separator_among_the_letters_is_refused() -> None:
    assert with_separator(("a", "b"), "words") == ("a", "b", "|")
    assert with_separator(("a", "|"), "word") == ("a", "|")
    with pytest.raises(SpecError, match="separates the words"):
        with_separator(("a", "|"), "words")


def test_long_lists_of_sizes_are_cut_short() -> None:
    assert listed(np.arange(1, 5)) == "1, 2, 3, 4"
    assert listed(np.arange(12)) == "0, 1, 2, 3, 4, 5, 6, 7 and 4 more"


def split(text: every.Word, separator: int) -> list[every.Word]:
    """The words of a stream; the last one may be begun only."""
    words: list[list[int]] = [[]]
    for symbol in text:
        if symbol == separator:
            words.append([])
        else:
            words[-1].append(symbol)
    return [tuple(word) for word in words]
