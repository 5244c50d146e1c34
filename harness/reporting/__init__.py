"""Reports of finished runs: HTML, PDF, LaTeX and CSV, from the records alone."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import SpecError
from harness.types import RunResult

FORMATS = frozenset({"html", "pdf", "latex", "csv"})


def write_report(results: Sequence[RunResult], out: Path, formats: frozenset[str]) -> list[Path]:
    """Write the report of one or more runs into a directory and return the files written.

    The same results give the same bytes. Each file is written under a temporary
    name and then renamed. Files: report.html; report.pdf; latex/ with
    report.tex, transitions.tex and figures/; runs.csv, transitions.csv and positions.csv,
    shifts.csv where conditions are compared, and mixtures.csv and cognitive.csv where a suite asks for them.

    Raises SpecError for an unknown format or no runs, MissingExtra if HTML is
    asked for without Jinja2, StoreFull if the directory cannot be written.
    """
    unknown = sorted(formats - FORMATS)
    if unknown or not formats:
        found = f"no report format {unknown[0]!r}" if unknown else "no report format given"
        raise SpecError(f"{found}; allowed: {', '.join(sorted(FORMATS))}")
    if not results:
        raise SpecError("no runs to report: name at least one run directory")
    from harness.reporting.files import write_file

    return [
        write_file(out / name, content)
        for chosen in sorted(formats)
        for name, content in _render(results, chosen).items()
    ]


def _render(results: Sequence[RunResult], chosen: str) -> dict[str, bytes]:
    """Return file names and contents of one format; heavy imports happen here, not at the top."""
    match chosen:
        case "html":
            from harness.reporting.html import html_report

            return {"report.html": html_report(results)}
        case "pdf":
            from harness.reporting.pages import pdf_report

            return {"report.pdf": pdf_report(results)}
        case "latex":
            from harness.reporting.latex import latex_report

            return latex_report(results)
    from harness.reporting.tables import csv_report

    return csv_report(results)
