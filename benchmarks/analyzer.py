"""Measure the analyzer on simulated curves of known truth and print one table, a row per cell.

    python benchmarks/analyzer.py [--curves 40] [--seed 1] [--only counts|sequences]

Truths: constant, drift (0.06 in all: no change worth the name), linear, logistic
of width 0.13-0.80 of the range (gradual), 0.01-0.08 and exact steps (sharp),
two steps (multiple); amplitude 0.25-0.9, three in ten decreasing. A false
positive is p_none < 0.05 on constant or drift, power the same on the others,
accuracy the balanced share of the four classes that the largest posterior gets right,
"decided" the share with a verdict and how often it is right, coverage
that of the 95 % intervals of location and width. If `ruptures` is installed,
its PELT (l2, BIC) is run on the same mean curves.
"""

import argparse
import importlib.util
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis import transition
from harness.types import AnalysisOptions, CountCurve, Curve, SequenceCurve, Transition

Floats = NDArray[np.float64]
KINDS = ("constant", "drift", "linear", "wide", "mid", "narrow", "step", "two steps")
CLASS = {"constant": "none", "drift": "none", "linear": "gradual", "wide": "gradual", "mid": "gradual"}
CLASS |= {"narrow": "sharp", "step": "sharp", "two steps": "multiple"}
WIDTHS = {"wide": (0.3, 0.8), "mid": (0.13, 0.3), "narrow": (0.01, 0.08), "step": (0.0, 0.0)}
COUNT_CELLS = [(t, m, icc) for t in (16, 32, 64) for m in (5, 20, 100) for icc in (0.0, 0.05)]
SEQUENCE_CELLS = [
    (t, s, rho) for t, s in ((16, 20), (64, 20), (64, 100), (257, 48)) for rho in (0.0, 0.8, 0.95)
]

HEADS: tuple[str, ...] = (
    "false",
    "pw.grd",
    "pw.shp",
    "pw.mul",
    "r.none",
    "r.grad",
    "r.shrp",
    "r.mult",
    "acc4",
)
HEADS = (*HEADS, "decidd", "dec.ok", "lc.stp", "lc.slp", "width", "ms", "pelt.f")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A true curve at levels 0, 1, ..., with its location and width where it has one change."""

    kind: str
    p: Floats
    location: float | None = None
    width: float | None = None


def draw_truth(kind: str, n_levels: int, rng: np.random.Generator) -> Truth:
    u: Floats = np.linspace(0, 1, n_levels)
    span = n_levels - 1
    amplitude = rng.uniform(0.25, 0.9)
    low = rng.uniform(0.02, 0.98 - amplitude)
    sign = -1.0 if rng.random() < 0.3 else 1.0
    if kind == "constant":
        return Truth(kind, np.full(n_levels, rng.uniform(0.05, 0.95)))
    if kind == "drift":
        return Truth(kind, rng.uniform(0.1, 0.9) + sign * rng.uniform(0.01, 0.06) * (u - 0.5))
    start = low if sign > 0 else low + amplitude
    if kind == "linear":
        return Truth(kind, start + sign * amplitude * u)
    if kind == "two steps":
        first, second = rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.85)
        inside = ((u > first) & (u < second)).astype(np.float64)
        return Truth(kind, start + sign * amplitude * inside)
    width = float(rng.uniform(*WIDTHS[kind]))
    rise: Floats
    location = rng.uniform(0.35, 0.65) if kind == "wide" else rng.uniform(0.2, 0.8)
    if kind == "step":
        location = (np.floor(location * span) + 0.5) / span
        rise = (u > location).astype(np.float64)
    else:
        rise = 1 / (1 + np.exp(-(u - location) * 2 * np.log(9) / width))
    return Truth(kind, start + sign * amplitude * rise, location * span, width * span)


def draw_counts(truth: Truth, m: int, icc: float, rng: np.random.Generator) -> CountCurve:
    """Draw binomial counts, or beta-binomial ones with an intra-class correlation."""
    p = truth.p if icc == 0 else rng.beta(*(q * (1 / icc - 1) for q in (truth.p, 1 - truth.p)))
    n = np.full(len(p), m)
    return CountCurve(truth.kind, np.arange(len(p), dtype=np.float64), rng.binomial(n, p), n)


def draw_sequences(truth: Truth, n_sequences: int, rho: float, rng: np.random.Generator) -> SequenceCurve:
    """Draw probabilities whose mean is the truth: AR(1) noise and a random intercept, as wide as p allows."""
    n_levels = len(truth.p)
    noise = np.empty((n_sequences, n_levels))
    noise[:, 0] = rng.standard_normal(n_sequences)
    for t in range(1, n_levels):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(n_sequences)
    shift = 0.4 * rng.standard_normal((n_sequences, 1))
    # Bounded, symmetric and within [0, 1]: the mean stays the truth, which logit noise would move.
    room = np.minimum(truth.p, 1 - truth.p)
    p = truth.p + 0.5 * room * np.tanh(0.6 * noise + shift)
    ids = tuple(f"s{i}" for i in range(n_sequences))
    return SequenceCurve(truth.kind, np.arange(n_levels, dtype=np.float64), p, ids)


def pelt_changes(curve: Curve) -> int:
    import ruptures

    y = curve.successes / curve.trials if isinstance(curve, CountCurve) else curve.p.mean(axis=0)
    variance = (np.median(np.abs(np.diff(y))) / 0.6745) ** 2 / 2 + 1e-12
    model = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(y[:, None])
    return len(model.predict(pen=2 * variance * np.log(len(y)))) - 1


class Tally:
    """What was seen in one cell."""

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = defaultdict(list)

    def add(self, truth: Truth, t: Transition, seconds: float, pelt: int | None) -> None:
        """Count one curve."""
        wanted = CLASS[truth.kind]
        changed = t.p_none < 0.05
        self.seen["false positives" if wanted == "none" else f"power {wanted}"].append(changed)
        posterior = {"none": t.p_none, "gradual": t.p_gradual, "sharp": t.p_sharp, "multiple": t.p_multiple}
        self.seen[f"right {wanted}"].append(max(posterior, key=lambda k: posterior[k]) == wanted)
        self.seen["decided"].append(t.verdict != "undetermined")
        if t.verdict != "undetermined":
            self.seen["decided right"].append(t.verdict == wanted)
        if truth.location is not None and t.location_low is not None and t.location_high is not None:
            kind = "step" if truth.kind == "step" else "slope"
            self.seen[f"location {kind}"].append(t.location_low <= truth.location <= t.location_high)
            assert truth.width is not None
            assert t.width_low is not None
            assert t.width_high is not None
            self.seen["width"].append(t.width_low <= truth.width <= t.width_high)
        self.seen["ms"].append(1000 * seconds)
        if pelt is not None and wanted == "none":
            self.seen["pelt"].append(pelt > 0)

    def mean(self, name: str) -> float:
        """Return the share or mean of what was counted under a name."""
        return float(np.mean(self.seen[name])) if self.seen[name] else float("nan")

    def row(self) -> str:
        """Return the cell as one line under HEADS."""
        right = [self.mean(f"right {c}") for c in ("none", "gradual", "sharp", "multiple")]
        power = [self.mean(f"power {c}") for c in ("gradual", "sharp", "multiple")]
        shares = [self.mean("false positives"), *power, *right, float(np.mean(right))]
        shares += [
            self.mean(n) for n in ("decided", "decided right", "location step", "location slope", "width")
        ]
        return " ".join(f"{v:6.3f}" for v in shares) + f" {self.mean('ms'):6.0f} {self.mean('pelt'):6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", type=int, default=40, help="curves per kind and cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("counts", "sequences"))
    args = parser.parse_args()
    cells = [("counts", *c) for c in COUNT_CELLS] + [("sequences", *c) for c in SEQUENCE_CELLS]
    print(f"{'levels, n, icc or rho':28s}", " ".join(f"{h:>6s}" for h in HEADS))
    peer = importlib.util.find_spec("ruptures") is not None
    for what, n_levels, n, correlation in cells:
        if args.only not in (None, what):
            continue
        rng = np.random.default_rng([args.seed, n_levels, n, int(1000 * correlation)])
        tally = Tally()
        for kind in KINDS:
            for _ in range(args.curves):
                truth = draw_truth(kind, n_levels, rng)
                draw = draw_counts if what == "counts" else draw_sequences
                curve = draw(truth, n, correlation, rng)
                begun = time.process_time()
                found = transition(curve, options=AnalysisOptions())
                tally.add(truth, found, time.process_time() - begun, pelt_changes(curve) if peer else None)
        print(f"{what:10s} {n_levels:4d} {n:4d} {correlation:5.2f}  ", tally.row(), flush=True)


if __name__ == "__main__":
    main()
