"""Maximum likelihood between bounds, from several starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import minimize
from scipy.stats import qmc

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.parameters import Parameter
from harness.types import Floats

_SCANNED = 32  # points spread over the bounds, of which the best are started from
_STARTS = 4  # in all for each value of a gridded parameter
_KEPT = 8  # gridded values that are searched from more than the first start


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Parameter values, and how the search that found them went."""

    values: Floats  # (n_parameters,)
    converged: bool
    profile: Mapping[float, float]  # log-likelihood at the best of each gridded value; empty without a grid


def maximise(
    law: Callable[[Floats], Floats], behaviour: Behaviour, parameters: tuple[Parameter, ...]
) -> Estimate:
    """Return the parameters of maximum likelihood.

    Each value of the gridded parameter, of which there is one at most, is
    searched over the others by L-BFGS-B (Byrd et al. 1995) from the best of
    points spread evenly over the bounds (Halton), and the best values from
    further starts. Nothing is random: the same behaviour gives the same estimate.
    """
    n_scored = behaviour.n_scored.sum()
    free = [i for i, p in enumerate(parameters) if not p.grid]
    bounds = [parameters[i].bounds for i in free]

    def loss(u: Floats, values: Floats) -> float:
        values[free] = [parameters[i].from_scale(x) for i, x in zip(free, u, strict=True)]
        return -float(behaviour.log_likelihood(law(values)).sum() / n_scored)

    def search(start: Floats, values: Floats) -> tuple[float, Floats, bool]:
        found = minimize(
            loss, start, args=(values,), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13}
        )
        loss(found.x, values)  # leaves the optimum in `values`
        return float(found.fun), values.copy(), bool(found.success)

    spread = _spread([parameters[i] for i in free])
    settings = [np.array(setting) for setting in product(*(p.grid or (np.nan,) for p in parameters))]
    ranked = [spread[np.argsort([loss(u, s) for u in spread], kind="stable")] for s in settings]
    tried = [search(starts[0], s) for starts, s in zip(ranked, settings, strict=True)]
    best = int(np.argmin([found[0] for found in tried]))
    leader = np.array([parameters[i].to_scale(tried[best][1][i]) for i in free])
    # What explains one gridded value often explains the others.
    again = [search(leader, s) for s in settings]
    order = np.argsort([min(a[0], b[0]) for a, b in zip(tried, again, strict=True)], kind="stable")
    tried += again
    tried += [search(start, settings[i]) for i in order[:_KEPT] for start in ranked[i][1:_STARTS]]
    _, values, converged = min(tried, key=lambda found: found[0])
    return Estimate(values, converged, _profile(tried, parameters, float(n_scored)))


def _profile(
    tried: list[tuple[float, Floats, bool]], parameters: tuple[Parameter, ...], n_scored: float
) -> Mapping[float, float]:
    """Return the largest log-likelihood met at each value of the gridded parameter."""
    profile: dict[float, float] = {}
    for i, parameter in enumerate(parameters):
        for value in parameter.grid:
            profile[value] = -n_scored * min(least for least, values, _ in tried if values[i] == value)
    return profile


def _spread(parameters: list[Parameter]) -> Floats:
    """Return points spread over the range of the parameters: shape (_SCANNED, n_parameters)."""
    points = qmc.Halton(len(parameters), scramble=False).random(_SCANNED + 1)[1:]  # the first is a corner
    return np.array(
        [[p.start(share) for p, share in zip(parameters, point, strict=True)] for point in points]
    )
