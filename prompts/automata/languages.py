"""Named languages: Tomita's seven, and Dyck words, counted and bounded in depth."""

from functools import cache
from math import comb
from typing import Literal

from harness.errors import SpecError
from harness.prompts.automata.dfa import DFA

Reading = Literal["adjacent", "later"]

# Symbol 0 is "0". Table and accepting states, each minimal (Tomita 1982, in the numbering used since).
_TOMITA: dict[int, tuple[list[list[int | None]], list[int]]] = {
    1: ([[None, 0]], [0]),
    2: ([[None, 1], [0, None]], [0]),
    4: ([[1, 0], [2, 0], [None, 0]], [0, 1, 2]),
    5: ([[1, 2], [0, 3], [3, 0], [2, 1]], [0]),
    6: ([[1, 2], [2, 0], [0, 1]], [0]),
    7: ([[0, 1], [2, 1], [2, 3], [None, 3]], [0, 1, 2, 3]),
}
# States: no odd 1-run waits; an odd 1-run; an odd 0-run after it, which must not end; what an even one leads to.
_TOMITA_3: dict[Reading, list[list[int | None]]] = {
    "adjacent": [[0, 1], [2, 0], [3, None], [2, 1]],
    "later": [[0, 1], [2, 0], [3, None], [2, 3]],
}


@cache
def tomita(i: int, reading: Reading | None = None) -> DFA:
    """Return the minimal automaton of a Tomita language, i in 1..7, over 0 and 1.

    1: 1*. 2: (10)*. 4: no 000. 5: an even number of 0s and of 1s. 6: the
    numbers of 0s and of 1s are equal mod 3. 7: 0*1*0*1*. Two languages go by
    the name of 3, which therefore needs a `reading` and alone takes one: no odd
    run of 1s is followed by an odd run of 0s either directly ("adjacent") or
    anywhere "later"; they differ first on 100110.
    """
    if i == 3:
        if reading not in _TOMITA_3:
            raise SpecError(
                f"tomita(3, reading={reading!r}): two languages have this name; 'adjacent' or 'later'"
            )
        return DFA.from_table(_TOMITA_3[reading], [0, 1, 3])
    if i not in _TOMITA:
        raise SpecError(f"tomita({i!r}): the languages are 1..7")
    if reading is not None:
        raise SpecError(f"tomita({i}, reading={reading!r}): only language 3 has two readings")
    return DFA.from_table(*_TOMITA[i])


def dyck_count(n: int, k: int) -> int:
    """Return the number of balanced words of length n >= 0 over k >= 1 types of brackets: Catalan(n/2) k**(n/2)."""
    if n < 0 or k < 1:
        raise SpecError(f"dyck_count(n={n!r}, k={k!r}): n must be >= 0 and k >= 1")
    half, odd = divmod(n, 2)
    return 0 if odd else comb(n, half) // (half + 1) * k**half


def bounded_dyck(k: int, depth: int) -> DFA:
    """Return the automaton of the balanced words over k types of brackets that nest at most `depth` deep.

    Symbols 0..k-1 open, k..2k-1 close. A state is a stack: 1 + the sum of k**j
    over j = 0..depth states with the rejecting one, at most 100,000.
    """
    most = 100_000  # a table of some megabytes
    if k < 1 or depth < 1 or sum(k**j for j in range(min(depth, most) + 1)) > most:
        raise SpecError(
            f"bounded_dyck(k={k!r}, depth={depth!r}): both must be >= 1 and have at most {most} stacks"
        )
    stacks: list[tuple[int, ...]] = [()]
    for stack in stacks:  # grows while it is read
        if len(stack) < depth:
            stacks.extend((*stack, bracket) for bracket in range(k))
    number = {stack: i for i, stack in enumerate(stacks)}
    table = [
        [number.get((*stack, bracket)) for bracket in range(k)]
        + [number[stack[:-1]] if stack[-1:] == (bracket,) else None for bracket in range(k)]
        for stack in stacks
    ]
    return DFA.from_table(table, [0])
