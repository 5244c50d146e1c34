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
        "exact match",
        "Of gold answers (readout answer), whether the gold one is the most probable of the declared symbols; "
        "k symbols that tie count 1/k. Of drawn answers, the share of all draws that is the gold one. It is "
        "analysed as p is, sequence by sequence; the chance level of both is 1 over the number of answers that "
        "can come. Mean ln p(gold) is in nat, over the declared symbols.",
    ),
    (
        "discoveries",
        "The curves of one model are a family, those under its controls another. Exploring: the share of curves "
        "without a change is estimated from the family, and the largest set is taken whose mean posterior of "
        "none is at most the false discovery rate, no single one above 0.2. Confirming: e-BH on the Bayes "
        "factors of change against none.",
    ),
    (
        "conditions",
        "Controls that should keep or move a change against their curve, and models against each other, on the "
        "same sequences. P(later): that the half-way point of the second is later. p is two-sided, of no shift, "
        "adjusted by Holm's method; e-BH takes the same p-values as e-values.",
    ),
    (
        "other scorings",
        "The width of the same change in logit p (of each sequence; of the fit, for counts) and in accuracy "
        "(p > 0.5, a sequence). Exact match of L symbols is the fit to the power L; thresholding alone is what "
        "accuracy would be if p were no sharper than the fit, with the spread of logit p seen between sequences.",
    ),
    (
        "single sequences",
        "How widths and half-way points of single sequences are distributed, by maximum likelihood over all "
        "sequences; noise that is correlated along a sequence can add to the spread. A mean over sharp changes "
        "at scattered places is gradual.",
    ),
    (
        "failures",
        "A failed, refused, filtered, truncated or overlong call is in neither k nor n; it is counted at its "
        "context length and drawn under the curve.",
    ),
)


_OF_COGNITION = (
    (
        "mixture of observers",
        "The convex combination of the observers' laws that is nearest to the model's, in the mean KL "
        "divergence over sequences, at each context length by itself. Where observers say the same, their "
        "weights are not determined. The lead passes at a context length where one split of the range between "
        "two observers carries most weight, in at least 95 % of resampled runs of the same sequences.",
    ),
    (
        "cognitive models",
        "Fitted by the likelihood of whole sequences given the true symbols before each, to the model's laws "
        "(each row counts as one symbol of fractional outcome) or to the symbols it drew. Log-loss: of "
        "sequences not fitted to, by cross-validation over whole sequences, in bits a symbol, ± one standard "
        "error over sequences. Behind: its paired difference to the best. BIC: k log(n) - 2 log-likelihood, in "
        "nats, of n scored symbols. Parameters: ± one standard error (sandwich, sequences as units), none at a "
        "bound of the search, on a grid or where not identified.",
    ),
)

_OF_TEXTS = (
    (
        "sequences written",
        "The model writes freely, behind none or some given symbols, which are in no statistic. Its text is read "
        "from the beginning up to the length asked for, or to the first piece that is no symbol; what ended earlier "
        "is a shorter sequence. Statistics are averaged over sequences, with Student's 95 % interval (of the spread: "
        "resampled sequences).",
    ),
    (
        "ideal generator",
        "Independent draws of the law asked for, in as many sequences of the same lengths: the mean of such means, "
        "and their middle 95 %, simulated. p is two-sided under this generator, and not corrected for the number of "
        "statistics. Sequences that each have a bias of their own, or that even out, differ from it in their spread.",
    ),
)


def methods(results: Sequence[RunResult]) -> tuple[tuple[str, str], ...]:
    """Return (term, definition) pairs, the thresholds of these runs included."""
    options = " / ".join(dict.fromkeys(options_words(run.options) for run in results))
    asked = any(curve.cognition is not None for run in results for curve in run.curves)
    definitions = _DEFINITIONS + (_OF_COGNITION if asked else ())
    definitions += _OF_TEXTS if any(run.generations for run in results) else ()
    return tuple((term, text.format(options=options)) for term, text in definitions)
