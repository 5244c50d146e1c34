"""Standard errors of fitted parameters that hold whatever the dependence within a sequence."""

from collections.abc import Callable

import numpy as np

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.parameters import Parameter
from harness.types import Floats

_STEP = 1e-3  # of a central difference, on the search scale; its error is of order 1e-6
_AT_BOUND = 1e-4  # share of the range this near to a bound


def at_bound(parameter: Parameter, value: float) -> bool:
    """Return whether a fitted value lies at one of the bounds it was searched between."""
    if parameter.grid:
        return len(parameter.grid) > 1 and value in (parameter.grid[0], parameter.grid[-1])
    low, high = parameter.bounds
    place = (parameter.to_scale(value) - low) / (high - low)
    return not _AT_BOUND < place < 1 - _AT_BOUND


def sandwich_errors(
    law: Callable[[Floats], Floats],
    behaviour: Behaviour,
    parameters: tuple[Parameter, ...],
    values: Floats,
) -> Floats:
    """Return the standard error of each parameter at the maximum of the likelihood.

    The covariance is H^-1 (sum over sequences of g g') H^-1 S / (S - 1), with g
    the score of a sequence and H the Hessian of all (White 1982; Liang & Zeger
    1986): sequences are independent, symbols within one need not be, and the
    model need not be true. NaN for a gridded parameter, for one at a bound (the
    others are then conditional on it), and where the Hessian is not definite.
    """
    errors = np.full(len(parameters), np.nan)
    inner = [i for i, p in enumerate(parameters) if not p.grid and not at_bound(p, values[i])]
    n_sequences = len(behaviour.symbols)
    if not inner or n_sequences < 2:
        return errors
    centre = np.array([parameters[i].to_scale(values[i]) for i in inner])

    def likelihoods(u: Floats) -> Floats:
        moved = values.copy()
        moved[inner] = [parameters[i].from_scale(x) for i, x in zip(inner, u, strict=True)]
        return behaviour.log_likelihood(law(moved))

    steps = np.eye(len(inner)) * _STEP
    scores = np.stack(
        [(likelihoods(centre + h) - likelihoods(centre - h)) / (2 * _STEP) for h in steps], axis=1
    )

    def corner(g: Floats, h: Floats) -> float:
        return float(likelihoods(centre + g + h).sum())

    hessian = np.array(
        [[corner(g, h) - corner(g, -h) - corner(-g, h) + corner(-g, -h) for h in steps] for g in steps]
    ) / (4 * _STEP**2)
    if np.linalg.eigvalsh(-hessian).min() <= 0:
        return errors
    bread = np.linalg.inv(-hessian)
    covariance = bread @ (scores.T @ scores) @ bread * n_sequences / (n_sequences - 1)
    slope = np.array([parameters[i].slope(values[i]) for i in inner])
    errors[inner] = np.sqrt(np.diag(covariance)) * slope
    return errors
