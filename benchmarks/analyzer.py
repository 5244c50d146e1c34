"""Hold the analyzer to its targets on curves of known truth: one table, a row per figure.

    python -m benchmarks.analyzer [--seed 1] [--processes 2] [--scale 0.5 | --quick] [--without planner real]

Detection means p_none < 0.05, and a class is the one with the largest posterior.
Shares come with Clopper and Pearson's 95 % interval, balanced accuracies with
one from resampling the curves; a target is met by the figure itself. The peers
of the extra `bench` are run on part of the same curves, where they are installed.
"""

import argparse
import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context

import numpy as np

from benchmarks._analyzer_cells import Cell, Record, balanced_accuracy, run_cell
from benchmarks._analyzer_law import CHANGES, NULLS, SKEWED
from benchmarks._analyzer_peers import TOOLS
from benchmarks._analyzer_rows import Row, share_row, table
from benchmarks._analyzer_speed import agreement_rows, speed_rows

EVERY = NULLS + CHANGES
OTHERS = {"families": "_analyzer_families", "planner": "_analyzer_planner", "real": "_analyzer_real"}


def cells(scale: float) -> dict[str, list[Cell]]:
    """Return the cells of each part of the table; `scale` 1 takes about half an hour of CPU."""

    def many(count: int) -> int:
        return max(2, round(count * scale))

    sizes = [(t, m) for t in (16, 32, 64) for m in (5, 20, 100)]
    lengths = [(16, 20), (64, 20), (64, 100)]
    rhos = (0.0, 0.8, 0.95)
    return {
        "null counts": [Cell("counts", t, m, 0.0, NULLS, many(400), many(40)) for t, m in sizes],
        "null correlated": [Cell("counts", t, m, 0.1, NULLS, many(100), 0) for t, m in sizes],
        "null sequences": [
            Cell("sequences", t, s, rho, NULLS, many(50), many(8)) for t, s in lengths for rho in rhos
        ],
        "counts": [Cell("counts", t, m, 0.0, CHANGES, many(60), many(15)) for t, m in sizes],
        "correlated": [Cell("counts", t, m, 0.05, EVERY, many(15), 0) for t, m in sizes],
        "sequences": [
            Cell("sequences", t, s, rho, CHANGES, many(12), many(4)) for t, s in lengths for rho in rhos
        ],
        "skewed": [Cell("sequences", t, s, rho, SKEWED, many(12), 0) for t, s in lengths for rho in rhos],
    }


def simulated_rows(seed: int, processes: int, scale: float) -> list[Row]:
    """Return the rows of the simulated law."""
    parts = cells(scale)
    tasks = [(cell, seed) for part in parts.values() for cell in part]
    tasks.sort(key=lambda task: -task[0].n_levels * task[0].curves)
    if processes > 1:
        with get_context("spawn").Pool(processes) as pool:
            done = pool.map(run_cell, tasks, chunksize=1)
    else:
        done = [run_cell(task) for task in tasks]
    records = {
        name: [r for found, _ in done for r in found if r.cell in part] for name, part in parts.items()
    }
    rows = _null_rows(records)
    counts = records["null counts"] + records["counts"]
    sequences = records["null sequences"] + records["sequences"]
    rows += _power_rows(records)
    rows += _class_rows("counts", counts, 0.90, seed) + _class_rows("sequences", sequences, 0.93, seed)
    rows += _class_rows("counts at intra-class correlation .05", records["correlated"], None, seed)
    rows += _interval_rows("counts", records["counts"]) + _interval_rows("sequences", records["sequences"])
    rows += _interval_rows("counts at intra-class correlation .05", records["correlated"], aimed=False)
    rows += _skewed_rows(records["skewed"])
    for what, found in (("counts", counts), ("sequences", sequences)):
        rows += _peer_rows(what, found)
    return rows


def _null_rows(records: dict[str, list[Record]]) -> list[Row]:
    rows = []
    for t, m in sorted({(r.cell.n_levels, r.cell.n) for r in records["null counts"]}):
        found = [r.detected for r in records["null counts"] if (r.cell.n_levels, r.cell.n) == (t, m)]
        rows.append(
            share_row(f"false positives, counts, {t} levels x {m}", sum(found), len(found), most=0.01)
        )
    for s in (20, 100):
        for rho in (0.0, 0.8, 0.95):
            found = [r.detected for r in records["null sequences"] if (r.cell.n, r.cell.noise) == (s, rho)]
            name = f"false positives, {s} sequences, AR(1) {rho:g}"
            rows.append(share_row(name, sum(found), len(found), most=0.01))
    found = [r.detected for r in records["null correlated"]]
    rows.append(
        share_row("false positives, counts, intra-class correlation .10", sum(found), len(found), most=0.02)
    )
    return rows


def _power_rows(records: dict[str, list[Record]]) -> list[Row]:
    strong = [r.detected for r in records["counts"] if r.cell.n >= 20]
    rows = [share_row("power, counts, m >= 20, pooled", sum(strong), len(strong), least=0.95)]
    hardest = [r.detected for r in records["counts"] if (r.cell.n_levels, r.cell.n) == (16, 20)]
    rows.append(share_row("power, counts, 16 levels x 20", sum(hardest), len(hardest)))
    weak = [r.detected for r in records["counts"] if r.cell.n == 5]
    rows.append(share_row("power, counts, m = 5", sum(weak), len(weak)))
    twice = [r.detected and r.largest == "multiple" for r in records["sequences"] if r.wanted == "multiple"]
    rows.append(
        share_row("two-step curves found as two changes, sequences", sum(twice), len(twice), least=0.9)
    )
    return rows


def _class_rows(name: str, records: list[Record], least: float | None, seed: int) -> list[Row]:
    rows = [accuracy_row(f"four-class balanced accuracy, {name}", records, least, seed)]
    sure = [r.largest == r.wanted for r in records if r.posterior > 0.9]
    aim = None if least is None else 0.99
    rows.append(share_row(f"right where the posterior exceeds .9, {name}", sum(sure), len(sure), least=aim))
    return rows


def accuracy_row(name: str, records: list[Record], least: float | None, seed: int) -> Row:
    """Return balanced accuracy with an interval from resampling curves."""
    wanted = np.array([r.wanted for r in records])
    said = np.array([r.largest for r in records])
    value = balanced_accuracy(list(wanted), list(said))
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(200):
        i = rng.integers(len(wanted), size=len(wanted))
        draws.append(balanced_accuracy(list(wanted[i]), list(said[i])))
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    target = "" if least is None else f">= {least:g}"
    return Row(f"{name} (n={len(records)})", target, value, low, high, least is None or value >= least)


def _interval_rows(name: str, records: list[Record], *, aimed: bool = True) -> list[Row]:
    rows = []
    groups = {"gradual": ("wide", "mid"), "narrow": ("narrow",), "steps": ("step",)}
    for what in ("location", "width"):
        for group, kinds in groups.items():
            covered = [
                r.location_covered if what == "location" else r.width_covered
                for r in records
                if r.kind in kinds
            ]
            given = [one for one in covered if one is not None]
            least, most = (0.93, 0.97 if group == "gradual" else None) if aimed else (None, None)
            label = f"coverage of the {what}, {group}, {name}"
            rows.append(share_row(label, sum(given), len(given), least=least, most=most))
    errors = [r.location_error for r in records if r.kind == "step" and r.location_error is not None]
    if aimed:
        rows.append(_median_row(f"median location error of a step in level spacings, {name}", errors))
    return rows


def _skewed_rows(records: list[Record]) -> list[Row]:
    rows = []
    for what in ("location", "width"):
        covered = [r.location_covered if what == "location" else r.width_covered for r in records]
        given = [one for one in covered if one is not None]
        rows.append(
            share_row(f"coverage of the {what}, Gompertz's curves, sequences", sum(given), len(given))
        )
    return rows


def _median_row(name: str, values: list[float]) -> Row:
    value = float(np.median(values)) if values else float("nan")
    ranks = np.sort(values)
    half = 0.98 * np.sqrt(len(values))  # binomial interval of the rank of the median
    low, high = (
        float(ranks[int(np.clip(len(values) / 2 + sign * half, 0, len(values) - 1))]) if values else value
        for sign in (-1, 1)
    )
    return Row(f"{name} (n={len(values)})", "<= 0.5", value, low, high, value <= 0.5)


def _peer_rows(what: str, records: list[Record]) -> list[Row]:
    """Return false positives, power and accuracy of each peer, and of the analyzer on the same curves."""
    seen = [r for r in records if r.peers]
    rows = []
    for name in (*(n for n in TOOLS if any(n in r.peers for r in seen)), "the analyzer"):
        if not seen:
            continue
        found = [r.peers[name] if name in r.peers else int(r.detected) for r in seen]
        null = [f > 0 for r, f in zip(seen, found, strict=True) if r.wanted == "none"]
        real = [f > 0 for r, f in zip(seen, found, strict=True) if r.wanted != "none"]
        rows.append(share_row(f"  peers, {what}: {name}, false positives", sum(null), len(null)))
        rows.append(share_row(f"  peers, {what}: {name}, power", sum(real), len(real)))
        said = [
            r.largest if name not in r.peers else ("none", "sharp", "multiple")[min(f, 2)]
            for r, f in zip(seen, found, strict=True)
        ]
        value = balanced_accuracy([r.wanted for r in seen], said)
        rows.append(
            Row(f"  peers, {what}: {name}, balanced accuracy (n={len(seen)})", "", value, value, value, True)
        )
    return rows


def other_rows(name: str, seed: int, scale: float) -> list[Row]:
    """Return the rows that another file of this benchmark measures; it is imported when it is measured."""
    module = f"benchmarks.{OTHERS[name]}"
    if importlib.util.find_spec(module) is None:
        print(f"absent: the part {name!r} ({module} is not there)")
        return []
    part = importlib.import_module(module)
    if hasattr(part, "ROWS"):
        return [row for rows in part.ROWS for row in rows()]
    rows: list[Row] = part.rows(seed, scale)
    return rows


def main() -> None:
    """Print the table, part by part as it is measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2))
    parser.add_argument(
        "--scale", type=float, default=1.0, help="number of curves, as a multiple of the usual"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the curves")
    parser.add_argument("--without", nargs="*", default=[], choices=("simulated", "speed", *OTHERS))
    args = parser.parse_args()
    scale = 0.1 if args.quick else args.scale
    parts: list[tuple[str, Callable[[], list[Row]]]] = []
    if "simulated" not in args.without:
        parts.append(("simulated", partial(simulated_rows, args.seed, args.processes, scale)))
    if "speed" not in args.without:
        parts.append(("agreement", partial(agreement_rows, args.seed, scale)))
        parts.append(("speed", partial(speed_rows, args.seed, scale)))
    for name in (name for name in OTHERS if name not in args.without):
        parts.append((name, partial(other_rows, name, args.seed, scale)))
    for _, rows in parts:
        print(table(rows()), flush=True)


if __name__ == "__main__":
    main()
