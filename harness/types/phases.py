"""Which of several observers a model is nearest to, by context length and training step, and where the lead passes."""

from dataclasses import dataclass

from harness.types.curve import Transition
from harness.types.sequence import Bools, Floats, Ints, Params


@dataclass(frozen=True, slots=True)
class Passage:
    """The lead passing from one observer to another in training, at one context length. Places are training steps.

    `transition` is the analyzer's, over log2 steps, of how close each sequence's
    predictions are to `after` rather than `before`, in 0..1, along the stretch of
    training in which no third observer leads.
    """

    context_length: float
    before: str
    after: str
    last_before: float  # last checkpoint at which `before` is nearest
    first_after: float  # first one at which `after` is
    location: float  # where their mean divergences cross, between these two
    low: float  # interval over resampled sequences, the checkpoints on either side taken in
    high: float
    transition: (
        Transition | None
    )  # see the class; None where fewer than three checkpoints are in that stretch


@dataclass(frozen=True, slots=True, eq=False)
class PhaseMap:
    """How far each observer is from the checkpoints of one series in one condition, and which is nearest.

    The divergence is KL(observer, model) in bits: what the model loses on a symbol
    where the observer is right. `rival` is the observer that is hardest to tell
    from the nearest one.
    """

    series: str  # model name without its step
    id: str  # of the condition, the same as of its curves
    title: str
    family: str
    params: Params
    control: str | None
    observers: tuple[str, ...]  # those that predict the same everywhere are one, as in "mixture = bigram"
    sequences: int
    step: Floats  # (n_steps,), training steps, ascending
    level: Floats  # (n_levels,), context lengths
    divergence: (
        Floats  # (n_steps, n_levels, n_observers), mean over sequences, NaN where nothing was measured
    )
    nearest: Ints  # (n_steps, n_levels), index into `observers`, -1 where nothing was measured
    rival: Ints  # likewise
    margin: Floats  # (n_steps, n_levels), mean divergence of the rival less that of the nearest
    low: Floats  # its 95 % interval over resampled sequences
    high: Floats
    decided: Bools  # (n_steps, n_levels), whether the interval is above 0
    passages: tuple[Passage, ...]  # at some context lengths, ascending, each in the order of training
