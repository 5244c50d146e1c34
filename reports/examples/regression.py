"""Sparse regression in context (Han et al. 2024, section 3.3), and early against late finetuning (section 4).

python reports/examples/regression.py SERIES_DIR RUNS_DIR OUT_DIR

SERIES_DIR holds what `icl train` wrote: sparse-seed0, ... and bitwise-seed0, ...
Finetunes what is missing into RUNS_DIR (half a CPU minute a run) and writes
README.md, figures and tables into OUT_DIR. Killed at any point, the same
command goes on.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import regression_finetuning as tuning
import regression_numbers as numbers
from regression_figures import (
    ERRORS_SIZE,
    POSTERIOR_SIZE,
    TRAINING_SIZE,
    TUNED_SIZE,
    draw_errors,
    draw_posterior,
    draw_training,
    draw_tuned,
)
from regression_tables import (
    errors_table,
    finetuning_tables,
    posterior_table,
    training_tables,
    write_csv,
)

from harness.local_models.training_loop import torch_threads
from harness.reporting.concept_figures import standing_alone
from harness.reporting.drawing import Frame, svg

TITLES = {
    "errors": "Squared error of sparse regression over the examples in context",
    "training": "Error and decodability of the basis over training",
    "posterior": "Posterior of the true basis over the examples in context",
    "finetuning": "Gain and decodability by the layer that is finetuned",
}
Figure = tuple[Callable[[Frame], None], tuple[float, float]]


def main(series_dir: str, runs_dir: str, out_dir: str) -> None:
    """Do what is missing, then write the page."""
    folder, runs, out = Path(series_dir), Path(runs_dir), Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    tuned = [tuning.tuned_series(d, runs, seed) for seed, d in _seeds(folder, "bitwise")]
    series = [numbers.read_series(d, seed) for seed, d in _seeds(folder, "sparse")]
    ideal = numbers.ideal()
    paper, exact = numbers.exact_curve(numbers.PAPER, "paper"), numbers.exact_curve(numbers.TASK, "recipe")
    implied = [numbers.implied_over_k(s) for s in series]
    decoded = [numbers.decoded_over_k(s, len(s.decoded[0]) - 1) for s in series]
    figures: dict[str, Figure] = {
        "errors": (partial(draw_errors, series=series, ideal=ideal), ERRORS_SIZE),
        "training": (partial(draw_training, series=series, ideal=ideal), TRAINING_SIZE),
        "posterior": (
            partial(draw_posterior, paper=paper, exact=exact, implied=implied, decoded=decoded),
            POSTERIOR_SIZE,
        ),
        "finetuning": (partial(draw_tuned, series=tuned), TUNED_SIZE),
    }
    for name, (draw, size) in figures.items():
        drawn = svg(draw, size, salt=name, title=TITLES[name], description="Every point is in a table here.")
        (out / f"{name}.svg").write_text(standing_alone(drawn), encoding="utf-8")
    sections = {
        "errors": errors_table(series, ideal),
        "training": training_tables(series),
        "posterior": posterior_table(paper, exact, series, ideal),
        "finetuning": finetuning_tables(tuned),
    }
    shown = {k: f"![{TITLES[k]}]({k}.svg)\n\n{text}" for k, text in sections.items()}
    facts = {
        "last": numbers.TASK.examples - 1,
        "parameters": f"{tuned[0].learning:,}",
        "trainings": len(tuned),
        "tuning_steps": tuning.STEPS,
        "rate": tuning.RATE,
    }
    words = (Path(__file__).parent / "regression.md").read_text(encoding="utf-8")
    page = words.format(**shown, **facts, **asdict(numbers.TASK))
    (out / "README.md").write_text(page, encoding="utf-8")
    write_csv(series, ideal, out / "checkpoints.csv")


def _seeds(folder: Path, name: str) -> list[tuple[int, Path]]:
    found = [(s, folder / f"{name}-seed{s}") for s in range(9)]
    kept = [(s, d) for s, d in found if (d / "training.json").is_file()]
    if not kept:
        raise SystemExit(f"{folder} has no finished {name}-seed0: see the head of this file")
    return kept


if __name__ == "__main__":
    with torch_threads(1):
        main(*sys.argv[1:])
