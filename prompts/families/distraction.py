r"""Flips of a repeated pattern where the answer to a question should stand.

The task is that of Bigelow et al. (2024, App. E). A multiple-choice question,
its options A to D in drawn order, ends in "Answer:". What follows is no answer:
`pattern` repeated, from a place of it that is drawn. The question stands before
the sequence and is no part of the context length. `question` is the name of
one, a subject (physics, arithmetic, biology, psychology, philosophy: two each),
or "any" of the ten, drawn for each sequence; "none" writes nothing before the
flips: the control.

The alphabet is the flips and the four letters, so that p(target) is the
probability that a model has gone over from answering to going on with the
flips. No letter ever comes in the sequence, before the first flip neither.

The ideal observer, `answer_or_flips`, gives `prior_answer` to a question that
is to be answered, by a letter with probability `p_answer` at each place, and
the rest to flips that go on as `periodic` expects (`max_period`,
`prior_random`): each flip that comes is evidence of those. `flips` expects them
from the start, as both do where there is no question. `kt` counts symbols, and
`unigram_sparse` finds out which of them come. After a letter all do as `kt`.

Example: question: physics_1, rendered with separator ", "

    prompt 'What is the unit of electric resistance?\nA. volt\nB. watt\nC. ohm\nD. farad\nAnswer: T, H, T,'
    target ' H', TH repeated after physics_1, whose answer is C
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below
from harness.prompts.later import later
from harness.prompts.observers.answering import answer_or_continue
from harness.prompts.observers.sparse import unigrams
from harness.prompts.questions import OPTIONS, draw_question
from harness.prompts.symbols import alphabet as alphabet_of
from harness.prompts.symbols import indices, joined
from harness.types import Floats, Ints, Sequence

IDEAL = "answer_or_flips"
NO_QUESTION = "none"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    question: str = "any",
    pattern: str | tuple[str, ...] = "HT",
    symbols: str | tuple[str, ...] = "coin",
    prior_answer: float = 0.9,
    p_answer: float = 0.9,
    max_period: int = 16,
    prior_random: float = 0.5,
) -> Sequence:
    """Draw where the pattern begins, then the question and the order of its options."""
    flips = alphabet_of(symbols)
    if set(flips) & set(OPTIONS):
        raise SpecError(
            f"family 'distraction': symbols={symbols!r} hold an option, {', '.join(OPTIONS)}; take others"
        )
    alphabet = (*flips, *OPTIONS)
    repeated = indices(pattern, flips, "family 'distraction'")
    repeated = np.roll(repeated, -int(integers_below(repeated.size, 1, rng)[0]))
    expected = repeated[np.arange(length + 1) % repeated.size]
    concept, before = f"{joined(tuple(flips[s] for s in repeated))} repeated", ""
    if question != NO_QUESTION:
        found, before, right = draw_question(question, rng)
        concept += f" after {found.name}, whose answer is {right}"
    drawn = expected[:length]
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=np.eye(len(alphabet))[expected],
        observers=later(
            observe,
            drawn,
            alphabet,
            question=question,
            prior_answer=prior_answer,
            p_answer=p_answer,
            max_period=max_period,
            prior_random=prior_random,
        ),
        ideal=IDEAL,
        concept=concept,
        before=before,
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    question: str,
    prior_answer: float,
    p_answer: float,
    max_period: int,
    prior_random: float,
) -> dict[str, Floats]:
    """Predict from what the flips say of each other, and of whether an answer is still to come."""
    m, n_flips = len(alphabet), len(alphabet) - len(OPTIONS)
    plain = unigrams(symbols, m)
    letters = np.flatnonzero(symbols >= n_flips)
    known = symbols[: letters[0]] if letters.size else symbols  # before the first letter
    rows = np.zeros((symbols.size + 1, m))
    rows[: known.size + 1, :n_flips] = observers.period(
        known, n_flips, max_period=max_period, prior_random=prior_random, distinct=False
    )
    flips = np.where(np.arange(symbols.size + 1)[:, None] > known.size, plain["kt"], rows)
    both = flips.copy()
    if question != NO_QUESTION:
        both[: known.size + 1] = answer_or_continue(
            known,
            rows[: known.size + 1],
            n_options=len(OPTIONS),
            prior_answer=prior_answer,
            p_answer=p_answer,
        )
    return {"answer_or_flips": both, "flips": flips, **plain}
