"""Checkpoint series as an example: onsets over training, decodability, and the hidden-capability gap.

python reports/examples/training.py SERIES_DIR RUNS_DIR OUT_DIR

SERIES_DIR holds what `icl train` wrote: induction-seed0, induction-seed1 and
bitwise-seed0. Runs the suites in reports/examples/training/ into RUNS_DIR, goes
on with what is there, and writes README.md, figures and tables into OUT_DIR.
"""

import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

import harness as icl
from harness.capability import course_of, lead_of
from harness.local_models.checkpoints import series_names
from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.capability import read_capability
from harness.local_models.whitebox.capability_coin import coin_trials
from harness.reporting.capability import (
    HEADS,
    WIDE,
    capability_rows,
    capability_sentences,
    draw_capability,
)
from harness.reporting.concept_figures import standing_alone
from harness.reporting.drawing import svg
from harness.reporting.trained import training_blocks
from harness.types.capability import CapabilityCourse

SUITES = ("induction", "bundled", "bitwise")
THRESHOLD = 0.9  # agreement with the implied law; the coin's ideal reader has 1


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
        icl.series_df(run).drop(columns=["run", "title", "chance"]).round(4).to_csv(
            out / f"{name}.csv", index=False
        )
    sections["capability"] = capability_page(bundled_course(), out)
    (out / "README.md").write_text(words.format(**sections), encoding="utf-8")


def page(name: str, run: icl.Run, out: Path) -> str:
    """Return what the report says of a run over training, its figures written beside; of controls the words alone.

    Of a decoded run it is the decodability, for which it was made.
    """
    blocks = training_blocks([run.result])
    decoded = [block for block in blocks if block.anchor.startswith("decoded")]
    parts: list[str] = []
    noted: set[str] = set()
    for block in decoded or blocks:
        parts.append(f"### {block.title}, `{block.model}`\n\n{block.facts}\n")
        control = ", control " in block.title
        for k, shown in enumerate(block.shown):
            parts.append(" ".join(shown.sentences) + "\n")
            if control:
                continue
            for drawn in shown.figures:
                file = f"{name}-{block.anchor}-{k}-{drawn.name}.svg"
                salt = file.removesuffix(".svg")
                text = svg(drawn.draw, drawn.size, salt=salt, title=drawn.title, description=drawn.note)
                (out / file).write_text(standing_alone(text), encoding="utf-8")
                parts.append(f"![{drawn.title}]({file})\n")
                if drawn.note not in noted:
                    parts.append(f"{drawn.note}\n")
                noted.add(drawn.note)
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


def capability_page(course: CapabilityCourse, out: Path) -> str:
    """Return the course in words and as a table, its figure written beside."""
    title = "Agreement with the implied law over training, by way of asking"
    text = svg(
        partial(draw_capability, course=course), WIDE, salt="capability", title=title, description=title
    )
    (out / "capability.svg").write_text(standing_alone(text), encoding="utf-8")
    said = " ".join(capability_sentences([course], lead_of([course])))
    return f"![{title}](capability.svg)\n\n{said}\n\n{table(HEADS, capability_rows(course))}"


if __name__ == "__main__":
    main(*sys.argv[1:])
