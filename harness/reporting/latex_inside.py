"""What was found over training and inside models, in LaTeX."""

from collections.abc import Sequence

from harness.reporting.inside import Drawn, Shown
from harness.reporting.latex_text import escape, figure
from harness.reporting.trained import training_blocks
from harness.reporting.whitebox import across_sentences, inside_blocks
from harness.types import RunResult


def inside_figures(results: Sequence[RunResult]) -> list[tuple[str, Drawn]]:
    """Return the figures of what was found over training and inside models, with names unique in the report."""
    return [
        (f"{block.anchor}-{k}-{drawn.name}", drawn)
        for block in (*training_blocks(results), *inside_blocks(results))
        for k, part in enumerate(block.shown)
        for drawn in part.figures
    ]


def inside(results: Sequence[RunResult]) -> list[str]:
    """Return what was found over training and inside models: a paragraph, figures and a table for each kind."""
    parts = [escape(sentence) for sentence in across_sentences(results)]
    for block in (*training_blocks(results), *inside_blocks(results)):
        words = " ".join((block.facts, *(f"{sentence}." for sentence in block.missing)))
        parts.append(
            rf"\paragraph{{{block.lead} {escape(block.model)}: {escape(block.title)}}} {escape(words)}"
        )
        for k, part in enumerate(block.shown):
            parts.append(escape(" ".join((f"{part.title}.", *part.sentences, *part.cautions))))
            parts += [figure(f"{block.anchor}-{k}-{d.name}", f"{d.title}. {d.note}") for d in part.figures]
            if part.rows:
                parts.append(_inside_table(f"{part.title}: {block.title}, {block.model}.", part))
    return parts


def _inside_table(caption_text: str, part: Shown) -> str:
    rows = [" & ".join(escape(cell.replace("n/a", "–")) for cell in row) + r" \\" for row in part.rows]
    columns = r">{\raggedright\arraybackslash}p{0.24\linewidth}" + "r" * (len(part.heads) - 1)
    return "\n".join(
        [
            r"{\footnotesize\setlength{\tabcolsep}{3pt}\setlength{\LTcapwidth}{\linewidth}%",
            rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
            rf"\caption{{{escape(caption_text)}}}\\",
            r"\toprule",
            " & ".join(map(escape, part.heads)) + r" \\",
            r"\midrule",
            r"\endhead",
            *rows,
            r"\bottomrule",
            r"\end{longtable}}",
        ]
    )
