from itertools import permutations

import numpy as np
import pytest

from harness.prompts.automata import Group, group
from harness.registry import load_family
from harness.types import Floats, Ints, Params, Sequence

WORDS = load_family("group_words")
S3 = group("s3")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def text(sequence: Sequence) -> str:
    return "".join(sequence.alphabet[s] for s in sequence.symbols)


def multiply(known: Group, letters: str, order: str) -> tuple[int, ...]:
    """Compose the permutations that letters stand for; `order` lists the letter of each generator."""
    points = list(range(len(known.elements[0])))
    for letter in letters:
        image = known.elements[known.generators[order.index(letter)]]
        points = [image[point] for point in points]
    return tuple(points)


def order_of(sequence: Sequence) -> str:
    """The letters of the generators, the one of order 2 first."""
    return "xy" if "x is of order 2" in sequence.concept else "yx"


@pytest.mark.parametrize("name", ["s3", "a5"])
def test_products_have_one_name_each(name: str) -> None:
    for form in ("each", "end"):
        sequence = WORDS.sample(399, philox(1), group=name, form=form)
        if form == "each":
            symbols = text(sequence)[:398]
            answers = [(symbols[: i + 1 : 2], symbols[i + 1]) for i in range(0, 398, 2)]
        else:
            answers = [(w.split("=")[0], w.split("=")[1]) for w in text(sequence).split("|")]
        named: dict[tuple[int, ...], str] = {}
        for letters, answer in answers:
            product = multiply(group(name), letters, order_of(sequence))
            assert named.setdefault(product, answer) == answer
        assert len(set(named.values())) == len(named)
        identity = sequence.concept[0]
        assert named.get(tuple(range(len(next(iter(named))))), identity) == identity


@pytest.mark.parametrize("name", ["s3", "a5"])
def test_words_of_the_word_problem_multiply_to_the_identity(name: str) -> None:
    for key in range(10):
        sequence = WORDS.sample(150, philox(key), group=name, form="identity")
        for word in text(sequence).split("|"):
            product = multiply(group(name), word, order_of(sequence))
            assert word
            assert product == tuple(sorted(product))


def law_by_listing(symbols: Ints) -> Floats:
    """The law of an element in form "each" of s3, from both orders of generators and all 720 namings."""
    weight = np.zeros(6)
    letters, names = symbols[::2].tolist(), symbols[1::2].tolist()
    for generators in (S3.generators, S3.generators[::-1]):
        path = [0]
        for letter in letters:
            path.append(int(S3.product[path[-1], generators[letter]]))
        for naming in permutations(range(6)):
            if all(naming[x] == name - 2 for x, name in zip(path[1:], names, strict=False)):
                weight[naming[path[-1]]] += 1
    return np.asarray(weight / weight.sum())


def test_the_ideal_observer_lists_all_namings() -> None:
    for key in range(5):
        sequence = WORDS.sample(30, philox(key), form="each")
        for t in range(1, 30, 2):
            row = sequence.observers["group"][t]
            np.testing.assert_allclose(row[2:], law_by_listing(sequence.symbols[:t]), atol=1e-12)
            assert (row[:2] == 0).all()


def test_the_group_needs_each_element_once_and_counts_need_each_pair() -> None:
    # 60 elements and 120 pairs of element and letter; a pair that came before led to an element that came before
    sequence = WORDS.sample(400, philox(7), group="a5", form="each")
    seen, pairs, known_by_group, known_by_counts = set(), set(), 0, 0
    for t in range(3, 400, 2):
        before, letter, after = sequence.symbols[t - 2 : t + 1].tolist()
        seen.add(before)
        known_by_group += after in seen
        known_by_counts += (before, letter) in pairs
        pairs.add((before, letter))
        if after in seen:  # and which letter is which is settled within the first few
            assert sequence.observers["group"][t, after] > 0.5
    assert known_by_group > known_by_counts + 10


@pytest.mark.parametrize("params", [{}, {"form": "each"}])
def test_a_name_that_nothing_explains_is_evidence_for_none(params: Params) -> None:
    sequence = WORDS.sample(120, philox(8), **params)
    element = 2 if params else 3
    at = np.flatnonzero((sequence.symbols >= element) & (sequence.symbols < element + 6))[-3]
    wrong = sequence.symbols.copy()
    wrong[at] = element + (wrong[at] - element + 1) % 6
    rows = WORDS.observe(wrong, sequence.alphabet, **params)["group"]
    np.testing.assert_allclose(rows[at + 1 :], sequence.observers["group"][at + 1 :], atol=1e-12)


def test_the_letters_of_the_word_problem_are_told_apart() -> None:
    # xx is a word where x has order 2 and yyy where y has order 3: one of them settles it
    for key in range(5):
        sequence = WORDS.sample(300, philox(20 + key), form="identity", group="a5")
        np.testing.assert_allclose(sequence.observers["group"][-100:-60], sequence.law[-100:-60], atol=0.05)


def test_the_names_of_answers_are_found() -> None:
    # 600 symbols are some 65 words and as many elements: all six names are known long before the end
    sequence = WORDS.sample(600, philox(30))
    answers = 300 + np.flatnonzero(sequence.symbols[300:] == 2) + 1  # what follows "="
    for t in answers[answers < 600]:
        assert sequence.observers["group"][t, sequence.symbols[t]] == pytest.approx(1)
        assert sequence.observers["format"][t, sequence.symbols[t]] == pytest.approx(1 / 6)
