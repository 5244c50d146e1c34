"""How fast curves are judged, end to end, and whether screened curves are judged as an exact look would."""

import time

import numpy as np

from benchmarks._analyzer_law import CHANGES, NULLS, draw_counts, draw_sequences, draw_truth
from benchmarks._analyzer_rows import Row, share_row, value_row
from harness.analysis import transitions
from harness.analysis.checks import DEFAULTS
from harness.analysis.evidence import weigh
from harness.analysis.prepare import prepare
from harness.analysis.verdict import judge
from harness.types import CountCurve

SIZES = [(t, m) for t in (16, 32, 64) for m in (5, 20, 100)]


def speed_rows(seed: int, scale: float) -> list[Row]:
    """Return curves per CPU second of this process; set OMP_NUM_THREADS=1 for the figure of one thread."""
    rng = np.random.default_rng([seed, 7])
    count = max(10, round(200 * scale))
    rows = []
    for name, share, least in (("90 % nulls", 0.9, 1000.0), ("all with transitions", 0.0, 300.0)):
        spent, curves = 0.0, 0
        for t, m in SIZES:
            drawn = _mixed(t, m, count, share, rng)
            transitions(drawn[:1])  # templates are built once
            begun = time.process_time()
            transitions(drawn)
            spent += time.process_time() - begun
            curves += count
        rows.append(value_row(f"curves per CPU second, counts, {name}", curves / spent, least=least))
    few = max(3, round(20 * scale))
    rows_of = [
        draw_sequences(draw_truth(CHANGES[i % len(CHANGES)], 64, rng), 48, 0.8, rng) for i in range(few)
    ]
    transitions(rows_of[:1])
    begun = time.process_time()
    transitions(rows_of)
    spent = time.process_time() - begun
    rows.append(
        value_row("curves per CPU second, 48 sequences x 64, cluster bootstrap", few / spent, least=10.0)
    )
    return rows


def agreement_rows(seed: int, scale: float) -> list[Row]:
    """Return how often the screened judgment differs from the exact one."""
    rng = np.random.default_rng([seed, 8])
    count = max(10, round(100 * scale))
    verdicts, detections, total = 0, 0, 0
    for t, m in SIZES:
        drawn = _mixed(t, m, count, 0.6, rng)
        for quick, curve in zip(transitions(drawn), drawn, strict=True):
            prepared = prepare(curve, DEFAULTS)
            exact = judge(prepared, weigh(prepared.likelihood, prepared.axis, DEFAULTS), DEFAULTS)
            verdicts += quick.verdict != exact.verdict
            detections += (quick.p_none < 0.05) != (exact.p_none < 0.05)
            total += 1
    return [
        share_row("verdict differs between screened and exact", verdicts, total),
        share_row("p_none < .05 differs between screened and exact", detections, total),
    ]


def _mixed(t: int, m: int, count: int, null_share: float, rng: np.random.Generator) -> list[CountCurve]:
    kinds = [
        str(rng.choice(NULLS)) if rng.random() < null_share else str(rng.choice(CHANGES))
        for _ in range(count)
    ]
    return [draw_counts(draw_truth(kind, t, rng), m, 0.0, rng) for kind in kinds]
