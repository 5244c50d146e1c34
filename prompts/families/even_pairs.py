"""Words with an even number of changes of letter: the first and the last letter are the same.

The language of even pairs (Delétang et al. 2023). The number of pairs ab and ba
is even exactly where the first letter is the last one too, so that looking up
two places is as good as counting; `pairs: odd` asks for different letters.
`task: member` shows words of the language, so that what is decided is where a
word may end. `task: answer` shows any words, each followed by "=" and 1 if it
is of the language, 0 if not.

Words stand between "|" and none is ever cut; each is uniform among those of its
length. The number of its letters, or the rank of that among the lengths of the
language, is geometric with mean `mean_size` from 1 on, and all are conditioned
on the total length of the sequence: a longer one does not start with the
shorter one.

The law knows pairs and total, observers not the total. The ideal one, `pairs`,
holds even and odd for equally probable; `language` knows which. `ends` holds
every language for possible that first and last letter decide, of 15 that are
not empty (16 with `answer`). `ctw` weighs context trees of depth 5, `backoff`
counts k-grams up to 5, `kt` symbols. Where the word cannot be of any language
that they hold for possible, the first three say what `kt` does up to the next
separator.

Example: task: answer, mean_size: 5, rendered without a separator

    prompt 'baaabb=1|a=1|ba=0|baaab='
    target '1', first and last letter the same
"""

from functools import cache
from itertools import product
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

IDEAL = "pairs"
Task = Literal["member", "answer"]
Pairs = Literal["even", "odd"]
Ends = tuple[bool, ...]  # is a word in, whose first and last letters are aa, ab, ba, bb?
_ENDS: dict[Pairs, Ends] = {"even": (True, False, False, True), "odd": (False, True, True, False)}
# state 0 has read nothing, 1 + 2 * first + last something
_TABLE = np.array([[1, 4], [1, 2], [1, 2], [3, 4], [3, 4]])


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    pairs: Pairs = "even",
    task: Task = "member",
    mean_size: float = 8.0,
    symbols: str | tuple[str, ...] = ("a", "b"),
) -> Sequence:
    """Draw the sizes of the words one by one, and each word."""
    letters = alphabet_of(symbols)
    if len(letters) != 2:
        raise SpecError(f"family 'even_pairs': symbols={symbols!r} has {len(letters)} symbols; it needs 2")
    alphabet = with_separator(
        alphabet_of((*letters, ANSWER, "0", "1")) if task == "answer" else letters, "words"
    )
    words = Words(regular(_automaton(_ENDS[pairs], task)), "words", "geometric", mean_size)
    drawn, _ = words.draw(length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(observe, drawn, alphabet, pairs=pairs, task=task, mean_size=mean_size),
        ideal=IDEAL,
        concept=f"first and last letter {'the same' if pairs == 'even' else 'different'}",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    pairs: Pairs,
    task: Task,
    mean_size: float,
) -> dict[str, Floats]:
    """Predict from the words so far: with either parity, with this one, with any rule of both ends, with none."""
    m = len(alphabet)
    every = tuple(ends for ends in product([False, True], repeat=4) if task == "answer" or any(ends))
    return {
        "pairs": _languages(tuple(_ENDS.values()), task).predict(symbols, mean_size),
        "language": _languages((_ENDS[pairs],), task).predict(symbols, mean_size),
        "ends": _languages(every, task).predict(symbols, mean_size),
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }


@cache
def _languages(every: tuple[Ends, ...], task: Task) -> Languages:
    return Languages([_automaton(ends, task) for ends in every])


def _automaton(ends: Ends, task: Task) -> DFA:
    accepted = np.array([False, *ends])
    return answered(_TABLE, accepted.astype(np.int64), 2) if task == "answer" else DFA(_TABLE, accepted)
