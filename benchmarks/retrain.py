"""Train the bundled model anew from its seed and hold the result to the published record.

    python -m benchmarks.retrain [--keep DIR]

Compares the loss of every step, as a running mean of 100, and everything the model card
measures, with `training.json` of the bundled model. On the machine and with the versions
it was made by, all of it is equal; elsewhere sums are taken in another order, and the
tolerances below are what a retrained model must stay within to count as the same.
About twelve minutes on one idle core.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from benchmarks._analyzer_rows import Row, table, value_row
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.recipe_names import load_recipe
from harness.local_models.training import train
from harness.types import Floats

LOSS_TOLERANCE = 0.02  # nat, of the running mean: a twentieth of what kinds of sequences differ by
CURVE_TOLERANCE = 0.03  # of p: two standard errors of what a card's 256 sequences measure
MINUTES = 15.0  # on two cores
WINDOW = 100  # steps


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, default=None, help="where the retrained model stays")
    parser.add_argument(
        "--steps", type=int, default=None, help="another number: a trial of this program only"
    )
    arguments = parser.parse_args()
    bundled = resolve_checkpoint("icl-mixture").directory
    assert bundled is not None
    published = json.loads((bundled / "training.json").read_text(encoding="utf-8"))
    folder = arguments.keep or Path(mkdtemp()) / "retrained"
    begun, cpu = time.monotonic(), time.process_time()
    train(load_recipe(published["recipe"]), folder, seed=published["seed"], steps=arguments.steps)
    minutes, cpu_minutes = (time.monotonic() - begun) / 60, (time.process_time() - cpu) / 60
    made = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    print(f"{minutes:.1f} min, {cpu_minutes:.1f} CPU min, in {folder}")
    print(table([*rows(published, made), value_row("CPU minutes", cpu_minutes, most=MINUTES)]))


def rows(published: Mapping[str, Any], made: Mapping[str, Any]) -> list[Row]:
    """Return the largest differences of two training records: of the running loss, and of each curve measured."""
    one, other = (running_mean(record["loss"]) for record in (published, made))
    common = min(len(one), len(other))
    found = [_farthest("running loss, nat", one[:common], other[:common], LOSS_TOLERANCE)]
    for name, curve in published["measured"].items():
        found.append(_farthest(name, curve, made["measured"][name], CURVE_TOLERANCE))
    return found


def running_mean(values: Sequence[float]) -> Floats:
    """Return means of WINDOW neighbours."""
    return np.asarray(np.convolve(values, np.full(WINDOW, 1 / WINDOW), mode="valid"))


def _farthest(name: str, one: Sequence[float] | Floats, other: Sequence[float] | Floats, most: float) -> Row:
    gap = float(np.max(np.abs(np.asarray(one) - np.asarray(other))))
    return value_row(f"{name}: largest difference", gap, most=most)


if __name__ == "__main__":
    main()
