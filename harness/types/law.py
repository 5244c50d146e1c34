"""What a law fitted to transitions says: its parameters with intervals, and how well it predicts."""

from dataclasses import dataclass, field

from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value with its interval; an end that the data do not bound is infinite (0 for a level's lower end)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class BeliefLaw:
    """logit q = slope ((N / n_star)^beta - 1) / beta and p = lower + (upper - lower) q.

    `n_star` is where the curve is half-way (q = 1/2), None where no change is
    shown; `slope` is d logit q / d ln N there, negative where p falls with N;
    `beta` says how evidence accumulates: 1 in proportion to N, to 0 with ln N.
    """

    curve: str
    n_star: Bounded | None
    slope: Bounded
    beta: Bounded
    lower: Bounded
    upper: Bounded
    fit: Floats = field(repr=False)  # (n_levels,), p
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SteeringLaw:
    """One belief law for curves at several strengths m: logit q = slope g(N) + effect (m - reference).

    g(N) = ((N / n_ref)^beta - 1) / beta. Hence N*(m) = n_ref (1 - beta effect (m -
    reference) / slope)^(1/beta), 0 where the steered prior alone is past half-way.
    `interaction` is the coefficient of (m - reference) g(N) when it is added:
    0 if steering and evidence are additive; `p_additive` is the p value of that.
    """

    strength: tuple[float, ...]
    reference: float
    n_star: tuple[Bounded, ...]  # at each strength, of the joint fit
    slope: Bounded
    beta: Bounded
    effect: Bounded
    lower: Bounded
    upper: Bounded
    interaction: Bounded
    p_additive: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """N* at one strength: predicted from the curves at all others, and measured on its own curve.

    `octaves` is log2(predicted / measured); both are None where the curve at this
    strength shows no N*, or the law puts it at 0.
    """

    strength: float
    predicted: Bounded
    measured: Bounded | None
    octaves: Bounded | None


@dataclass(frozen=True, slots=True)
class ScalingLaw:
    """T_c = factor size^exponent, with the scatter of ln T_c about it beyond the errors of each T_c."""

    exponent: Bounded
    factor: Bounded
    scatter: float  # standard deviation of ln T_c
    n_sizes: int
    warnings: tuple[str, ...] = ()
