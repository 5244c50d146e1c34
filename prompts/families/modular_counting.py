"""Words in which one letter is counted modulo a number; the other letters are neutral.

The first of `symbols` counts, all others do not: no window of fixed width
tells the count. `task: member` shows words in which the count is 0 modulo
`modulus`, so that what the count decides is where a word may end; modulus 2 is
the language of parity. `task: answer` shows any words, each followed by "=" and
the count modulo `modulus`. The modulus is in 1..`max_modulus`, at most 10.

Words stand between "|" and none is ever cut; each is uniform among those of its
length. Its number of letters is geometric with mean `mean_size` from 1 on, and
all are conditioned on the total length of the sequence: a longer one does not
start with the shorter one.

The law knows modulus and total, observers not the total. The ideal one,
`moduli`, holds 1..`max_modulus` for equally probable; `language` knows the
modulus. `ctw` weighs context trees of depth 5, `backoff` counts k-grams up to
5, `kt` symbols. Where the word cannot be of any language that they hold for
possible, the first two say what `kt` does up to the next separator.

Example: task: answer, mean_size: 5, rendered without a separator

    prompt 'baaabb=0|a=1|ba=1|baaab='
    target '0', number of a modulo 3 is written
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.automata import DFA
from harness.prompts.later import later
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff
from harness.prompts.observers.word_automata import Languages
from harness.prompts.regular_words import ANSWER, answered, regular
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.words import Words, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "moduli"
ANSWERS = "task: answer"
_LARGEST = 10  # residues are written as one digit
Task = Literal["member", "answer"]


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    modulus: int = 3,
    task: Task = "member",
    max_modulus: int = 6,
    mean_size: float = 8.0,
    symbols: str | tuple[str, ...] = ("a", "b"),
) -> Sequence:
    """Draw the sizes of the words one by one, and each word."""
    letters = alphabet_of(symbols)
    if not 1 <= modulus <= max_modulus <= _LARGEST:
        raise SpecError(
            f"family 'modular_counting': modulus={modulus!r} must be in 1..max_modulus "
            f"({max_modulus!r}), which must be at most {_LARGEST}"
        )
    residues = tuple(map(str, range(max_modulus)))
    alphabet = with_separator(
        alphabet_of((*letters, ANSWER, *residues)) if task == "answer" else letters, "words"
    )
    words = Words(
        regular(_automaton(modulus, len(letters), max_modulus, task)), "words", "geometric", mean_size
    )
    drawn, _ = words.draw(length, rng)
    seen = later(
        observe,
        drawn,
        alphabet,
        modulus=modulus,
        task=task,
        max_modulus=max_modulus,
        mean_size=mean_size,
    )
    what = "0" if task == "member" else "written"
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=seen,
        ideal=IDEAL,
        concept=f"number of {letters[0]} modulo {modulus} is {what}",
        answers=modulus * (np.append(-1, drawn)[:-1] == len(letters))
        if task == "answer"
        else None,  # after "="
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    modulus: int,
    task: Task,
    max_modulus: int,
    mean_size: float,
) -> dict[str, Floats]:
    """Predict from the words so far: with any modulus, with this one, and from what symbols followed before."""
    m = len(alphabet)
    n_letters = m - 1 - (max_modulus + 1 if task == "answer" else 0)
    every = _languages(tuple(range(1, max_modulus + 1)), n_letters, max_modulus, task)
    known = _languages((modulus,), n_letters, max_modulus, task)
    return {
        "moduli": every.predict(symbols, mean_size),
        "language": known.predict(symbols, mean_size),
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }


@lru_cache(maxsize=32)
def _languages(moduli: tuple[int, ...], n_letters: int, n_residues: int, task: Task) -> Languages:
    return Languages([_automaton(k, n_letters, n_residues, task) for k in moduli])


def _automaton(modulus: int, n_letters: int, n_residues: int, task: Task) -> DFA:
    state = np.arange(modulus)
    table = np.stack([(state + 1) % modulus, *[state] * (n_letters - 1)], axis=1)
    return answered(table, state, n_residues) if task == "answer" else DFA(table, state == 0)
