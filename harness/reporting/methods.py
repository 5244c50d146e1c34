"""How the numbers of a report are defined: one text for the HTML, PDF and LaTeX reports."""

from collections.abc import Sequence

from harness.reporting.wording import options_words
from harness.types import RunResult

_DEFINITIONS = (
    (
        "p",
        "The probability of the target, renormalised over the symbols that the suite declares. The raw "
        "probability and the captured mass (what the declared symbols hold of the whole distribution) are "
        "drawn below each curve. For counted answers p is k/n.",
    ),
    (
        "band",
        "The 95 % interval of the mean over sequences (over answers, for counts). Where context lengths are "
        "nested prefixes of a sequence, neighbouring points of a curve are correlated; the sequences are "
        "independent, and intervals are made over them. Every model gets the same sequences.",
    ),
    (
        "location",
        "The context length at which the fitted curve is half-way between its asymptotes, with its interval.",
    ),
    ("width", "The distance between the context lengths at which 10 % and 90 % of the change is done."),
    (
        "verdict",
        "The class that the data support (none, gradual, sharp or multiple), or undetermined if they do not "
        "decide: {options}.",
    ),
    (
        "ideal observer",
        "The Bayes-optimal prediction of the same sequences under the task's own prior. A curve that is "
        "sharp where the ideal observer is equally sharp is not a property of the model.",
    ),
    (
        "excess delay",
        "The location of the model less that of its ideal observer. Where the model has no location it is a "
        "lower bound (≥); where the observer has none it is not defined.",
    ),
    (
        "beyond",
        "The same analysis of p of the model less p of a baseline observer: whether a transition is left "
        "that the observer does not share.",
    ),
    (
        "controls",
        "A control that destroys order still teaches what it keeps: a shuffle the frequencies of symbols, a "
        "shuffle of k-grams all k-grams. It is judged against an observer of just that: the question is "
        "whether a transition beyond it survives. Controls that keep the concept (other names, a distractor, "
        "a new concept half-way) are judged against the ideal observer that is told of them.",
    ),
    (
        "failures",
        "A failed, refused, filtered, truncated or overlong call is in neither k nor n; it is counted at its "
        "context length and drawn under the curve.",
    ),
)


def methods(results: Sequence[RunResult]) -> tuple[tuple[str, str], ...]:
    """Return (term, definition) pairs, the thresholds of these runs included."""
    options = " / ".join(dict.fromkeys(options_words(run.options) for run in results))
    return tuple((term, text.format(options=options)) for term, text in _DEFINITIONS)
