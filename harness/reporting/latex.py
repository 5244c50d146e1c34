"""The LaTeX report: a fragment to input into a paper, a document that compiles it, and figures as PDF."""

from collections.abc import Sequence
from functools import partial

from harness.reporting.captions import caption, figure_note
from harness.reporting.drawing import pdf
from harness.reporting.explained import COLUMNS, Explained, explained
from harness.reporting.figures import WIDE, draw_curve
from harness.reporting.findings import SHIFT_COLUMNS, Compared, compared
from harness.reporting.generations import (
    HEADS,
    TextsBlock,
    share_groups,
    share_note,
    texts_blocks,
)
from harness.reporting.latex_inside import inside, inside_figures
from harness.reporting.latex_text import escape, figure
from harness.reporting.levels import failures_per_level, ideal_transition
from harness.reporting.methods import methods
from harness.reporting.mixtures import MIXTURE, draw_mixture
from harness.reporting.numbers import number, with_interval
from harness.reporting.overview import ONSET, draw_onset, onset_note
from harness.reporting.sections import Entry, entries, sections, sweeps
from harness.reporting.shares import SHARES, draw_shares
from harness.reporting.summary import measured_of, model_summary
from harness.reporting.wording import delay_words, options_words
from harness.types import RunResult

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage{graphicx}
\usepackage{booktabs}
\usepackage{longtable}
\usepackage{array}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[margin=2.2cm]{geometry}
\emergencystretch=3em
\begin{document}
"""


def latex_report(results: Sequence[RunResult]) -> dict[str, bytes]:
    """Return the files of the folder latex: report.tex, transitions.tex and figures/, by name."""
    found = entries(results)
    files = {f"figures/{entry.anchor}.pdf": _curve_pdf(entry) for entry in found}
    files |= {
        f"figures/{entry.anchor}-mixture.pdf": pdf(
            [(MIXTURE, partial(draw_mixture, mixture=cognition.mixture))]
        )
        for entry in found
        if (cognition := entry.result.cognition) is not None and cognition.mixture is not None
    }
    swept = sweeps([curve for run in results for curve in run.curves])
    for k, sweep in enumerate(swept):
        files[f"figures/onset-{k}.pdf"] = pdf([(ONSET, partial(draw_onset, sweep=sweep))])
    for k, group in enumerate(share_groups(results)):
        files[f"figures/shares-{k}.pdf"] = pdf([(SHARES, partial(draw_shares, group=group))])
    for name, drawn in inside_figures(results):
        files[f"figures/{name}.pdf"] = pdf([(drawn.size, drawn.draw)])
    onsets = [figure(f"onset-{k}", onset_note(sweep)) for k, sweep in enumerate(swept)]
    ordered = [e for section in sections(found) for e in (section.main, *section.controls)]
    fragment = [
        "% Needs graphicx, booktabs, longtable, array, textcomp and T1 fonts; figures are in figures/.",
        *_tables(ordered),
        *(_compared(block) for block in compared(results)),
        *onsets,
        *(figure(f"shares-{k}", share_note(g)) for k, g in enumerate(share_groups(results))),
        *(_texts_table(block) for block in texts_blocks(results)),
        *inside(results),
        *(part for e in ordered for part in (figure(e.anchor, _caption(e)), *_explained(e))),
    ]
    files["transitions.tex"] = _encoded(fragment)
    files["report.tex"] = _encoded(
        [_PREAMBLE, *_head(results), r"\input{transitions}", *_methods(results), r"\end{document}"]
    )
    return {f"latex/{name}": content for name, content in files.items()}


def _head(results: Sequence[RunResult]) -> list[str]:
    parts = []
    for run in results:
        parts.append(rf"\section*{{Transition report: {escape(run.name)}}}")
        parts.append(
            escape(f"Seed {run.seed}; first call {run.created}; suite digest {run.suite_digest[:12]}.")
        )
        for model in run.models:
            words = model_summary(model, *measured_of(run, model.name))
            parts.append(rf"\paragraph{{{escape(model.name)}}} {escape(words)}")
        parts += [escape(f"No curve: {sentence}.") for sentence in run.unjudged]
    return parts


def _methods(results: Sequence[RunResult]) -> list[str]:
    terms = [rf"\item[{{{escape(term)}}}] {escape(definition)}" for term, definition in methods(results)]
    return [r"\section*{Methods}", r"\begin{description}", *terms, r"\end{description}"]


def _tables(ordered: Sequence[Entry]) -> list[str]:
    """Return one longtable a model and run, so that the model needs no column."""
    groups: dict[tuple[int, str], list[Entry]] = {}
    for entry in ordered:
        groups.setdefault((id(entry.run), entry.result.model), []).append(entry)
    return [_table(group) for group in groups.values()]


def _table(group: Sequence[Entry]) -> str:
    run, model = group[0].run, group[0].result.model
    heads = ["curve", "verdict", "half-way", "width", "ideal", "excess delay", "failed"]
    caption_text = (
        f"Transitions of {model} in {run.name}. Half-way points and 10-90 % widths in symbols, with "
        f"intervals; ideal: half-way point of the ideal observer. {options_words(run.options).capitalize()}."
    )
    lines = [
        r"{\small\setlength{\tabcolsep}{3.5pt}\setlength{\LTcapwidth}{\linewidth}%",
        r"\begin{longtable}{@{}>{\raggedright\arraybackslash}p{0.23\linewidth}lrrrrr@{}}",
        rf"\caption{{{escape(caption_text)}}}\\",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        r"\endhead",
        *(_row(entry) for entry in group),
        r"\bottomrule",
        r"\end{longtable}}",
    ]
    return "\n".join(lines)


def _row(entry: Entry) -> str:
    result, t, ideal = entry.result, entry.result.transition, ideal_transition(entry.result)
    places = "; ".join(number(c.location) for c in t.changes) if t.verdict == "multiple" else None
    name = f"{result.title} ({result.control})" if result.control else result.title
    cells = [
        name,
        t.verdict,
        places or with_interval(t.location, t.location_low, t.location_high),
        with_interval(t.width, t.width_low, t.width_high),
        number(None if ideal is None else ideal.location),
        delay_words(result.delay),
        f"{failures_per_level(result).sum():,.0f}",
    ]
    return " & ".join(escape(cell.replace("n/a", "–")) for cell in cells) + r" \\"


def _compared(block: Compared) -> str:
    """Return the paragraphs on families, and the conditions compared as a list: the rows are too wide for a page."""
    parts = [escape(sentence) for sentence in block.families]
    for row in block.rows:
        cells = "; ".join(f"{n} {cell}" for n, cell in zip(SHIFT_COLUMNS[2:], row[2:], strict=True))
        parts.append(escape(f"{row[0]} against {row[1]}: {cells}.".replace("n/a", "–")))
    return "\n\n".join([*parts, escape(block.note)])


def _texts_table(block: TextsBlock) -> str:
    rows = [" & ".join(escape(cell.replace("n/a", "–")) for cell in row) + r" \\" for row in block.rows]
    return "\n".join(
        [
            r"{\small\setlength{\LTcapwidth}{\linewidth}%",
            r"\begin{longtable}{@{}lrrr@{}}",
            rf"\caption{{{escape(f'{block.title}, {block.model}. {block.words}')}}}\\",
            r"\toprule",
            " & ".join(HEADS) + r" \\",
            r"\midrule",
            r"\endhead",
            *rows,
            r"\bottomrule",
            r"\end{longtable}}",
        ]
    )


def _caption(entry: Entry) -> str:
    said, result = caption(entry), entry.result
    control = f", control {result.control}" if result.control else ""
    parts = [
        f"{result.title}{control}, {result.model}.",
        said.verdict,
        said.beyond,
        said.match,
        *said.findings,
        *said.cautions,
        figure_note(entry),
    ]
    return " ".join(part for part in parts if part)


def _explained(entry: Entry) -> list[str]:
    """Return the figure of a mixture of observers and the table of cognitive models, where there are any."""
    said, result = explained(entry.result.cognition), entry.result
    if said is None:
        return []
    whose = f"{result.title}{f', control {result.control}' if result.control else ''}, {result.model}"
    words = " ".join((f"What explains the predictions: {whose}.", *said.sentences, *said.cautions))
    parts = [figure(f"{entry.anchor}-mixture", f"{words} {said.note}")] if said.note else []
    if said.rows:
        parts.append(_models(f"Cognitive models: {whose}." if said.note else words, said))
    return parts or [escape(words)]


def _models(caption_text: str, said: Explained) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small\setlength{\tabcolsep}{3.5pt}",
        rf"\caption{{{escape(caption_text)}}}",
        r"\begin{tabular}{@{}l>{\raggedright\arraybackslash}p{0.36\linewidth}rrrr@{}}",
        r"\toprule",
        " & ".join(map(escape, COLUMNS)) + r" \\",
        r"\midrule",
        *(" & ".join(map(escape, row)) + r" \\" for row in said.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _curve_pdf(entry: Entry) -> bytes:
    return pdf([(WIDE, partial(draw_curve, result=entry.result))])


def _encoded(parts: Sequence[str]) -> bytes:
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")
