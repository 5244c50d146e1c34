"""Checkpoint series as an example: onsets over training, decodability, and the hidden-capability gap.

python reports/examples/training.py SERIES_DIR RUNS_DIR OUT_DIR

SERIES_DIR holds what `icl train` wrote: induction-seed0, induction-seed1 and
bitwise-seed0. Runs the suites in reports/examples/training/ into RUNS_DIR, goes
on with what is there, and writes README.md, figures and tables into OUT_DIR.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch

import harness as icl
from harness.analysis.learning import mean_interval
from harness.capability import course_of
from harness.local_models.checkpoints import series_names
from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.capability import read_capability
from harness.local_models.whitebox.capability_coin import coin_trials
from harness.reporting.concept_figures import standing_alone
from harness.reporting.drawing import svg
from harness.reporting.numbers import number, with_interval
from harness.reporting.trained import training_blocks
from harness.types import Bounded, Floats
from harness.types.capability import CapabilityCourse

SUITES = ("induction", "bundled", "bitwise")
THRESHOLD = 0.9  # agreement with the implied law; the coin's ideal reader has 1
HEADS = ("step", "naive", "over-prompting", "alpha = 1", "tuned (layer, alpha)", "random, tuned", "wrong concept",
         "gap, tuned", "random as good", "mass", "off target")  # fmt: skip


def main(series_dir: str, runs_dir: str, out_dir: str) -> None:
    """Run what is missing, then write the page."""
    here, out, runs = Path(__file__).parent, Path(out_dir).absolute(), Path(runs_dir).absolute()
    suites = {name: (here / "training" / f"{name}.yaml").absolute() for name in SUITES}
    words = (here / "training.md").read_text(encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(series_dir)  # so that models are named by their folder alone
    sections = {}
    for name, suite in suites.items():
        run = icl.run(suite, out=runs / name)
        sections[name] = page(name, run, out)
        icl.series_df(run).round(4).to_csv(out / f"{name}.csv", index=False)
    sections["capability"] = capability_table(bundled_course())
    (out / "README.md").write_text(words.format(**sections), encoding="utf-8")


def page(name: str, run: icl.Run, out: Path) -> str:
    """Return what the report says of a run over training, its figures written beside."""
    parts = []
    for block in training_blocks([run.result]):
        parts.append(f"### {block.title}, `{block.model}`\n\n{block.facts}\n")
        for k, shown in enumerate(block.shown):
            parts.append(" ".join(shown.sentences) + "\n")
            for drawn in shown.figures:
                file = f"{name}-{block.anchor}-{k}-{drawn.name}.svg"
                salt = file.removesuffix(".svg")
                text = svg(drawn.draw, drawn.size, salt=salt, title=drawn.title, description=drawn.note)
                (out / file).write_text(standing_alone(text), encoding="utf-8")
                parts.append(f"![{drawn.title}]({file})\n\n{drawn.note}\n")
            parts.append(table(shown.heads, shown.rows))
            parts += [f"{caution}\n" for caution in shown.cautions]
    return "\n".join(parts)


def table(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    """Return a Markdown table."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def bundled_course() -> CapabilityCourse:
    """Return naive, over-prompted and latent agreement of the bundled series on the coin, on the same trials."""
    torch.set_num_threads(1)
    names = series_names("icl-mixture")
    readings = []
    for name in names:
        loaded = load_checkpoint(name)
        trials = coin_trials(loaded.tokenizer, np.random.default_rng(11), n=240)
        readings.append(
            read_capability(WhiteBox(loaded.model, loaded.tokenizer), trials, rng=np.random.default_rng(1))
        )
    return course_of([int(n.partition("@")[2]) for n in names], readings, threshold=THRESHOLD, smoothing=0)


def capability_table(course: CapabilityCourse) -> str:
    """Return the course as a table and a sentence on when capability and behaviour come."""
    rows = [
        (
            f"{step:g}",
            _mean(r.naive),
            _mean(r.over),
            _mean(r.natural),
            f"{_mean(r.tuned)} ({r.layer}, {r.scale:g})",
            number(float(r.random.mean()), 2),
            number(float(r.wrong.mean()), 2),
            _bounded(gap.latent),
            f"{gap.random_as_good[0]} of {gap.random_as_good[1]}",
            f"{number(r.mass[0], 2)}, {number(r.mass[1], 2)}",
            number(r.off_target, 2),
        )
        for step, r, gap in zip(course.step, course.readings, course.gaps, strict=True)
    ]
    times = (
        f"{course.threshold:g} agreement, kept for three checkpoints: capability from step "
        f"{number(course.capability, 0)}, behaviour from step {number(course.behaviour, 0)}."
    )
    return f"{table(HEADS, tuple(rows))}\n{times}\n"


def _mean(values: Floats) -> str:
    return with_interval(float(values.mean()), *mean_interval(values))


def _bounded(found: Bounded) -> str:
    return with_interval(found.value, found.low, found.high)


if __name__ == "__main__":
    main(*sys.argv[1:])
