"""Intervals and verdicts on a real model: fits on 32 sequences against the curve of 5,000 of the same condition.

    python -m benchmarks._analyzer_real

The bundled model is asked for p(target) at 0 to 64 symbols of context on binary patterns
of period 3 and 5, on random Markov chains and on a fair coin. The truth that intervals
are held to is what the analyzer itself reads off the mean of all sequences, half-way
between the plateaus of that curve. Where the isotonic mean is half-way between its first
and its last value is another point wherever a curve creeps on after its change, as on
period 5; how often intervals hold that one is printed beside. It prints how long it takes.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

from benchmarks._analyzer_rows import Row, share_row, table
from harness.analysis.checks import DEFAULTS
from harness.analysis.evidence import weigh
from harness.analysis.halfway import make_reader
from harness.analysis.prepare import prepare
from harness.analysis.verdict import transitions
from harness.runs import run
from harness.suite_files import parse_suite
from harness.types import SequenceCurve

SEQUENCES, EACH = 5000, 32
SUITE = """\
name: calibration
seed: 311
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {{period: {{sweep: [3, 5]}}, symbols: binary}}
    context_lengths: {{from: 0, to: 64}}
    sequences: {sequences}
  - family: markov
    context_lengths: {{from: 0, to: 64}}
    sequences: {sequences}
  - family: bernoulli
    params: {{p: 0.5}}
    context_lengths: {{from: 0, to: 64}}
    sequences: {sequences}
"""


def rows(_seed: int = 1, scale: float = 1.0) -> list[Row]:
    """Return coverage of the location per condition and in all, and false verdicts on the fair coin."""
    begun = time.time()
    sequences = max(40 * EACH, round(SEQUENCES * scale))  # the curve of fewer is no truth for fits on 32
    with tempfile.TemporaryDirectory() as folder:
        curves = measured(Path(folder) / "run", sequences)
    print(f"p(target) of {sequences} sequences a condition: {(time.time() - begun) / 60:.1f} min", flush=True)
    found = calibration(curves)
    print(f"real model, fits included: {(time.time() - begun) / 60:.1f} min", flush=True)
    return found


def measured(out: Path, sequences: int = SEQUENCES) -> list[SequenceCurve]:
    """Return p(target) of every sequence, a curve for each condition."""
    suite = parse_suite(SUITE.format(sequences=sequences), "calibration")
    return [c.curve for c in run(suite, out=out).result.curves if isinstance(c.curve, SequenceCurve)]


def calibration(curves: list[SequenceCurve]) -> list[Row]:
    """Return the rows of what fits on 32 sequences say of curves of many."""
    rows, hits, at_ends, given = [], 0, 0, 0
    for curve in curves:
        parts = transitions(_parts(curve))
        decided = sum(t.verdict not in ("none", "undetermined") for t in parts)
        if "bernoulli" in curve.name:
            detected = sum(t.p_none < 0.05 for t in parts)
            rows.append(share_row("real model: false verdicts, fair coin", decided, len(parts), most=0.01))
            rows.append(share_row("real model: p_none < .05, fair coin", detected, len(parts)))
            continue
        title = curve.name.split()[-1].rsplit("_", 1)[0]
        rows.append(share_row(f"real model: a verdict of change, {title}", decided, len(parts)))
        bounds = [
            (t.location_low, t.location_high)
            for t in parts
            if t.location_low is not None and t.location_high is not None
        ]
        at, ends = read_off(curve), half_way(curve)
        covered = sum(low <= at <= high for low, high in bounds)
        rows.append(share_row(f"real model: coverage of location {at:.2f}, {title}", covered, len(bounds)))
        hits, given = hits + covered, given + len(bounds)
        at_ends += sum(low <= ends <= high for low, high in bounds)
    rows.append(share_row("real model: coverage of the location, pooled", hits, given, least=0.93))
    rows.append(share_row("real model: half-way between end values covered, pooled", at_ends, given))
    return rows


def read_off(curve: SequenceCurve) -> float:
    """Return the location of a single change as the analyzer reads it off the mean of all sequences."""
    prepared = prepare(curve, DEFAULTS)
    weighed = weigh(prepared.likelihood, prepared.axis, DEFAULTS)
    reader = make_reader(prepared, weighed, DEFAULTS.sharp_width)
    return prepared.axis.to_level(float(reader.read(prepared.mean[None, :]).half[0]))


def half_way(curve: SequenceCurve) -> float:
    """Return where the isotonic mean is half-way between its first and its last value, between levels."""
    mean = curve.p.mean(axis=0)
    rising = isotonic_regression(mean if mean[-1] > mean[0] else -mean).x
    return float(np.interp((rising[0] + rising[-1]) / 2, rising, curve.level))


def _parts(curve: SequenceCurve) -> list[SequenceCurve]:
    """Return the curve in runs of 32 sequences."""
    count = len(curve.p) // EACH
    return [
        SequenceCurve(curve.name, curve.level, curve.p[i], tuple(curve.sequence_ids[j] for j in i))
        for i in np.arange(count * EACH).reshape(count, EACH)
    ]


if __name__ == "__main__":
    print(table(rows()))
