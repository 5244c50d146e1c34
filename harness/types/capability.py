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

    @property
    def shown(self) -> bool:
        """Whether the latent gap is above 0 and beyond every random direction."""
        return self.latent.low > 0 and self.beyond_random.low > 0 and self.random_as_good[0] == 0


@dataclass(frozen=True, slots=True, eq=False)
class CapabilityCourse:
    """One seed over training: when the capability and when the behaviour comes, in steps; None is never."""

    step: Floats  # (n_steps,)
    readings: tuple[CapabilityReading, ...]
    gaps: tuple[Gap, ...]
    threshold: float  # agreement that counts as able
    capability: float | None  # by the best way of asking at each checkpoint
    behaviour: float | None
