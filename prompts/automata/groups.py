"""Finite groups of permutations, and the words of generators that multiply to the identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from harness.errors import UnknownName, suggestion
from harness.prompts.automata.dfa import DFA
from harness.types import Ints

Permutation = tuple[int, ...]

# S3 and S5: a swap and a rotation. A5: orders 2 and 3 with a product of order 5, its (2, 3, 5) presentation.
_GENERATORS: Mapping[str, tuple[Permutation, ...]] = MappingProxyType(
    {
        "s3": ((1, 0, 2), (1, 2, 0)),
        "a5": ((1, 0, 3, 2, 4), (2, 1, 4, 3, 0)),
        "s5": ((1, 0, 2, 3, 4), (1, 2, 3, 4, 0)),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group as a multiplication table; element 0 is the identity."""

    name: str
    elements: tuple[
        Permutation, ...
    ]  # image of each point, in the order in which products of generators meet them
    product: Ints  # (order, order), product[x, y] = first x, then y
    generators: tuple[int, ...]  # the two elements that generate it

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)

    def word_problem(self, symbols: tuple[int, ...] | None = None) -> DFA:
        """Return the automaton of the words that multiply to the identity, read from left to right.

        Symbol i is the element symbols[i], the generators by default. The state
        is the product so far, so that state numbers are element numbers.
        """
        chosen = self.generators if symbols is None else symbols
        return DFA(self.product[:, list(chosen)], np.arange(self.order) == 0)


@cache
def group(name: str) -> Group:
    """Return "s3" (order 6), "a5" (60, the smallest that is not solvable) or "s5" (120). Raises UnknownName."""
    if name not in _GENERATORS:
        raise UnknownName(f"no group {name!r}{suggestion(name, _GENERATORS)}")
    generators = _GENERATORS[name]
    elements = [tuple(range(len(generators[0])))]
    number = {elements[0]: 0}
    for x in elements:  # grows while it is read
        for y in generators:
            z = _then(x, y)
            if z not in number:
                number[z] = len(elements)
                elements.append(z)
    product = np.array([[number[_then(x, y)] for y in elements] for x in elements], np.int64)
    product.setflags(write=False)
    return Group(name, tuple(elements), product, tuple(number[y] for y in generators))


def _then(x: Permutation, y: Permutation) -> Permutation:
    return tuple(y[point] for point in x)
