"""What was found inside models, as every format shows it: sentences, figures and a table for each kind.

How a kind of measurement is shown: a module named in `_SHOWN` with
`shown(result, options) -> Shown`, which reads its own record from
`result.findings`; captions carry the thresholds in force where they speak of
transitions (`options_words`). And a module named in `_TABLES`, without
matplotlib, with `KIND_df(results) -> DataFrame`, one row a cell of what was
measured over all runs, written as KIND.csv and offered as `icl.KIND_df` by
harness/frames.py.
"""

from collections.abc import Sequence
from importlib import import_module

import pandas as pd

from harness.reporting.inside import InsideBlock, Shown
from harness.types import RunResult
from harness.types.whitebox import WhiteBoxResult

_SHOWN = {  # kind of measurement -> module of this package
    "decodability": "decodable",
    "steering": "steered",
    "geometry": "shapes_inside",
    "induction": "heads",
    "emergence": "emerged",
    "capability": "capability",
}
_TABLES = {
    "decodability": "decodable_table",
    "steering": "steered_table",
    "geometry": "shapes_table",
    "induction": "heads_table",
    "emergence": "emerged_table",
    "capability": "capability_table",
}


def inside_blocks(results: Sequence[RunResult]) -> list[InsideBlock]:
    """Return what was found inside, a block a model and task, in the order of the runs."""
    blocks: list[InsideBlock] = []
    for run in results:
        for result in run.whitebox:
            shown = tuple(
                import_module(f"harness.reporting.{_SHOWN[kind]}").shown(result, run.options)
                for kind in result.findings
            )
            blocks.append(_block(f"inside-{len(blocks)}", result, shown))
    return blocks


def inside_tables(results: Sequence[RunResult]) -> dict[str, pd.DataFrame]:
    """Return the table of each kind that any run holds, by file name."""
    kinds = dict.fromkeys(kind for run in results for found in run.whitebox for kind in found.findings)
    modules = {kind: import_module(f"harness.reporting.{_TABLES[kind]}") for kind in kinds}
    return {f"{kind}.csv": getattr(module, f"{kind}_df")(results) for kind, module in modules.items()}


def _block(anchor: str, result: WhiteBoxResult, shown: tuple[Shown, ...]) -> InsideBlock:
    labels = ", ".join(result.labels[:8]) + (", …" if len(result.labels) > 8 else "")
    facts = (
        f"Concept: {result.concept} ({labels}); {result.n_trials} sequences, the same that the behaviour is "
        f"measured on; {result.n_layers} layers, 0-based: layer -1 is the stream before the first block."
    )
    return InsideBlock(anchor, result.title, result.model, facts, shown, result.missing)


def across_sentences(results: Sequence[RunResult]) -> list[str]:
    """Return what holds over the models of each run, a sentence a task and decoder."""
    from harness.reporting.decodable import across_sentence

    return [across_sentence(row) for run in results for row in run.across]
