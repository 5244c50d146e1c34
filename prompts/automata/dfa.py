"""Complete deterministic finite automata, and the uniform law on the words of one length that they accept."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import exact
from harness.prompts.automata.minimisation import minimal, reachable
from harness.prompts.automata.uniform import UniformWords
from harness.types import Bools, Floats, Ints

Word = Series[int] | Ints


@dataclass(frozen=True, slots=True, eq=False)
class DFA:
    """A complete automaton: in every state each symbol 0..n_symbols-1 leads to one state.

    `==` compares tables; `equivalent` compares languages. What `sample`, `laws`
    and `conditional` compute once for a length serves all later calls on the
    same object, for this and every shorter length.
    """

    table: Ints  # (n_states, n_symbols), the state that follows
    accepting: Bools  # (n_states,)
    start: int = 0
    _uniform: UniformWords = field(init=False, repr=False)

    def __post_init__(self) -> None:
        table = np.array(self.table, np.int64)
        accepting = np.array(self.accepting, np.bool_)
        if table.ndim != 2 or 0 in table.shape or accepting.shape != table.shape[:1]:
            raise SpecError(
                f"a DFA has a table (n_states, n_symbols) and as many accepting flags as states; "
                f"these have shapes {table.shape} and {accepting.shape}"
            )
        last = len(table) - 1
        if table.min() < 0 or table.max() > last or not 0 <= self.start <= last:
            raise SpecError(
                f"the states of this DFA are 0..{last}; table or start={self.start!r} names others"
            )
        table.setflags(write=False)
        accepting.setflags(write=False)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "accepting", accepting)
        object.__setattr__(self, "_uniform", UniformWords(table, accepting))

    @staticmethod
    def from_table(table: Series[Series[int | None]], accepting: Iterable[int], *, start: int = 0) -> "DFA":
        """Return the automaton with these transitions; `accepting` lists states.

        None in the table is a missing transition: all of them lead to one
        rejecting state that is added for them.
        """
        n_states = len(table)
        if len({len(row) for row in table}) > 1:
            raise SpecError(f"table rows have lengths {[len(row) for row in table]}; all must be equal")
        rows = [[n_states if successor is None else successor for successor in row] for row in table]
        if any(None in row for row in table):
            rows.append([n_states] * len(rows[0]))
        mask = np.zeros(len(rows), np.bool_)
        states = sorted(set(accepting))
        if states and not 0 <= states[0] <= states[-1] < n_states:
            raise SpecError(f"accepting={states!r} names a state that is none of 0..{n_states - 1}")
        mask[states] = True
        return DFA(np.array(rows, np.int64), mask, start)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DFA) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[tuple[int, ...], bytes, bytes, int]:
        return self.table.shape, self.table.tobytes(), self.accepting.tobytes(), self.start

    @property
    def n_states(self) -> int:
        """Number of states, a rejecting sink included."""
        return int(self.table.shape[0])

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return int(self.table.shape[1])

    @property
    def live(self) -> Bools:
        """Which states a word of the language can still be finished from: shape (n_states,)."""
        live = self.accepting
        while True:
            more = np.asarray(live | live[self.table].any(axis=1))
            if (more == live).all():
                return live
            live = more

    def minimise(self) -> "DFA":
        """Return the minimal complete automaton of the language, canonically numbered, start 0."""
        return DFA(*minimal(self.table, self.accepting, self.start))

    def equivalent(self, other: "DFA") -> bool:
        """Return whether both accept the same words; never, if their alphabets differ in size."""
        return self.minimise() == other.minimise()

    def complement(self) -> "DFA":
        """Return the automaton of all other words."""
        return DFA(self.table, ~self.accepting, self.start)

    def intersection(self, other: "DFA") -> "DFA":
        """Return the automaton of the words that both accept: pairs of states, reachable ones only."""
        if self.n_symbols != other.n_symbols:
            raise SpecError(
                f"automata over {self.n_symbols} and {other.n_symbols} symbols have no intersection"
            )
        n = other.n_states
        table = (self.table[:, None] * n + other.table[None]).reshape(-1, self.n_symbols)
        accepting = (self.accepting[:, None] & other.accepting[None]).reshape(-1)
        return DFA(*reachable(table, accepting, self.start * n + other.start))

    def union(self, other: "DFA") -> "DFA":
        """Return the automaton of the words that either accepts."""
        return self.complement().intersection(other.complement()).complement()

    def prefixes(self) -> "DFA":
        """Return the automaton of all words that begin a word of the language."""
        return DFA(self.table, self.live, self.start)

    def states(self, word: Word) -> Ints:
        """Return the state after each prefix: shape (len(word) + 1,)."""
        rows: list[list[int]] = self.table.tolist()
        symbols = np.asarray(word, np.int64).tolist()
        if symbols and not 0 <= min(symbols) <= max(symbols) < self.n_symbols:
            raise SpecError(
                f"a word has symbols {min(symbols)}..{max(symbols)}; this DFA knows 0..{self.n_symbols - 1}"
            )
        path = [self.start]
        for symbol in symbols:
            path.append(rows[path[-1]][symbol])
        return np.array(path, np.int64)

    def contains(self, word: Word) -> bool:
        """Return whether the word is in the language."""
        return bool(self.accepting[self.states(word)[-1]])

    def count(self, n: int) -> int:
        """Return the exact number of words of length n."""
        return exact.count(self.table, self.accepting, self.start, _length(n))

    def has_words(self, n: int) -> bool:
        """Return whether the language has a word of length n."""
        return self._uniform.any(_length(n), self.start)

    def lengths(self, longest: int) -> list[int]:
        """Return the lengths up to `longest` that have a word, ascending."""
        can, possible = self.accepting, []
        for n in range(_length(longest) + 1):
            if can[self.start]:
                possible.append(n)
            can = np.asarray(can[self.table].any(axis=1))
        return possible

    def sample(self, n: int, rng: np.random.Generator) -> Ints:
        """Return a word of length n, uniform among all of them.

        Takes one uniform number a symbol. Raises SpecError where there is no
        such word, naming the nearest lengths that have one.
        """
        return self._words(n).sample(n, self.start, rng)

    def laws(self, word: Word) -> Floats:
        """Return the law of each symbol of a word given those before it, under the uniform law at its length.

        p(a | u) = N_{n-|u|-1}(q_ua) / N_{n-|u|}(q_u), with N_r(q) the number of
        accepted words of length r from state q. Shape (n + 1, n_symbols). Rows
        are NaN where no word of this length goes on: the last one, and those
        after a prefix that begins none. Raises SpecError where no word has this length.
        """
        path = self.states(word)
        return self._words(path.size - 1).laws(path, np.arange(path.size)[::-1])

    def conditional(self, prefix: Word, n: int) -> Floats:
        """Return the law of the symbol after a prefix, under the uniform law on words of length n.

        Shape (n_symbols,); NaN where no word of length n goes on from here.
        Raises SpecError where no word has length n or the prefix is longer.
        """
        state, left = self._after(prefix, n)
        return np.asarray(self._uniform.laws(np.array([state]), np.array([left]))[0])

    def exact_conditional(self, prefix: Word, n: int) -> tuple[Fraction, ...] | None:
        """Return what `conditional` does as fractions, None where it is NaN."""
        state, left = self._after(prefix, n)
        return exact.conditional(self.table, self.accepting, state, left)

    def exact_sample(self, n: int, rng: np.random.Generator) -> Ints:
        """Return a word of length n, uniform among all of them without any rounding.

        Keeps n * n_states integers of up to n * log2(n_symbols) bits.
        """
        of_length = exact.counts(self.table, self.accepting, _length(n))
        if not of_length[n][self.start]:
            self._refuse(n)
        rank = exact.below(of_length[n][self.start], rng)
        return exact.word(self.table, of_length, self.start, rank)

    def word(self, n: int, rank: int) -> Ints:
        """Return the word of length n with this rank, from 0, in lexicographic order.

        Raises SpecError if there are not so many.
        """
        of_length = exact.counts(self.table, self.accepting, _length(n))
        if not 0 <= rank < of_length[n][self.start]:
            raise SpecError(
                f"rank={rank!r} of words of length {n}: there are {of_length[n][self.start]}, from 0"
            )
        return exact.word(self.table, of_length, self.start, rank)

    def _after(self, prefix: Word, n: int) -> tuple[int, int]:
        """Return the state after a prefix and how many symbols are left of n."""
        self._words(n)
        path = self.states(prefix)
        if path.size - 1 > n:
            raise SpecError(f"a prefix of {path.size - 1} symbols begins no word of length {n}")
        return int(path[-1]), n - path.size + 1

    def _words(self, n: int) -> UniformWords:
        """Return the law of words of length n. Raises SpecError if there is none."""
        if not self.has_words(n):
            self._refuse(n)
        return self._uniform

    def _refuse(self, n: int) -> NoReturn:
        """Raise the SpecError that says which lengths near n have words."""
        possible = self.lengths(n + self.n_states)  # a longer word shortens by a cycle of states
        near = [
            max((m for m in possible if m < n), default=None),
            min((m for m in possible if m > n), default=None),
        ]
        allowed = " and ".join(str(m) for m in near if m is not None)
        raise SpecError(
            f"no word of length {n} in this language; "
            + (f"nearest lengths that have one: {allowed}" if allowed else "it has no word at all")
        )


def _length(n: int) -> int:
    if n < 0:
        raise SpecError(f"length={n!r} must be >= 0")
    return n
