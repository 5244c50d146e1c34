"""Where the changes of a segmented series lie: posteriors of places, and the changes named from them."""

import numpy as np

from harness.types import Floats, SeriesChange


def place_posterior(sums: Floats, back: Floats, weight: Floats, m: int) -> Floats:
    """Return the posterior of where each of m changes lies, given m: shape (m, n_values), rows summing to 1.

    `weight` is the joint posterior of each noise prior and m.
    """
    n = sums.shape[2]
    out = np.zeros((m, n))
    if not weight.sum() > 0:
        return out
    share = weight / weight.sum()
    for r in range(m):
        log = sums[:, r, :-1] + back[:, m - 1 - r, 1:] - sums[:, [m], -1]
        out[r, 1:] = share @ np.exp(np.where(share[:, None] > 0, log, -np.inf))
    return out


def name_changes(
    each: Floats, y: Floats, x: Floats, confidence: float
) -> tuple[tuple[SeriesChange, ...], list[int]]:
    """Return each change at its most probable place with its interval, and where each run after it begins."""
    total = np.cumsum(each, axis=1)
    start = _ascending(each)
    tail = (1 - confidence) / 2
    runs = np.split(y, start)
    mean = [float(run.mean()) for run in runs]
    changes = []
    for r, at in enumerate(start):
        low = min(int(np.searchsorted(total[r], tail)), at)
        high = max(int(np.searchsorted(total[r], 1 - tail)), at)
        changes.append(
            SeriesChange(
                location=float(x[at - 1] + x[at]) / 2,
                low=float(x[low - 1]),
                high=float(x[min(high, len(x) - 1)]),
                before=mean[r],
                after=mean[r + 1],
            )
        )
    return tuple(changes), start


def _ascending(each: Floats) -> list[int]:
    """Return the places that maximise the product of the posteriors of each change, in ascending order."""
    if not len(each):
        return []
    with np.errstate(divide="ignore"):
        log = np.log(each)
    best, choice = log[0], []
    for row in log[1:]:
        reached = np.concatenate([[-np.inf], np.maximum.accumulate(best)[:-1]])
        choice.append(best)
        best = row + reached
    places = [int(np.argmax(best))]
    for previous in reversed(choice):
        places.append(int(np.argmax(previous[: places[-1]])))
    return places[::-1]
