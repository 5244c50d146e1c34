"""Words of one of Tomita's seven regular languages: which of them is to be found from context.

The `language` is 1: 1*; 2: (10)*; 3: two readings, see below; 4: no 000; 5: an
even number of 0s and of 1s; 6: the numbers of 0s and of 1s are equal mod 3; 7:
0*1*0*1* (Tomita 1982). In 3 no odd run of 1s is followed by an odd run of 0s,
directly (`reading: adjacent`) or anywhere (`later`): both are in use. `reading`
is null for all other languages, and means adjacent where it is null for 3.

`stream: words` is a stream of words between "|", none ever cut. Each is uniform
among the words of its length. Its size, the rank of its length among those of
the language (1: the shortest that is not empty), is geometric with mean
`mean_size`, 8 if null and at most 32, and all are conditioned on the total length. `stream:
word` is one word, uniform among those of that length. The law depends on the
total: a longer sequence does not start with the shorter one.

The law knows language and total. The ideal observer, `tomita`, holds all eight
languages for equally probable; `language` knows which it is; `automata` holds
every infinite language of at most three states for possible (1, 2 and 6 are
among them), numbers of states being equally probable. In a stream they do not
know the total and take it for endless; of a single word they know the length,
so that `language` is the law. `ctw` weighs context trees of depth 5, `backoff`
counts k-grams up to 5, `kt` symbols. Where the word cannot be of any language
that they hold for possible, the first three say what `kt` does, in a stream up
to the next separator.

Example: rendered without a separator

    prompt '1010111100|00101111001|0'
    target '1', Tomita 4 (no 000)
"""

from functools import cache
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import automata, observers
from harness.prompts.automata import DFA
from harness.prompts.later import later
from harness.prompts.observers.automata import dfa_posterior
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff
from harness.prompts.observers.word_automata import Languages, small_languages
from harness.prompts.regular_words import regular
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.words import Stream, Words, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "tomita"
Reading = Literal["adjacent", "later"]
Key = tuple[int, Reading | None]
_MEAN_SIZE = 8.0
_LARGEST_MEAN = 32.0  # at which `automata` keeps 50 MB for words of 256..511 letters
_MAX_STATES = 3
_IN_WORDS: dict[Key, str] = {
    (1, None): "1*",
    (2, None): "(10)*",
    (3, "adjacent"): "no odd run of 1s directly before an odd run of 0s",
    (3, "later"): "no odd run of 1s anywhere before an odd run of 0s",
    (4, None): "no 000",
    (5, None): "even numbers of 0s and of 1s",
    (6, None): "numbers of 0s and of 1s equal mod 3",
    (7, None): "0*1*0*1*",
}


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    language: int = 4,
    reading: Reading | None = None,
    stream: Stream = "words",
    mean_size: float | None = None,
    symbols: str | tuple[str, ...] = "binary",
) -> Sequence:
    """Draw the sizes of the words one by one, and each word."""
    letters = alphabet_of(symbols)
    if len(letters) != 2:
        raise SpecError(f"family 'tomita': symbols={symbols!r} has {len(letters)} symbols; it needs 2")
    if stream == "word" and mean_size is not None:
        raise SpecError(f"family 'tomita': mean_size={mean_size!r} is for stream: words; leave it at null")
    if mean_size is not None and not 1 <= mean_size <= _LARGEST_MEAN:
        raise SpecError(f"family 'tomita': mean_size={mean_size!r} must be in 1..{_LARGEST_MEAN:g}")
    alphabet = with_separator(letters, stream)
    key = _key(language, reading)
    words = _words(automata.tomita(*key), stream, mean_size)
    drawn, _ = words.draw(length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=words.law(drawn),
        observers=later(
            observe, drawn, alphabet, language=language, reading=reading, stream=stream, mean_size=mean_size
        ),
        ideal=IDEAL,
        concept=f"Tomita {key[0]} ({_IN_WORDS[key]})",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    language: int,
    reading: Reading | None,
    stream: Stream,
    mean_size: float | None,
) -> dict[str, Floats]:
    """Predict from the words so far: of one of the languages, of this one, of a small one, of none."""
    m = len(alphabet)
    this = _key(language, reading)
    known = _one_word if stream == "word" else _stream
    return {
        **known(symbols, this, _MEAN_SIZE if mean_size is None else mean_size),
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        "kt": observers.kt(symbols, m),
    }


def _stream(symbols: Ints, this: Key, mean_size: float) -> dict[str, Floats]:
    return {
        "tomita": _languages(None).predict(symbols, mean_size),
        "language": _languages(this).predict(symbols, mean_size),
        "automata": small_languages().predict(symbols, mean_size),
    }


def _one_word(symbols: Ints, this: Key, _: float) -> dict[str, Floats]:
    return {
        "tomita": _of_one_length(symbols, [automata.tomita(*key) for key in _IN_WORDS]),
        "language": _of_one_length(symbols, [automata.tomita(*this)]),
        "automata": dfa_posterior(symbols, max_states=_MAX_STATES, prior="states"),
    }


@cache
def _languages(only: Key | None) -> Languages:
    return Languages([automata.tomita(*key) for key in ([only] if only else _IN_WORDS)])


def _of_one_length(symbols: Ints, every: list[DFA]) -> Floats:
    """Predict a word of one of the languages, equally probable, uniform among the words of its length."""
    n = symbols.size
    laws = np.nan_to_num(np.stack([dfa.laws(symbols) for dfa in every if dfa.has_words(n)]))
    with np.errstate(divide="ignore"):
        steps = np.log(laws[:, np.arange(n), symbols])
    log_p = np.cumsum(np.concatenate([np.zeros((len(laws), 1)), steps], axis=1), axis=1)
    top = log_p.max(axis=0)
    weight = np.exp(log_p - np.where(np.isfinite(top), top, 0.0))
    rows = (weight[:, :, None] * laws).sum(axis=0)
    total = rows.sum(axis=1, keepdims=True)
    return np.where(total > 0, rows / np.where(total > 0, total, 1.0), observers.kt(symbols, 2))


def _words(dfa: DFA, stream: Stream, mean_size: float | None) -> Words:
    return Words(regular(dfa), stream, "geometric", _MEAN_SIZE if mean_size is None else mean_size)


def _key(language: int, reading: Reading | None) -> Key:
    return language, "adjacent" if language == 3 and reading is None else reading
