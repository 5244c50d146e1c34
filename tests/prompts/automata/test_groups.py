from itertools import product

import numpy as np
import pytest

from harness.errors import UnknownName
from harness.prompts.automata import group

ORDERS = {"s3": 6, "a5": 60, "s5": 120}
every_group = pytest.mark.parametrize("name", ORDERS)


@every_group
def test_tables_are_groups(name: str) -> None:
    g = group(name)
    assert g.order == ORDERS[name] == len(set(g.elements))
    table, every = g.product, np.arange(g.order)
    assert (table[0] == every).all()
    assert (table[:, 0] == every).all()
    assert (np.sort(table, axis=0) == every[:, None]).all()  # every element has an inverse
    x, y, z = np.random.default_rng(1).integers(g.order, size=(3, 500))
    np.testing.assert_array_equal(table[table[x, y], z], table[x, table[y, z]])
    assert not (table == table.T).all()


@every_group
def test_products_are_those_of_permutations(name: str) -> None:
    g = group(name)
    matrices = np.eye(len(g.elements[0]))[[list(e) for e in g.elements]]  # row vector e_i to e_image(i)
    for x, y in np.random.default_rng(2).integers(g.order, size=(200, 2)):
        np.testing.assert_array_equal(matrices[x] @ matrices[y], matrices[g.product[x, y]])


def test_a5_is_the_even_permutations_of_five_points() -> None:
    assert all(round(np.linalg.det(np.eye(5)[list(e)])) == 1 for e in group("a5").elements)
    g = group("a5")
    a, b = g.generators
    orders = []
    for element in (a, b, int(g.product[a, b])):
        power, order = element, 1
        while power:
            power, order = int(g.product[power, element]), order + 1
        orders.append(order)
    assert orders == [2, 3, 5]


@pytest.mark.parametrize("name", ["s3", "a5"])
def test_the_word_problem_accepts_products_that_are_the_identity(name: str) -> None:
    g = group(name)
    dfa = g.word_problem()
    assert dfa.n_states == dfa.minimise().n_states == g.order
    images = [g.elements[i] for i in g.generators]
    for n in range(8):
        for word in product(range(2), repeat=n):
            points = list(range(len(images[0])))
            for symbol in word:
                points = [images[symbol][point] for point in points]
            assert dfa.contains(word) == (points == sorted(points))


def test_any_elements_can_be_the_symbols() -> None:
    g = group("s3")
    dfa = g.word_problem(tuple(range(6)))
    assert [dfa.count(n) for n in range(5)] == [1, 1, 6, 36, 216]  # the last symbol is forced
    np.testing.assert_array_equal(dfa.table, g.product)


def test_an_unknown_group_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no group 'a4'.*known: a5, s3, s5"):
        group("a4")
