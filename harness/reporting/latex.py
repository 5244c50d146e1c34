"""The LaTeX report: a fragment to input into a paper, a document that compiles it, and figures as PDF."""

import unicodedata
from collections.abc import Sequence
from functools import partial

from harness.reporting.captions import caption, figure_note
from harness.reporting.drawing import pdf
from harness.reporting.figures import WIDE, draw_curve
from harness.reporting.levels import failures_per_level, ideal_transition
from harness.reporting.methods import methods
from harness.reporting.numbers import number, with_interval
from harness.reporting.overview import ONSET, draw_onset, onset_note
from harness.reporting.sections import Entry, entries, sections, sweeps
from harness.reporting.summary import model_summary
from harness.reporting.wording import delay_words, options_words
from harness.types import RunResult

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # no ligature: "--" is not a dash
    "[": r"{[}",  # not an optional argument after \\
    "≥": r"$\geq$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "–": r"\textendash{}",
    "…": r"\dots{}",
}

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
    swept = sweeps([curve for run in results for curve in run.curves])
    for k, sweep in enumerate(swept):
        files[f"figures/onset-{k}.pdf"] = pdf([(ONSET, partial(draw_onset, sweep=sweep))])
    onsets = [_figure(f"onset-{k}", onset_note(sweep)) for k, sweep in enumerate(swept)]
    ordered = [e for section in sections(found) for e in (section.main, *section.controls)]
    fragment = [
        "% Needs graphicx, booktabs, longtable, array, textcomp and T1 fonts; figures are in figures/.",
        *_tables(ordered),
        *onsets,
        *(_figure(entry.anchor, _caption(entry)) for entry in ordered),
    ]
    files["transitions.tex"] = _encoded(fragment)
    files["report.tex"] = _encoded(
        [_PREAMBLE, *_head(results), r"\input{transitions}", *_methods(results), r"\end{document}"]
    )
    return {f"latex/{name}": content for name, content in files.items()}


def escape(text: str) -> str:
    """Return text that LaTeX sets as it reads; what pdflatex has no glyph for becomes [U+XXXX]."""
    return "".join(
        _SPECIAL.get(c) or (c if _settable(c) else f"{{[}}U+{ord(c):04X}]") for c in " ".join(text.split())
    )


def _settable(c: str) -> bool:
    """Whether T1 fonts hold a character: ASCII, and the letters of Latin-1."""
    return (c.isascii() and c.isprintable()) or ("À" <= c <= "ÿ" and unicodedata.category(c).startswith("L"))


def _head(results: Sequence[RunResult]) -> list[str]:
    parts = []
    for run in results:
        parts.append(rf"\section*{{Transition report: {escape(run.name)}}}")
        parts.append(
            escape(f"Seed {run.seed}; first call {run.created}; suite digest {run.suite_digest[:12]}.")
        )
        for model in run.models:
            curves = [curve for curve in run.curves if curve.model == model.name]
            parts.append(rf"\paragraph{{{escape(model.name)}}} {escape(model_summary(model, curves))}")
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


def _figure(name: str, text: str) -> str:
    return "\n".join(
        [
            r"\begin{figure}[htbp]",
            r"\centering",
            rf"\includegraphics[width=\linewidth]{{figures/{name}}}",
            rf"\caption{{{escape(text)}}}",
            rf"\label{{fig:{name}}}",
            r"\end{figure}",
        ]
    ).rstrip()


def _caption(entry: Entry) -> str:
    said, result = caption(entry), entry.result
    control = f", control {result.control}" if result.control else ""
    parts = [
        f"{result.title}{control}, {result.model}.",
        said.verdict,
        said.beyond,
        *said.cautions,
        figure_note(entry),
    ]
    return " ".join(part for part in parts if part)


def _curve_pdf(entry: Entry) -> bytes:
    return pdf([(WIDE, partial(draw_curve, result=entry.result))])


def _encoded(parts: Sequence[str]) -> bytes:
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")
