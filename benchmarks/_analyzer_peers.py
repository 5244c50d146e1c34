"""What others make of the same curves: how many changes, by each tool that is installed (extra `bench`).

They see the mean curve, as they have no likelihood for counts or replicates, and
are scored none, sharp or multiple by finding no, one or more changes: none of
them can say gradual. Settings are the usual ones, not tuned to these curves.
"""

import importlib.util
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.types import CountCurve, Curve

Floats = NDArray[np.float64]
CERTAIN = 0.9  # posterior of at least one change from which Rbeast counts as having found one


def mean_curve(curve: Curve) -> Floats:
    """Return what a tool without replicates is given."""
    if isinstance(curve, CountCurve):
        return np.asarray(curve.successes / curve.trials, dtype=np.float64)
    return np.asarray(curve.p.mean(axis=0), dtype=np.float64)


def pelt(y: Floats) -> int:
    """PELT with squared error, variance from the median difference, BIC penalty (Killick et al. 2012)."""
    import ruptures

    variance = (np.median(np.abs(np.diff(y))) / 0.6745) ** 2 / 2 + 1e-12
    model = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(y[:, None])
    return len(model.predict(pen=2 * variance * np.log(len(y)))) - 1


def kernel(y: Floats) -> int:
    """Kernel changepoints, Gaussian kernel with the median bandwidth, penalty ln T (Arlot et al. 2019)."""
    import ruptures

    if np.ptp(y) == 0:
        return 0
    model = ruptures.KernelCPD(kernel="rbf", min_size=2).fit(y[:, None])
    return len(model.predict(pen=float(np.log(len(y))))) - 1


def fastcpd_mean(y: Floats) -> int:
    """Change in mean with the package's default penalty (Li & Zhang 2024)."""
    from fastcpd.segmentation import mean

    if np.ptp(y) == 0:
        return 0
    return len(mean(y[:, None]).cp_set)


def rbeast(y: Floats) -> int:
    """Trend changepoints by Bayesian model averaging (Zhao et al. 2019): most probable number, if any is certain."""
    import Rbeast

    found = Rbeast.beast(y, season="none", quiet=True, print_progress=False, print_options=False)
    share = np.asarray(found.trend.ncpPr, dtype=np.float64).ravel()
    return int(np.argmax(share[1:])) + 1 if 1 - share[0] > CERTAIN else 0


TOOLS: dict[str, tuple[str, Callable[[Floats], int]]] = {
    "ruptures PELT l2 BIC": ("ruptures", pelt),
    "ruptures KernelCPD": ("ruptures", kernel),
    "fastcpd mean": ("fastcpd", fastcpd_mean),
    "Rbeast": ("Rbeast", rbeast),
}


def installed() -> list[str]:
    """Return the names of the tools whose package is there."""
    return [name for name, (package, _) in TOOLS.items() if importlib.util.find_spec(package)]


def changes(name: str, curve: Curve) -> int:
    """Return how many changes a tool finds in a curve."""
    return TOOLS[name][1](mean_curve(curve))
