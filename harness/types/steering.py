"""What steering does to behaviour: by layer, scale and direction, on sequences that nothing was chosen on."""

from dataclasses import dataclass

from harness.types.curve import SequenceCurve
from harness.types.law import Bounded, HeldOut, SteeringLaw
from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True, eq=False)
class SteeredCell:
    """One direction added at one layer and scale, on the held-out sequences of the positive label.

    `gain` is the mean change of p(target) over the context lengths before the
    unsteered behaviour changes; `off_target` that over all context lengths of
    the sequences of the negative label.
    """

    layer: int
    scale: float  # fraction of the mean residual norm
    natural: bool  # the raw vector, alpha = 1 or -1
    gain: Bounded
    chosen_by: float  # the same on the selection half
    off_target: Bounded
    mass: float  # mean captured mass under the intervention
    n_star: float | None  # where its own curve is half-way between the asymptotes, by the belief law
    shift: Bounded | None  # of N* against no steering, in symbols; at the chosen layer and natural scales


@dataclass(frozen=True, slots=True, eq=False)
class SteeringControl:
    """The same intervention with a vector that should do nothing of the kind, as long as the direction."""

    name: str  # "random", "wrong concept" or "untrained model"
    layer: int
    scale: float
    natural: bool
    gains: tuple[float, ...]  # one a draw
    n_stars: tuple[float | None, ...]
    mass: float


@dataclass(frozen=True, slots=True, eq=False)
class SteeringReading:
    """A sweep of one model in one task. Layer and scale were chosen on the selection half and frozen."""

    concept: str
    positive: str  # label steered towards by scales above 0
    negative: str
    wrong: tuple[str, str] | None
    made_of: str
    direction_lengths: tuple[int, ...]  # context lengths the direction was read at
    before_change: tuple[int, ...]  # context lengths before unsteered behaviour is half-way
    chosen_layer: int
    chosen_scale: float  # the tuned one; the natural scale is always reported beside it
    natural_scale: dict[int, float]  # layer -> alpha = 1 as a fraction of the residual norm
    cells: tuple[SteeredCell, ...]
    controls: tuple[SteeringControl, ...]  # at the chosen layer, every scale
    asymptotes: tuple[float, float] | None  # of the unsteered curve on the selection half, given to every fit
    level: Floats  # (n_levels,)
    base_n_star: float | None
    base: SequenceCurve  # unsteered, held-out sequences of the positive label
    curves: dict[float, SequenceCurve]  # scale -> the same at the chosen layer, 0 included
    law: SteeringLaw | None
    law_means: dict[float, Floats]  # scale -> p of the law at each level, of the scales that entered it
    held_out: tuple[HeldOut, ...]
    no_law: str  # why there is no law, "" where there is one
    self_patch: float  # largest change of log p in nat
    off_behaviour: float | None  # largest difference of the unsteered p from the stored behaviour
    chosen_on: int  # sequences of the selection half, of the positive label
    measured_on: int
    notes: tuple[str, ...] = ()

    def cell(self, scale: float, layer: int | None = None) -> SteeredCell:
        """Return the cell at a scale, of the chosen layer unless another is named."""
        at = self.chosen_layer if layer is None else layer
        return next(c for c in self.cells if c.layer == at and c.scale == scale)

    def share_as_good(self, scale: float) -> tuple[int, int]:
        """Return how many random directions change p as much as the direction, towards its sign, and of how many."""
        sign = 1.0 if scale > 0 else -1.0
        gain = sign * self.cell(scale).gain.value
        gains = [sign * g for c in self.controls if c.name == "random" and c.scale == scale for g in c.gains]
        return sum(g >= gain for g in gains), len(gains)
