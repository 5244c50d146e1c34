"""The PDF report: words, overviews and every curve, set on A4 pages without LaTeX."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.reporting.captions import Caption, caption, figure_note
from harness.reporting.drawing import INK, MUTED, SIZE, Draw, Frame, Size, pdf, printable
from harness.reporting.explained import COLUMNS, explained
from harness.reporting.figures import draw_curve
from harness.reporting.findings import SHIFT_COLUMNS, Compared, compared
from harness.reporting.generations import (
    HEADS,
    TextsBlock,
    share_groups,
    share_note,
    texts_blocks,
)
from harness.reporting.methods import methods
from harness.reporting.mixtures import draw_mixture
from harness.reporting.overview import ONSET, draw_onset, draw_overview, onset_note, overview_size
from harness.reporting.sections import Entry, Section, entries, params_words, sections, sweeps
from harness.reporting.shares import SHARES, draw_shares
from harness.reporting.summary import measured_of, model_summary, run_totals, spend_words, tokens_words, ways
from harness.reporting.trained import training_blocks
from harness.reporting.whitebox import across_sentences, inside_blocks
from harness.types import RunResult

PAGE = (8.27, 11.69)  # inches, A4
_MARGIN = 0.65
_CURVE = (PAGE[0] - 2 * _MARGIN, 3.3)
_MIXTURE = (PAGE[0] - 2 * _MARGIN, 2.8)
_CHARACTERS = 112  # of body text in a line: the mean advance of DejaVu Sans is 0.52 em
_LEADING = 1.45  # lines, as a multiple of the font size


@dataclass(frozen=True, slots=True)
class _Item:
    """Lines of text or one drawing, set as a whole; items tied to the next share its page."""

    height: float  # inches, the space after it included
    lines: tuple[str, ...] = ()
    size: float = SIZE  # points
    color: str = INK
    draw: Draw | None = None
    width: float = 0.0  # inches, of a drawing
    tied: bool = False


def pdf_report(results: Sequence[RunResult]) -> bytes:
    """Return the report as one PDF."""
    items = [item for run in results for item in _head(run)]
    ordered = sections(entries(results))
    for sweep in sweeps([curve for run in results for curve in run.curves]):
        items += _figure(partial(draw_onset, sweep=sweep), ONSET, onset_note(sweep))
    items += [item for block in compared(results) for item in _compared(block)]
    for group in share_groups(results):
        items += _figure(partial(draw_shares, group=group), SHARES, share_note(group))
    items += [item for block in texts_blocks(results) for item in _texts(block)]
    items += _inside(results)
    items += _overviews(ordered)
    for section in ordered:
        for entry in (section.main, *section.controls):
            items += _curve(entry) + _explained(entry)
    items.append(_text("Methods", size=12, tied=True))
    items += [_text(f"{term}: {definition}") for term, definition in methods(results)]
    return pdf([(PAGE, partial(_set_page, items=page)) for page in _paginate(items)])


def _head(run: RunResult) -> list[_Item]:
    requests, failed, prompt, completion = run_totals(run)
    facts = (
        f"Suite digest {run.suite_digest}; seed {run.seed}; first call {run.created}; "
        f"{', '.join(f'{name} {version}' for name, version in run.versions.items())}. "
        f"{requests:,} requests, of which {failed:,} failed; tokens {tokens_words(prompt, completion)}; "
        f"spend {spend_words(run.models)}."
    )
    items = [_text(f"Transition report: {run.name}", size=14), _text(facts, color=MUTED)]
    for model in run.models:
        measured = measured_of(run, model.name)
        items.append(_text(model.name, size=10, tied=True))
        items.append(_text(f"{model_summary(model, *measured)} Measured by: {ways(*measured)}."))
    return items + [_text(f"No curve: {sentence}.") for sentence in run.unjudged]


def _overviews(ordered: Sequence[Section]) -> list[_Item]:
    groups: dict[tuple[int, str, str], list[Section]] = {}
    for section in ordered:
        result = section.main.result
        groups.setdefault((id(section.main.run), result.model, result.family), []).append(section)
    items: list[_Item] = []
    for (_, model, family), group in groups.items():
        for start in range(0, len(group) if len(group) > 1 else 0, 20):  # what fits on a page
            part = group[start : start + 20]
            size = overview_size(len(part))
            items.append(_text(f"{family}, {model}", size=10, tied=True))
            items += _figure(partial(draw_overview, group=part), size, "")
    return items


def _compared(block: Compared) -> list[_Item]:
    rows = [
        f"{row[0]} against {row[1]}: "
        + "; ".join(f"{n} {cell}" for n, cell in zip(SHIFT_COLUMNS[2:], row[2:], strict=True))
        for row in block.rows
    ]
    items = [_text(f"Discoveries and conditions: {block.run}", size=10, tied=True)]
    items += [_text(text) for text in (*block.families, *rows)]
    return [*items, _text(block.note, color=MUTED)]


def _texts(block: TextsBlock) -> list[_Item]:
    rows = [f"{name}: {mean}; {HEADS[2]} {ideal}; p {p}." for name, mean, ideal, p in block.rows]
    return [
        _text(block.title, size=10, tied=True),
        _text(printable(f"{block.model}. {block.words}", 1000), color=MUTED, tied=True),
        *(_text(row, tied=row is not rows[-1]) for row in rows),
    ]


def _inside(results: Sequence[RunResult]) -> list[_Item]:
    items = [_text(sentence) for sentence in across_sentences(results)]
    for block in (*training_blocks(results), *inside_blocks(results)):
        items.append(_text(f"{block.lead} {block.model}: {block.title}", size=12, tied=True))
        items.append(_text(" ".join((block.facts, *(f"{words}." for words in block.missing))), color=MUTED))
        for part in block.shown:
            items.append(_text(part.title, size=10, tied=True))
            items.append(_text(" ".join((*part.sentences, *part.cautions))))
            for drawn in part.figures:
                width = PAGE[0] - 2 * _MARGIN
                items += _figure(drawn.draw, (width, drawn.size[1] * width / drawn.size[0]), drawn.note)
            for row in part.rows:
                cells = "; ".join(
                    f"{name} {cell}" for name, cell in zip(part.heads[1:], row[1:], strict=True)
                )
                items.append(_text(f"{row[0]}: {cells}", tied=row is not part.rows[-1]))
    return items


def _words(said: Caption) -> tuple[str, ...]:
    return said.verdict, said.beyond, said.match, *said.findings, *said.cautions


def _curve(entry: Entry) -> list[_Item]:
    said, result = caption(entry), entry.result
    control = f"Control {result.control}: " if result.control else ""
    words = " ".join(text for text in _words(said) if text)
    return [
        _text(f"{control}{result.title}", size=10, tied=True),
        _text(printable(f"{result.model}; {params_words(result)}"), color=MUTED, tied=True),
        _text(words, tied=True),
        replace(_figure(partial(draw_curve, result=result), _CURVE, "")[0], tied=True),
        _text(f"Posterior: {said.posterior}. {figure_note(entry)}", color=MUTED),
    ]


def _explained(entry: Entry) -> list[_Item]:
    cognition = entry.result.cognition
    said = explained(cognition)
    if said is None or cognition is None:
        return []
    control = f"control {entry.result.control}, " if entry.result.control else ""
    items = [
        _text(f"What explains the predictions: {control}{entry.result.title}", size=10, tied=True),
        _text(" ".join((*said.sentences, *said.cautions)), tied=cognition.mixture is not None),
    ]
    if cognition.mixture is not None:
        items += _figure(partial(draw_mixture, mixture=cognition.mixture), _MIXTURE, said.note)
    for k, row in enumerate(said.rows, 1):
        cells = "; ".join(f"{name} {text}" for name, text in zip(COLUMNS[1:], row[1:], strict=True))
        items.append(_text(f"{k}. {row[0]}: {cells}", tied=k < len(said.rows)))
    return items


def _text(text: str, *, size: float = SIZE, color: str = INK, tied: bool = False) -> _Item:
    width = int(_CHARACTERS * SIZE / size)
    lines = tuple(textwrap.wrap(printable(text, 4000), width)) or ("",)
    after = 0.04 if tied else 0.12
    return _Item(len(lines) * size * _LEADING / 72 + after, lines, size, color, tied=tied)


def _figure(draw: Draw, size: Size, note: str) -> list[_Item]:
    items = [_Item(size[1] + 0.05, draw=draw, width=size[0], tied=bool(note))]
    return [*items, _text(note, color=MUTED)] if note else items


def _paginate(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """Yield the items page by page; what is tied together is never parted."""
    room = PAGE[1] - 2 * _MARGIN
    blocks: list[list[_Item]] = [[]]
    for item in items:
        blocks[-1].append(item)
        if not item.tied:
            blocks.append([])
    page: list[_Item] = []
    for block in blocks:
        if page and sum(item.height for item in [*page, *block]) > room:
            yield page
            page = []
        page = [*page, *block]
    if page:
        yield page


def _set_page(frame: Frame, items: Sequence[_Item]) -> None:
    y = frame.height - _MARGIN
    for item in items:
        if item.draw is not None:
            drawn_height = item.height - 0.05
            item.draw(Frame(frame.figure, _MARGIN, y - drawn_height, item.width, drawn_height))
        step = item.size * _LEADING / 72
        for k, line in enumerate(item.lines):
            frame.text(_MARGIN, y - (k + 0.8) * step, line, color=item.color).set_fontsize(item.size)
        y -= item.height
