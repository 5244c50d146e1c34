"""Cells of the simulated law run through the analyzer and its peers, one record a curve."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks._analyzer_law import CLASS, Truth, draw_counts, draw_sequences, draw_truth
from benchmarks._analyzer_peers import changes, installed
from harness.analysis import transitions
from harness.types import Transition

What = Literal["counts", "sequences"]
CLASSES = ("none", "gradual", "sharp", "multiple")


@dataclass(frozen=True, slots=True)
class Cell:
    """Curves of one size under one noise: `n` trials a level or sequences, `noise` their correlation."""

    what: What
    n_levels: int
    n: int
    noise: float
    kinds: tuple[str, ...]
    curves: int  # of each kind
    peers: int  # curves of each kind that the peers are run on, too


@dataclass(frozen=True, slots=True)
class Record:
    """What was found on one curve. Coverage and error are None where there is nothing to cover or no interval."""

    cell: Cell
    kind: str
    p_none: float
    largest: str  # class with the largest posterior
    posterior: float  # of that class
    verdict: str
    location_covered: bool | None
    width_covered: bool | None
    location_error: float | None  # in level spacings
    peers: dict[str, int]  # number of changes by each tool

    @property
    def wanted(self) -> str:
        """Class of the truth."""
        return CLASS[self.kind]

    @property
    def detected(self) -> bool:
        """Whether the analyzer finds any change."""
        return self.p_none < 0.05


def run_cell(task: tuple[Cell, int]) -> tuple[list[Record], float]:
    """Draw the curves of a cell, judge them together, and return a record each and the CPU seconds they took."""
    cell, seed = task
    rng = np.random.default_rng([seed, cell.n_levels, cell.n, int(1000 * cell.noise), len(cell.what)])
    truths = [draw_truth(kind, cell.n_levels, rng) for kind in cell.kinds for _ in range(cell.curves)]
    draw = draw_counts if cell.what == "counts" else draw_sequences
    curves = [draw(truth, cell.n, cell.noise, rng) for truth in truths]
    begun = time.process_time()
    found = transitions(curves)
    seconds = time.process_time() - begun
    tools = installed() if cell.peers else []
    records = []
    for i, (truth, curve, one) in enumerate(zip(truths, curves, found, strict=True)):
        seen = {name: changes(name, curve) for name in tools} if i % cell.curves < cell.peers else {}
        records.append(_record(cell, truth, one, seen))
    return records, seconds


def _record(cell: Cell, truth: Truth, t: Transition, peers: dict[str, int]) -> Record:
    posterior = dict(zip(CLASSES, (t.p_none, t.p_gradual, t.p_sharp, t.p_multiple), strict=True))
    largest = max(posterior, key=lambda name: posterior[name])
    covered: list[bool | None] = [None, None]
    error = None
    if truth.location is not None and truth.width is not None:
        if t.location_low is not None and t.location_high is not None:
            covered[0] = t.location_low <= truth.location <= t.location_high
        if t.width_low is not None and t.width_high is not None:
            covered[1] = t.width_low <= truth.width <= t.width_high
        if t.location is not None:
            error = abs(t.location - truth.location)
    return Record(
        cell,
        truth.kind,
        t.p_none,
        largest,
        posterior[largest],
        t.verdict,
        covered[0],
        covered[1],
        error,
        peers,
    )


def balanced_accuracy(wanted: Sequence[str], said: Sequence[str]) -> float:
    """Return the mean over the four classes of the share named right."""
    shares = [
        np.mean([s == c for w, s in zip(wanted, said, strict=True) if w == c]) for c in CLASSES if c in wanted
    ]
    return float(np.mean(shares))
