"""One condition over the checkpoints of a training series: p over context length and training step."""

from dataclasses import dataclass

from harness.types.curve import Transition
from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True)
class Appearance:
    """How p(target) at one context length changes over training."""

    context_length: float
    transition: Transition  # its level is the training step, on a log2 axis


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointSeries:
    """The curves of one condition at every checkpoint of one series, and the transitions in both directions."""

    series: str  # model name without its step, e.g. "local/icl-mixture"
    id: str  # of the condition, the same as of its curves
    title: str
    control: str | None
    chance: float
    step: Floats  # (n_steps,), training steps, ascending
    level: Floats  # (n_levels,), context lengths measured at every checkpoint
    mean: Floats  # (n_steps, n_levels), p(target)
    low: Floats  # (n_steps, n_levels), 95 % interval of the mean over sequences
    high: Floats
    ideal: Floats  # (n_levels,), p(target) of the ideal observer, the same at every checkpoint
    over_context: tuple[Transition, ...]  # one a step: the transition of that checkpoint's curve
    over_training: tuple[Appearance, ...]  # at some context lengths, ascending


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """Where in training one behaviour comes, over series that differ in their seed."""

    id: str  # of the condition
    title: str
    control: str | None
    context_length: float
    series: tuple[str, ...]
    location: tuple[float | None, ...]  # training step of each series, None where no single change was placed
    width: tuple[float | None, ...]  # 10-90 %, in steps
    last: float  # training step that all were followed to
    mean: float  # geometric mean of the locations
    low: float | None  # interval of that mean by bootstrap over seeds, None of fewer than three
    high: float | None
    octaves: float | None  # standard deviation of log2 location between seeds, None of one
