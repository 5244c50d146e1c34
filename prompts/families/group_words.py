"""Products of the generators of a group, S3 or A5: the word problem, and products written out.

Two letters stand for two generators: of `s3` a swap and a rotation, of `a5`, the
smallest group that is not solvable, one of order 2 and one of order 3. Which is
which is drawn for each sequence. `form: each` is an endless stream in which the
product so far follows each letter, `end` words of letters, each followed by "="
and its product. Names of elements are letters and digits shuffled for each
sequence. In `identity`, the word problem, words multiply to the identity, so
that what the product decides is where a word may end; there are no names.

In `end` and `identity` words stand between "|" and none is ever cut; each is
uniform among those of its length, and all are conditioned on the total length
of the sequence: a longer one does not start with the shorter one. Their size,
the number of letters (in `identity` less 1: the shortest has 2), is geometric with
mean `mean_size`, 6 if null; in `each`, which has no words, it must be null.

The ideal observer, `group`, knows all but which letter is which and the names:
an element that came before has its name, any other is equally likely to have
each name not used yet. `format` knows how sequences look and takes products for
uniform, in `identity` the words too. `ctw` weighs context trees of depth 5,
`backoff` counts k-grams up to 5, `kt` symbols, and `unigram_sparse` which are
in use, too: in `each` the last element and letter decide, once each pair of
them came, when `group` needs each element once. What breaks the format is
predicted as `kt` would up to the next "|"; what no naming explains is evidence
for none.

Example: form: each, rendered with separator " "

    prompt ' y B y E y B y E y B x F x D x B x F y C y F y C x E'
    target ' x', E is the identity, x is of order 3, y of 2
"""

from functools import cache
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import automata
from harness.prompts.automata import DFA, Group
from harness.prompts.draws import integers_below, permutation
from harness.prompts.later import later
from harness.prompts.observers.ctw import ctw
from harness.prompts.observers.ngram import backoff
from harness.prompts.observers.sparse import unigrams
from harness.prompts.observers.word_automata import Languages
from harness.prompts.regular_words import ANSWER, answered, regular
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.words import Words, with_separator
from harness.types import Floats, Ints, Sequence

IDEAL = "group"
ANSWERS = "form: each, form: end"
_MEAN_SIZE = 6.0
_NAMES = ascii_uppercase + ascii_lowercase + digits
_ANY_TWO = DFA(
    np.array([[1, 1], [2, 2], [2, 2]]), np.array([False, False, True])
)  # words of at least two letters
_ANSWERED = answered(np.zeros((1, 2), np.int64), np.zeros(1, np.int64), 1)  # with one symbol for all elements
Form = Literal["each", "end", "identity"]


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    group: Literal["s3", "a5"] = "s3",
    form: Form = "end",
    mean_size: float | None = None,
    symbols: str | tuple[str, ...] = ("x", "y"),
) -> Sequence:
    """Draw which letter is which and the names, then the words in order."""
    letters = alphabet_of(symbols)
    if len(letters) != 2:
        raise SpecError(f"family 'group_words': symbols={symbols!r} has {len(letters)} symbols; it needs 2")
    if form == "each" and mean_size is not None:
        raise SpecError(f"family 'group_words': mean_size={mean_size!r} with form: each, which has no words")
    known = automata.group(group)
    generators = known.generators[:: 1 - 2 * int(integers_below(2, 1, rng)[0])]
    concept = f"{letters[0]} is of order {_order(known, generators[0])}, {letters[1]} of {_order(known, generators[1])}"
    if form == "identity":
        alphabet = with_separator(letters, "words")
        words = Words(regular(known.word_problem(generators)), "words", "geometric", _mean(mean_size))
        drawn, _ = words.draw(length, rng)
        law = words.law(drawn)
        answers = None
    else:
        names = permutation(known.order, rng)
        alphabet = _alphabet(letters, known, form)
        kinds, law_of_kinds = _kinds(length, rng, form, _mean(mean_size))
        path = _products(kinds, known, generators, form)
        drawn = np.where(kinds > _element(form), kinds + known.order - 1, kinds)
        at = np.flatnonzero(kinds == _element(form))
        drawn[at] += names[path[at]]
        law = _spread(law_of_kinds, np.eye(known.order)[names[path]], form)
        answers = known.order * (kinds == _element(form))
        concept = f"{alphabet[_element(form) + int(names[0])]} is the identity, {concept}"
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=law,
        observers=later(observe, drawn, alphabet, group=group, form=form, mean_size=mean_size),
        ideal=IDEAL,
        concept=concept,
        answers=answers,
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    group: Literal["s3", "a5"],
    form: Form,
    mean_size: float | None,
) -> dict[str, Floats]:
    """Predict from products, with names found out, and from what symbols followed before."""
    m = len(alphabet)
    known = automata.group(group)
    if form == "identity":
        ideal = _word_problems(group).predict(symbols, _mean(mean_size))
        plain = _one(_ANY_TWO).predict(symbols, _mean(mean_size))
    else:
        element = _element(form)
        kinds = np.where(symbols < element, symbols, np.maximum(symbols - known.order + 1, element))
        rows = _alternating(kinds)
        if form == "end":
            rows = _one(_ANSWERED).predict(kinds, _mean(mean_size))
        names = _names(symbols - element, kinds, known, form)
        ideal = _spread(rows, names, form)
        plain = _spread(rows, np.full_like(names, 1 / known.order), form)
    return {
        "group": ideal,
        "format": plain,
        "ctw": ctw(symbols, m, depth=5),
        "backoff": backoff(symbols, m, k=5),
        **unigrams(symbols, m),
    }


def _names(names: Ints, kinds: Ints, group: Group, form: Form) -> Floats:
    """Return the law of an element's name at each row, should one come: (n + 1, order).

    The two ways to give letters generators are equally probable, and so are all namings.
    """
    orders = (group.generators, group.generators[::-1])
    paths = np.array([_products(kinds, group, generators, form) for generators in orders])
    way = np.arange(2)
    laws = np.full((2, group.order, group.order), 1 / group.order)  # of the name of each element
    named = np.zeros((2, group.order), np.bool_)
    unused = np.ones((2, group.order))
    weight = np.full(2, 0.5)
    rows = np.empty((kinds.size + 1, group.order))
    start = 0
    for t in [*np.flatnonzero(kinds == _element(form)).tolist(), kinds.size]:
        rows[start : t + 1] = np.einsum("w,wta->ta", weight, laws[way[:, None], paths[:, start : t + 1]])
        start = t + 1
        if t == kinds.size:
            break
        name = int(names[t])
        likely = weight * laws[way, paths[:, t], name]
        if not likely.any():
            continue
        weight = likely / likely.sum()
        for i in np.flatnonzero((likely > 0) & ~named[way, paths[:, t]]).tolist():
            named[i, paths[i, t]] = True
            unused[i, name] = 0
            laws[i, paths[i, t]] = np.arange(group.order) == name
            laws[i, ~named[i]] = unused[i] / max(unused[i].sum(), 1)
    return rows


def _products(kinds: Ints, group: Group, generators: tuple[int, ...], form: Form) -> Ints:
    """Return the product of the letters so far, of its word in form "end": (n + 1,)."""
    then = group.product[:, list(generators)].tolist()
    path = [0]
    for kind in kinds.tolist():
        path.append(then[path[-1]][kind] if kind < 2 else 0 if kind > _element(form) else path[-1])
    return np.array(path, np.int64)


def _kinds(length: int, rng: np.random.Generator, form: Form, mean_size: float) -> tuple[Ints, Floats]:
    """Draw letters and the places of "=", elements and "|", and return their law."""
    if form == "end":
        words = _answered(mean_size)
        kinds, _ = words.draw(length, rng)
        return kinds, words.law(kinds)
    kinds = np.full(length, _element(form))
    kinds[::2] = integers_below(2, (length + 1) // 2, rng)
    return kinds, _alternating(kinds)


def _alternating(kinds: Ints) -> Floats:
    """Return the law of form "each": an element after a letter, and after nothing else."""
    after_letter = np.append(False, kinds < 2)
    return np.where(after_letter[:, None], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0])


def _answered(mean_size: float) -> Words:
    """Return words of letters, "=" and an element."""
    return Words(regular(_ANSWERED), "words", "geometric", mean_size)


def _spread(rows: Floats, names: Floats, form: Form) -> Floats:
    """Share what `rows` give to an element among the names."""
    e = _element(form)
    return np.concatenate([rows[:, :e], rows[:, e : e + 1] * names, rows[:, e + 1 :]], axis=1)


def _element(form: Form) -> int:
    """Return the first symbol that is an element; the letters are 0 and 1, "=" is 2."""
    return 2 if form == "each" else 3


def _alphabet(letters: tuple[str, ...], group: Group, form: Form) -> tuple[str, ...]:
    names = tuple(name for name in _NAMES if name not in letters)[: group.order]
    if form == "each":
        return alphabet_of((*letters, *names))
    return with_separator(alphabet_of((*letters, ANSWER, *names)), "words")


@cache
def _one(dfa: DFA) -> Languages:
    return Languages([dfa])


@cache
def _word_problems(name: str) -> Languages:
    group = automata.group(name)
    return Languages([group.word_problem(order) for order in (group.generators, group.generators[::-1])])


def _order(group: Group, element: int) -> int:
    """Return the least power of an element that is the identity."""
    power, n = element, 1
    while power:
        power, n = int(group.product[power, element]), n + 1
    return n


def _mean(mean_size: float | None) -> float:
    return _MEAN_SIZE if mean_size is None else mean_size
