"""Rows of the analyzer's table on several curves: false discoveries in families, and shifts between two conditions."""

import numpy as np
from scipy import stats

from benchmarks._analyzer_law import CHANGES, NULLS, Floats, draw_counts, draw_truth
from benchmarks._analyzer_rows import Row, share_row
from harness.analysis import compare_conditions, discover, transitions
from harness.types import CountCurve, Curve, SequenceCurve, Shift, Transition

SIZES = ((32, 10), (16, 5), (16, 20))  # (levels, calls a level) of the curves of a family
NULL_SHARES = (0.5, 0.8, 0.95)
CURVES, FAMILIES = 150, 5  # a family; families of each size and share
Q = 0.05
PAIRS = 120  # of conditions, for each shift and kind
SHIFTS = (0.0, 0.05, 0.10)  # of the range
LEVELS, CALLS, SEQUENCES, RHO = 32, 20, 30, 0.8


def rows(seed: int = 1, scale: float = 1.0) -> list[Row]:
    """Return the rows; `scale` is the share of the families and pairs to draw."""
    families, pairs = max(2, round(scale * FAMILIES)), max(10, round(scale * PAIRS))
    return _family_rows(seed, families) + _shift_rows(seed, pairs)


def _family_rows(seed: int, families: int) -> list[Row]:
    """Draw pools of judged curves once for each size, and families of each null share from them."""
    found = []
    for n_levels, m in SIZES:
        rng = np.random.default_rng([seed, n_levels, m])
        nulls = _judged(NULLS, n_levels, m, round(max(NULL_SHARES) * CURVES * families / 2), rng)
        changes = _judged(CHANGES, n_levels, m, round((1 - min(NULL_SHARES)) * CURVES * families), rng)
        for share in NULL_SHARES:
            found += _discovery_rows(nulls, changes, share, families, f"T {n_levels}, m {m}", rng)
    return found


def _judged(
    kinds: tuple[str, ...], n_levels: int, m: int, n: int, rng: np.random.Generator
) -> list[Transition]:
    curves = [draw_counts(draw_truth(kinds[i % len(kinds)], n_levels, rng), m, 0.0, rng) for i in range(n)]
    return transitions(curves)


def _discovery_rows(
    nulls: list[Transition],
    changes: list[Transition],
    share: float,
    families: int,
    cell: str,
    rng: np.random.Generator,
) -> list[Row]:
    false: dict[str, list[float]] = {"exploring": [], "confirming": []}
    power: dict[str, list[float]] = {"exploring": [], "confirming": []}
    n_null = round(share * CURVES)
    for _ in range(families):
        chosen = [nulls[i] for i in rng.choice(len(nulls), n_null, replace=False)]
        chosen += [changes[i] for i in rng.choice(len(changes), CURVES - n_null, replace=False)]
        members = discover(chosen, q=Q).members
        for kind in false:
            hit = np.array([m.exploratory if kind == "exploring" else m.confirmatory for m in members])
            false[kind].append(float(hit[:n_null].sum() / max(hit.sum(), 1)))
            power[kind].append(float(hit[n_null:].mean()))
    where = f"{cell}, null share {share:g}"
    return [
        row
        for kind in false
        for row in (
            _mean_row(f"false discoveries {kind}, {where}", false[kind], most=Q),
            _mean_row(f"discovered {kind}, {where}", power[kind], most=None),
        )
    ]


def _mean_row(figure: str, values: list[float], *, most: float | None) -> Row:
    """Return the row of a mean over families; met if it is within two standard errors of the bound."""
    mean, n = float(np.mean(values)), len(values)
    error = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    reach = error * float(stats.t.ppf(0.975, max(n - 1, 1)))
    target = "" if most is None else f"<= {most:g}+2se"
    met = most is None or mean <= most + 2 * error
    return Row(
        f"{figure} ({n} families of {CURVES})", target, mean, max(mean - reach, 0.0), mean + reach, met
    )


def _shift_rows(seed: int, pairs: int) -> list[Row]:
    found = []
    for kind in ("counts", "paired sequences", "independent sequences"):
        for shift in SHIFTS:
            rng = np.random.default_rng([seed, len(kind), round(1000 * shift)])
            shifts = [_compared(kind, shift, rng) for _ in range(pairs)]
            found += _rows_of(f"{kind}, shift {shift:g} of the range", shift, shifts)
    return found


def _compared(kind: str, shift: float, rng: np.random.Generator) -> tuple[Shift, float]:
    """Return two compared conditions, and the true shift in levels: widths 0-.4 of the range, steps between levels."""
    span = LEVELS - 1
    width = float(rng.choice([0.0, 0.05, 0.1, 0.2, 0.4])) * span
    at, low, high = rng.uniform(0.3, 0.6) * span, rng.uniform(0.05, 0.3), rng.uniform(0.6, 0.95)
    away = shift * span
    if width == 0:
        at, away = np.floor(at) + 0.5, float(np.round(away))
    p = [_rise(at + d, width, low, high) for d in (0.0, away)]
    curves: list[Curve]
    if kind == "counts":
        curves = [
            CountCurve(k, _levels(), rng.binomial(CALLS, q), np.full(LEVELS, CALLS))
            for k, q in zip("ab", p, strict=True)
        ]
    else:
        shared = _noise(rng)
        curves = []
        for name, q in zip("ab", p, strict=True):
            common = shared if kind == "paired sequences" else _noise(rng)
            own = 0.3 * rng.standard_normal((SEQUENCES, LEVELS))
            ids = tuple(f"{'' if kind == 'paired sequences' else name}{i}" for i in range(SEQUENCES))
            values = q + 0.5 * np.minimum(q, 1 - q) * np.tanh(common + own)
            curves.append(SequenceCurve(name, _levels(), values, ids))
    return compare_conditions(*curves), away


def _levels() -> Floats:
    return np.arange(LEVELS, dtype=np.float64)


def _rise(at: float, width: float, low: float, high: float) -> Floats:
    x = _levels()
    if width == 0:
        return np.where(x > at, high, low)
    return np.asarray(low + (high - low) / (1 + np.exp(-(x - at) * 2 * np.log(9) / width)))


def _noise(rng: np.random.Generator) -> Floats:
    """AR(1) noise and a random intercept, one row a sequence."""
    noise = np.empty((SEQUENCES, LEVELS))
    noise[:, 0] = rng.standard_normal(SEQUENCES)
    for t in range(1, LEVELS):
        noise[:, t] = RHO * noise[:, t - 1] + np.sqrt(1 - RHO**2) * rng.standard_normal(SEQUENCES)
    return np.asarray(0.5 * noise + 0.4 * rng.standard_normal((SEQUENCES, 1)))


def _rows_of(where: str, shift: float, compared: list[tuple[Shift, float]]) -> list[Row]:
    inside, zero = [], []
    for found, truth in compared:
        at = found.location
        if at is not None and at.low is not None and at.high is not None:
            inside.append(at.low <= truth <= at.high)
            zero.append(not at.low <= 0 <= at.high)
    said = "intervals that exclude 0" if shift == 0 else "intervals that exclude 0 (power)"
    return [
        share_row(f"{said}, {where}", sum(zero), len(zero), most=0.05 if shift == 0 else None),
        share_row(f"coverage of the shift, {where}", sum(inside), len(inside), least=0.93),
    ]
