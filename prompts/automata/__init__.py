"""Automata and hidden Markov processes: exact counts, uniform words, conditionals, named examples.

The words without 000 (Tomita 4): how many have length 6, and how likely each
symbol is after 0 and after 00 in a uniform one:

    >>> no_000 = tomita(4)
    >>> no_000.count(6)
    44
    >>> no_000.exact_conditional([0], 6)
    (Fraction(7, 20), Fraction(13, 20))
    >>> no_000.conditional([0, 0], 6)
    array([0., 1.])

Symbols are 0..n_symbols-1 throughout. Draws come from `harness.prompts.draws`:
the same stream gives the same word on every machine.
"""

from harness.prompts.automata.dfa import DFA
from harness.prompts.automata.enumeration import Enumeration, minimal_binary_dfas
from harness.prompts.automata.groups import Group, group
from harness.prompts.automata.languages import bounded_dyck, dyck_count, tomita
from harness.prompts.automata.parry import parry
from harness.prompts.automata.process import Process
from harness.prompts.automata.processes import (
    even_process,
    golden_mean,
    mess3,
    rrxor,
    simple_nonunifilar,
    z1r,
)
from harness.prompts.automata.random_automata import PFA, random_dfa, random_pfa

__all__ = [
    "DFA",
    "PFA",
    "Enumeration",
    "Group",
    "Process",
    "bounded_dyck",
    "dyck_count",
    "even_process",
    "golden_mean",
    "group",
    "mess3",
    "minimal_binary_dfas",
    "parry",
    "random_dfa",
    "random_pfa",
    "rrxor",
    "simple_nonunifilar",
    "tomita",
    "z1r",
]
