"""Hidden capabilities in concept space (Park et al. 2024): train, ask every checkpoint, write the page.

python reports/examples/concept_space.py RUNS_DIR OUT_DIR

Trains what is missing in RUNS_DIR (about two CPU minutes a run), reads what was
not read (40 CPU seconds a run) and writes figures, tables and README.md into
OUT_DIR. Killed at any point, the same command goes on.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from harness.local_models.concept_space.evaluation import Asking, read_trajectory
from harness.local_models.concept_space.images import Separation
from harness.local_models.concept_space.probe import kept_probe
from harness.local_models.concept_space.training import CircleRun, steps_done, train_circles
from harness.local_models.training_loop import torch_threads
from harness.reporting.concept_figures import (
    TIMES_SIZE,
    draw_accuracy,
    draw_paths,
    draw_times,
    panels_size,
    standing_alone,
)
from harness.reporting.concept_findings import find
from harness.reporting.concept_page import results, times_csv, trajectories_csv
from harness.reporting.drawing import Frame, svg

COLOURS, SIZE, SEEDS = (0.1, 0.2, 0.4), 0.4, (0, 1, 2)
SIDE, STEPS = 16, 1500
WIDE = 0.9  # the probe also sees the widest colours that over-prompting asks for
FIGURES = {
    "paths": "Paths through concept space: probabilities that the probe calls an image blue and small, by class asked "
    "for, a dot a checkpoint",
    "accuracy": "Joint accuracy on the held-out class against training step, by way of asking: mean of the seeds, "
    "thin lines single seeds",
    "times": "Learning times against colour separation",
}


def main(runs_dir: str, out_dir: str) -> None:
    """Do what is not done yet, then write the page."""
    runs, out = Path(runs_dir), Path(out_dir)
    probe = kept_probe(
        runs / f"probe-{SIDE}.safetensors", [Separation(c, SIZE) for c in (*COLOURS, WIDE)], SIDE, seed=0
    )
    trajectories = []
    for seed in SEEDS:
        for colour in COLOURS:
            folder = runs / f"colour-{colour}-seed-{seed}"
            if STEPS not in steps_done(folder):
                train_circles(CircleRun(colour=colour, size=SIZE, seed=seed, steps=STEPS, side=SIDE), folder)
            trajectories.append(read_trajectory(folder, probe, asking=Asking()))
            print(f"{folder.name}: read")
    findings = find(trajectories)
    wide = panels_size(findings)
    drawings: dict[str, tuple[Callable[[Frame], None], tuple[float, float]]] = {
        "paths": (partial(draw_paths, findings=findings), wide),
        "accuracy": (partial(draw_accuracy, findings=findings), wide),
        "times": (partial(draw_times, findings=findings), TIMES_SIZE),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, (draw, size) in drawings.items():
        figure = svg(
            draw, size, salt=name, title=FIGURES[name], description="Every point is in trajectories.csv."
        )
        (out / f"{name}.svg").write_text(standing_alone(figure), encoding="utf-8")
    (out / "trajectories.csv").write_text(trajectories_csv(findings), encoding="utf-8")
    (out / "times.csv").write_text(times_csv(findings), encoding="utf-8")
    colour, size = probe.accuracy
    shown = "\n".join(f"![{text}]({name}.svg)\n" for name, text in FIGURES.items())
    words = (Path(__file__).parent / "concept_space.md").read_text(encoding="utf-8")
    page = words.format(colour=f"{colour:.4f}", size=f"{size:.4f}", figures=shown, results=results(findings))
    (out / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    with torch_threads(1):
        main(*sys.argv[1:])
