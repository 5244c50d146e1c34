"""Where labels and points of a figure go: pure arithmetic, without a drawing library."""

from collections.abc import Sequence

import numpy as np

from harness.types import Floats, Ints


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places for labels as near as can be to those wanted, at least `gap` apart within [low, high].

    The order of `wanted` is kept among equals. Where there is no room for all, they are spaced evenly.
    """
    n = len(wanted)
    if n == 0:
        return []
    gap = min(gap, (high - low) / max(1, n - 1))
    order = sorted(range(n), key=lambda i: (wanted[i], -i))
    places = [min(max(wanted[i], low), high) for i in order]
    for k in range(1, n):
        places[k] = max(places[k], places[k - 1] + gap)
    places[-1] = min(places[-1], high)
    for k in range(n - 2, -1, -1):
        places[k] = min(places[k], places[k + 1] - gap)
    found = [0.0] * n
    for k, i in enumerate(order):
        found[i] = places[k]
    return found


def thin(x: Floats, *lines: Floats, log2: bool = False, most: int = 320) -> Ints:
    """Return the indices of the points that draw some lines over x as if all were drawn.

    Kept are both ends and, in each of `most` / 2 strips of equal width on the
    axis, the first point and the extremes of each line.
    """
    n = len(x)
    if n <= most:
        return np.arange(n)
    place = np.log2(1 + np.maximum(x, 0)) if log2 else x
    strip = ((place - place[0]) / (place[-1] - place[0]) * (most // 2)).astype(np.int64)
    keep = {0, n - 1}
    for points in np.split(np.arange(n), np.flatnonzero(np.diff(strip)) + 1):
        keep.add(int(points[0]))
        for line in lines:
            if np.isfinite(line[points]).any():
                keep |= {int(points[np.nanargmin(line[points])]), int(points[np.nanargmax(line[points])])}
    return np.array(sorted(keep), dtype=np.int64)


def strokes(x: Floats, low: Floats | float, high: Floats | float) -> tuple[Floats, Floats]:
    """Return one broken line with an upright stroke from `low` to `high` at each x: one path, not many."""
    gap = np.full(len(x), np.nan)
    y = np.stack([np.broadcast_to(low, x.shape), np.broadcast_to(high, x.shape), gap], axis=1)
    return np.repeat(x, 3), y.ravel()
