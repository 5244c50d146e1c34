"""Hidden capability: what a checkpoint does when asked, when asked strongly, and when its latents are moved."""

from dataclasses import dataclass
from typing import Literal

from harness.types.law import Bounded
from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True, eq=False)
class CapabilityReading:
    """One checkpoint on the held-out trials; every score is the agreement with the law that the evidence implies.

    Agreement is 1 - total variation between the model's law over the declared
    symbols and the implied one, in [0, 1]. Layer, scale and strength were chosen
    on the other trials.
    """

    naive: Floats  # (n_trials,), the prompt as it is
    over: Floats  # (n_trials,), the prompt with its evidence repeated
    natural: Floats  # (n_trials,), the latent moved from between the classes to one, alpha = 1
    tuned: Floats  # (n_trials,), the same at the chosen scale
    random: Floats  # (n_draws, n_trials), random directions as long, at the chosen layer and scale
    random_natural: Floats  # (n_draws, n_trials), the same at alpha = 1
    wrong: Floats  # (n_trials,), another concept's direction as long, at the chosen layer and scale
    layer: int  # of `tuned`
    scale: float  # alpha of `tuned`
    natural_layer: int
    strength: int  # of `over`: how often the evidence is repeated
    best: Literal["naive", "over", "latent"]  # the way of asking that is best on the trials chosen on
    alpha_norm: float  # length added at alpha = 1, layer `layer`, as a fraction of the residual norm
    mass: tuple[float, float]  # of the declared symbols, mean: naive, tuned
    off_target: float  # mean total variation made on prompts of another concept by the tuned addition

    @property
    def able(self) -> Floats:
        """Agreement of each held-out trial by the way of asking that was chosen."""
        return {"naive": self.naive, "over": self.over, "latent": self.tuned}[self.best]


@dataclass(frozen=True, slots=True)
class Gap:
    """What a checkpoint can do beyond what it does when asked: differences of mean agreement, trials resampled."""

    latent: Bounded  # tuned less naive
    natural: Bounded  # alpha = 1 less naive
    over: Bounded  # over-prompting less naive
    beyond_random: Bounded  # tuned less the mean of the random directions
    random_as_good: tuple[int, int]  # random directions with a mean at least that of `tuned`, of how many
    least: float  # smallest gap that counts as one

    @property
    def clear(self) -> bool:
        """Whether the latent gap is above 0 and beyond every random direction, however small."""
        return self.latent.low > 0 and self.beyond_random.low > 0 and self.random_as_good[0] == 0

    @property
    def shown(self) -> bool:
        """Whether it is clear and large enough to count."""
        return self.clear and self.latent.value >= self.least


@dataclass(frozen=True, slots=True, eq=False)
class Capability:
    """What one checkpoint can and does in one task, with everything that was chosen to say so."""

    reading: CapabilityReading
    gap: Gap
    untrained: CapabilityReading | None  # the same network, its weights drawn anew
    untrained_gap: Gap | None
    concept: str
    positive: tuple[str, ...]  # values of the concept
    negative: tuple[str, ...]
    seen: str  # what the direction is made of, in words
    wrong: str  # the other concept, in words
    law: str  # observer whose law is agreed with
    context_length: int
    question: int
    repetitions: tuple[int, ...]  # tried
    layers: tuple[int, ...]  # tried
    alphas: tuple[float, ...]  # tried
    draws: int  # of random directions
    seen_trials: int
    chosen_on: int  # trials
    measured_on: int
    threshold: float
    smoothing: float
    consecutive: int


@dataclass(frozen=True, slots=True)
class TrialLead:
    """log2(T_behaviour / T_capability) of one seed; above 0: the capability is first."""

    value: float
    low: float  # trials resampled, the same at every checkpoint
    high: float
    bound: bool  # whether the behaviour never came: the lead is at least this
    without: float  # share of the resamples in which the capability never came


@dataclass(frozen=True, slots=True, eq=False)
class CapabilityCourse:
    """One seed over training: when the capability and when the behaviour comes, in steps; None is never."""

    step: Floats  # (n_steps,)
    readings: tuple[CapabilityReading, ...]
    gaps: tuple[Gap, ...]
    threshold: float  # agreement that counts as able
    capability: float | None  # by the best way of asking at each checkpoint
    behaviour: float | None
    lead: TrialLead | None  # None where the capability never came, or was there at step 0


@dataclass(frozen=True, slots=True, eq=False)
class CapabilitySeries:
    """One training series in one task."""

    series: str  # NAME of its checkpoints NAME@STEP
    title: str
    found: Capability  # of the last checkpoint, for its settings
    course: CapabilityCourse


@dataclass(frozen=True, slots=True, eq=False)
class CapabilitySeeds:
    """Training series that are seeds of each other, in one task; one series alone is one seed."""

    series: tuple[CapabilitySeries, ...]
    lead: Bounded | None  # octaves, mean over seeds, seeds resampled; None without a capability after step 0
    bounds: int  # seeds whose behaviour never came: their lead is at least that to the last step
    without: int  # seeds left out: no capability, or one at step 0 already
