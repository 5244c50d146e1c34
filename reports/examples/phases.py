"""Phases of training as an example: which of four algorithms a model of Markov chains predicts like, and when.

python reports/examples/phases.py SERIES_DIR RUNS_DIR OUT_DIR

SERIES_DIR holds what `icl train markov-mixture` wrote, folders markov-mixture-N16-seed0
and so on; those of phases.md are the ones shown. Runs the suite in
reports/examples/phases/ for each number of chains into RUNS_DIR, goes on with what is
there, and writes README.md, figures and tables into OUT_DIR.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import harness as icl
from harness.reporting.concept_figures import standing_alone
from harness.reporting.drawing import svg
from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, probability, with_interval
from harness.reporting.phases import phase_block, phase_blocks
from harness.suite_files import parse_suite
from harness.types.phases import Passage, PhaseMap

INFERENCE, RETRIEVAL = "bigram_inference", "bigram_retrieval"
SHOWN = (8, 32, 127)  # context lengths in the table of cells
BOUNDARIES = (32, 64, 127)


def main(series_dir: str, runs_dir: str, out_dir: str) -> None:
    """Run what is missing, then write the page."""
    here, out, runs_at = Path(__file__).parent, Path(out_dir).absolute(), Path(runs_dir).absolute()
    text = (here / "phases" / "chains.yaml").read_text(encoding="utf-8")
    words = (here / "phases.md").read_text(encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(series_dir)  # so that models are named by their folder alone
    runs = []
    for chains, folders in trained(Path(".")).items():
        suite = parse_suite(text.replace("CHAINS", str(chains)), "phases/chains.yaml")
        runs.append(icl.run(suite, [f"local/{name}@*" for name in folders], out=runs_at / str(chains)))
    write(words, runs, out)


def write(words: str, runs: Sequence[icl.Run], out: Path) -> None:
    """Write the page, its figures and tables."""
    maps = [found for run in runs for found in run.result.phases]
    library = [found for found in maps if found.params["novel"] == 0]
    tables(runs, out)
    sections = {
        "over": over_page(runs, out),
        "maps": maps_page([found for found in library if found.series.endswith("seed0")], out),
        "boundary": boundary_table(library),
        "inference": inference_table(maps),
        "steps": steps_words(library),
    }
    (out / "README.md").write_text(words.format(**sections), encoding="utf-8")


def steps_words(maps: Sequence[PhaseMap]) -> str:
    """Return how long each number of chains was trained, e.g. "1600 steps (4, 16 chains), 4000 (64)"."""
    by_steps: dict[float, list[str]] = {}
    for found in maps:
        chains = by_steps.setdefault(float(found.step[-1]), [])
        chains += [str(found.params["chains"])] * (str(found.params["chains"]) not in chains)
    return ", ".join(f"{steps:g} steps ({', '.join(n)} chains)" for steps, n in by_steps.items())


def trained(folder: Path) -> dict[int, list[str]]:
    """Return the finished trainings of a folder by their number of chains, ascending."""
    found: dict[int, list[str]] = {}
    for path in sorted(folder.glob("markov-mixture-N*-seed*")):
        name = re.fullmatch(r"markov-mixture-N(\d+)-seed\d+", path.name)
        if name and (path / "training.json").exists():
            found.setdefault(int(name[1]), []).append(path.name)
    return dict(sorted(found.items()))


def tables(runs: Sequence[icl.Run], out: Path) -> None:
    """Write the cells at some context lengths, and every passage of the lead, as CSV."""
    cells = icl.phases_df(*runs)
    cells = cells[cells["context_length"].isin(SHOWN)].drop(columns=["run", "id", "control", "sequences"])
    cells.round(4).to_csv(out / "phases.csv", index=False)
    passages = icl.passages_df(*runs).drop(columns=["run", "id", "control"])
    passages.round(2).to_csv(out / "passages.csv", index=False)


def over_page(runs: Sequence[icl.Run], out: Path) -> str:
    """Return the diagrams over the number of chains, of chains of the library and of new ones."""
    blocks = [b for b in phase_blocks([run.result for run in runs]) if b.shown[0].title.startswith("Over ")]
    parts = []
    for block in blocks:
        kind = "of the library" if "novel 0.0" in block.title else "drawn anew"
        parts.append(f"### Chains {kind}\n")
        parts.append(shown_page(block.shown[0], f"chains-{kind.replace(' ', '-')}", out))
    return "\n".join(parts)


def shown_page(shown: Shown, name: str, out: Path) -> str:
    """Return figures with their notes and the table of a section."""
    parts = [f"{' '.join(shown.sentences)}\n"]
    parts += [figure(drawn, f"{name}-{drawn.name}", out) + f"\n{drawn.note}\n" for drawn in shown.figures]
    return "\n".join([*parts, table(shown.heads, shown.rows)])


def maps_page(maps: Sequence[PhaseMap], out: Path) -> str:
    """Return the map of context length and training step of each series, in words and as a figure."""
    parts = []
    for found in maps:
        name = found.series.removeprefix("local/")
        block = phase_block(name, found)
        parts.append(f"### {found.params['chains']} chains, `{name}@*`\n")
        parts.append(" ".join(block.shown[0].sentences) + "\n")
        parts.append(figure(block.shown[0].figures[0], name, out))
    return "\n".join(parts)


def boundary_table(maps: Sequence[PhaseMap]) -> str:
    """Return every passage of the lead to an algorithm that counts pairs, at some context lengths."""
    heads = (
        "series",
        "context length",
        "lead passes from, to",
        "at step",
        "analyzer",
        "half-way at step",
        "width, steps",
    )
    rows = []
    for found in maps:
        for n in BOUNDARIES:
            row = (f"`{found.series.removeprefix('local/')}`", f"{n}")
            at = [p for p in found.passages if p.context_length == n and p.after in (INFERENCE, RETRIEVAL)]
            rows += [(*row, *boundary_cells(passage)) for passage in at]
            if not at:
                rows.append((*row, f"none in {found.step[-1]:g} steps", *["n/a"] * 4))
    return table(heads, rows)


def boundary_cells(passage: Passage) -> tuple[str, ...]:
    """Return one passage of the lead as cells of a table."""
    names = f"{passage.before}, {passage.after}"
    place = with_interval(passage.location, passage.low, passage.high)
    judged = passage.transition
    if judged is None:
        return names, place, "n/a", "n/a", "n/a"
    half = with_interval(judged.location, judged.location_low, judged.location_high)
    if judged.changes:
        half = "; ".join(with_interval(c.location, c.low, c.high) for c in judged.changes)
    return (
        names,
        place,
        f"{judged.verdict} (sharp {probability(judged.p_sharp)})",
        half,
        with_interval(judged.width, judged.width_low, judged.width_high),
    )


def inference_table(maps: Sequence[PhaseMap]) -> str:
    """Return, for each series, the cells that pairs learned anew are nearest in, and the step they are nearest at."""
    heads = (
        "series",
        "chains",
        "cells decided for it",
        "cells it is nearest in, undecided",
        "margin, at n = 127",
    )
    rows = []
    for found in maps:
        mine = found.observers.index(INFERENCE)
        later = found.step > 0  # the untrained network is no algorithm
        nearest = (found.nearest == mine)[later]
        own = found.divergence[:, -1, mine]
        ahead = np.where(later, np.delete(found.divergence[:, -1], mine, axis=1).min(axis=1) - own, -np.inf)
        best = int(ahead.argmax())
        bits = number(ahead[best], 3)
        if found.nearest[best, -1] == mine:
            bits = with_interval(found.margin[best, -1], found.low[best, -1], found.high[best, -1])
        rows.append(
            (
                f"`{found.series.removeprefix('local/')}`",
                "of the library" if found.params["novel"] == 0 else "new",
                f"{int((nearest & found.decided[later]).sum())} of {nearest.size}",
                str(int((nearest & ~found.decided[later]).sum())),
                f"{bits} bits at step {found.step[best]:g}",
            )
        )
    return table(heads, rows)


def figure(drawn: Drawn, name: str, out: Path) -> str:
    """Write one figure and return the Markdown that shows it."""
    text = svg(drawn.draw, drawn.size, salt=name, title=drawn.title, description=drawn.note)
    (out / f"{name}.svg").write_text(standing_alone(text), encoding="utf-8")
    return f"![{drawn.title}]({name}.svg)\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
