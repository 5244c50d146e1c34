"""Checkpoint series as an example: onsets over training, decodability, and the hidden-capability gap.

python reports/examples/training.py SERIES_DIR RUNS_DIR OUT_DIR

SERIES_DIR holds what `icl train` wrote: induction-seed0 to 4 and bitwise-seed0
to 4. Runs the suites in reports/examples/training/ into RUNS_DIR, goes
on with what is there, and writes README.md, figures and tables into OUT_DIR.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import harness as icl
from harness.analysis.learning import mean_interval
from harness.reporting.concept_figures import standing_alone
from harness.reporting.drawing import svg
from harness.reporting.numbers import with_interval
from harness.reporting.trained import training_blocks

SUITES = ("induction", "bundled", "capability", "bitwise")


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
        ways = icl.capability_df(run)
        if len(ways):
            ways.drop(columns="run").round(4).to_csv(out / f"{name}-ways.csv", index=False)
        if name == "bitwise":
            sections["rise"] = over_seeds(run)
    (out / "README.md").write_text(words.format(**sections), encoding="utf-8")


def page(name: str, run: icl.Run, out: Path) -> str:
    """Return what the report says of a run over training; figures, written beside, of the first series alone.

    Of a run that looked inside it is what was found there, for which it was made. Phases have a page of their own.
    """
    blocks = [block for block in training_blocks([run.result]) if not block.anchor.startswith("phases")]
    first = blocks[0].model
    inside = [block for block in blocks if block.anchor.startswith(("decoded", "capability"))]
    parts: list[str] = []
    noted: set[str] = set()
    for block in inside or blocks:
        parts.append(f"### {block.title}, `{block.model}`\n\n{block.facts}\n")
        control = ", control " in block.title
        for k, shown in enumerate(block.shown):
            parts.append(" ".join(shown.sentences) + "\n")
            if control:
                continue
            for drawn in shown.figures if block.model == first else ():
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


def over_seeds(run: icl.Run) -> str:
    """Return decodability and p(target) at each checkpoint, means over seeds, and how much they rise."""
    found = icl.decodability_df(run)
    found = found[found["chosen"] & (found["context_length"] == found["context_length"].max())]
    found = found.assign(
        seed=found["model"].str.extract(r"seed(\d+)@")[0],
        step=found["model"].str.split("@").str[1].astype(int),
    )
    read = found.pivot_table(index=["step", "seed"], columns="probe", values="held_out")
    read["p(target)"] = found.groupby(["step", "seed"])["behaviour"].first()
    steps = read.index.get_level_values("step").unique()
    rows = [(f"{step}", *(_mean(read.loc[step, name]) for name in read.columns)) for step in steps]
    last, seeds = steps[-1], len(read.loc[steps[-1]])
    for before in steps[:2]:
        grown = [read.loc[last, name] - read.loc[before, name] for name in read.columns]
        rows.append((f"{last} less {before}", *(f"{_mean(one)}, {sum(one > 0)} of {seeds}" for one in grown)))
    return table(("step", *read.columns), tuple(rows))


def _mean(values: pd.Series) -> str:
    low, high = np.clip(mean_interval(values.to_numpy()), -1, 1)  # of probabilities or their differences
    return with_interval(float(values.mean()), low, high)


def table(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    """Return a Markdown table."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
