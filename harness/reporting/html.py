"""The HTML report: one file that needs no network, reads in light and dark, and prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from harness.errors import MissingExtra
from harness.reporting.captions import Caption, caption, figure_note
from harness.reporting.drawing import svg
from harness.reporting.explained import COLUMNS as MODEL_COLUMNS
from harness.reporting.explained import Explained, explained
from harness.reporting.figures import NARROW, WIDE, draw_curve
from harness.reporting.findings import SHIFT_COLUMNS, compared
from harness.reporting.generations import HEADS, share_groups, share_note, texts_blocks
from harness.reporting.inside import InsideBlock
from harness.reporting.levels import failures_per_level, ideal_transition, lowest_mass
from harness.reporting.methods import methods
from harness.reporting.mixtures import MIXTURE, draw_mixture
from harness.reporting.numbers import number, with_interval
from harness.reporting.overview import ONSET, draw_onset, draw_overview, onset_note, overview_size
from harness.reporting.sections import Entry, Section, entries, sections, sweeps
from harness.reporting.shares import SHARES, draw_shares
from harness.reporting.summary import (
    measured_of,
    model_spend,
    model_summary,
    model_tokens,
    run_totals,
    spend_words,
    tokens_words,
    ways,
)
from harness.reporting.trained import training_blocks
from harness.reporting.whitebox import across_sentences, inside_blocks
from harness.reporting.wording import delay_words, short_verdict
from harness.types import RunResult


@dataclass(frozen=True, slots=True)
class Figure:
    """An inline SVG element and its caption."""

    svg: str  # markup: the one string that is not escaped
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of transitions: (text, sort key) per column."""

    anchor: str
    title: str
    control: str
    model: str
    verdict: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One curve as the page shows it."""

    anchor: str
    title: str
    entry: Entry
    caption: Caption
    figure: Figure
    controls: tuple["Block", ...]
    explained: Explained | None  # by observers and cognitive models
    mixture: Figure | None


@dataclass(frozen=True, slots=True)
class Group:
    """The curves of one model and family in one run, with their overview if there are several."""

    run: str
    model: str
    family: str
    overview: Figure | None
    blocks: tuple[Block, ...]


COLUMNS = ("curve", "model", "verdict", "half-way", "10-90 % width", "from → to", "ideal half-way",
           "excess delay", "beyond", "survives", "lowest mass", "failed")  # fmt: skip
TEXT_COLUMNS = 3  # the first ones sort as text


def html_report(results: Sequence[RunResult]) -> bytes:
    """Return the report as one UTF-8 HTML file. Raises MissingExtra if Jinja2 is not installed."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra(
            "the HTML report needs Jinja2, which is not installed: pip install 'icl-harness[report]'"
        ) from error
    environment = Environment(
        loader=PackageLoader("harness.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found = entries(results)
    page = environment.get_template("report.html.j2").render(
        title=", ".join(dict.fromkeys(run.name for run in results)),
        runs=[_run_facts(run) for run in results],
        columns=COLUMNS,
        model_columns=MODEL_COLUMNS,
        text_columns=TEXT_COLUMNS,
        rows=[_row(entry) for section in sections(found) for entry in (section.main, *section.controls)],
        models=sorted({entry.result.model for entry in found}),
        verdicts=sorted({entry.result.transition.verdict for entry in found}),
        onsets=_onsets(results),
        compared=compared(results),
        shift_heads=SHIFT_COLUMNS,
        texts=texts_blocks(results),
        text_heads=HEADS,
        shares=_shares(results),
        groups=_groups(sections(found)),
        inside=[
            ("training", "Over training", [], [_inside(block) for block in training_blocks(results)]),
            (
                "inside",
                "Inside the models",
                across_sentences(results),
                [_inside(block) for block in inside_blocks(results)],
            ),
        ],
        methods=methods(results),
    )
    return page.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The head of a run: what was run, on what, for how much."""

    run: RunResult
    facts: tuple[tuple[str, str], ...]
    models: tuple[tuple[tuple[str, str], ...], ...]  # one list of (term, text) a model
    summaries: tuple[tuple[str, str], ...]  # (model, paragraph)


def _run_facts(run: RunResult) -> RunFacts:
    requests, failed, prompt, completion = run_totals(run)
    facts = (
        ("suite", run.name),
        ("suite digest", run.suite_digest),
        ("seed", str(run.seed)),
        ("first call", run.created),
        ("requests", f"{requests:,}, of which {failed:,} failed"),
        ("tokens", tokens_words(prompt, completion)),
        ("spend", spend_words(run.models)),
        ("versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
    )
    models = tuple(
        (
            ("model", model.name),
            ("measured by", ways(*measured_of(run, model.name))),
            ("fingerprint", model.fingerprint),
            (
                "settings",
                ", ".join(f"{name} {value}" for name, value in model.settings.items()) or "none recorded",
            ),
            ("served as", ", ".join(model.served_models) or "not named"),
            ("probing found", "; ".join(model.findings) or "nothing recorded"),
            ("requests", f"{model.requests:,}, of which {model.failed_requests:,} failed"),
            ("tokens", model_tokens(model)),
            ("spend", model_spend(model)),
        )
        for model in run.models
    )
    summaries = tuple(
        (model.name, model_summary(model, *measured_of(run, model.name))) for model in run.models
    )
    return RunFacts(run, facts, models, summaries)


def _row(entry: Entry) -> Row:
    result, t = entry.result, entry.result.transition
    ideal, delay, mass = ideal_transition(result), result.delay, lowest_mass(result)
    at = "; ".join(number(c.location) for c in t.changes) if t.verdict == "multiple" else None
    cells: tuple[tuple[str, str], ...] = (
        (at or with_interval(t.location, t.location_low, t.location_high), _key(t.location)),
        (with_interval(t.width, t.width_low, t.width_high), _key(t.width)),
        _course(entry),
        (number(None if ideal is None else ideal.location), _key(None if ideal is None else ideal.location)),
        (delay_words(delay), _key(None if delay is None else delay.value)),
        ("–", "") if result.beyond is None else (short_verdict(result.beyond), _key(result.beyond.location)),
        (result.survives or "–", result.survives or ""),
        ("n/a", "") if mass is None else (number(mass[0], 2), _key(mass[0])),
        (f"{failures_per_level(result).sum():,.0f}", _key(float(failures_per_level(result).sum()))),
    )
    cells = tuple((text.replace("n/a", "–"), key) for text, key in cells)
    return Row(entry.anchor, result.title, result.control or "", result.model, t.verdict, cells)


def _course(entry: Entry) -> tuple[str, str]:
    """Return the asymptotes in the order in which the curve meets them; sorted by the change."""
    t = entry.result.transition
    if t.lower is None or t.upper is None:
        return "n/a", ""
    start, end = (t.upper, t.lower) if t.direction == "decreasing" else (t.lower, t.upper)
    return f"{number(start, 2)} → {number(end, 2)}", _key(end - start)


def _key(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _onsets(results: Sequence[RunResult]) -> list[Figure]:
    figures = []
    for k, sweep in enumerate(sweeps([curve for run in results for curve in run.curves])):
        note = onset_note(sweep)
        kept = f" ({sweep.kept})" if sweep.kept else ""
        title = f"{sweep.family}: onset against {sweep.parameter}{kept}"
        drawn = svg(partial(draw_onset, sweep=sweep), ONSET, salt=f"onset-{k}", title=title, description=note)
        figures.append(Figure(drawn, note))
    return figures


def _shares(results: Sequence[RunResult]) -> list[Figure]:
    figures = []
    for k, group in enumerate(share_groups(results)):
        note = share_note(group)
        title = f"{group[0].family}: share of {group[0].symbol} against the probability asked for"
        draw = partial(draw_shares, group=group)
        figures.append(Figure(svg(draw, SHARES, salt=f"shares-{k}", title=title, description=note), note))
    return figures


def _inside(block: InsideBlock) -> tuple[InsideBlock, list[list[Figure]]]:
    """Return a block of what was found inside with the figures of each of its parts, drawn."""
    drawn = [
        [
            Figure(
                svg(f.draw, f.size, salt=f"{block.anchor}-{k}-{f.name}", title=f.title, description=f.note),
                f.note,
            )
            for f in part.figures
        ]
        for k, part in enumerate(block.shown)
    ]
    return block, drawn


def _groups(ordered: Sequence[Section]) -> list[Group]:
    members: dict[tuple[int, str, str], list[Section]] = {}
    for section in ordered:
        main = section.main
        members.setdefault((id(main.run), main.result.model, main.result.family), []).append(section)
    return [
        Group(group[0].main.run.name, model, family, _overview(k, family, group), tuple(map(_block, group)))
        for k, ((_, model, family), group) in enumerate(members.items())
    ]


def _overview(k: int, family: str, group: Sequence[Section]) -> Figure | None:
    if len(group) < 2:
        return None
    note = (
        "Blue: model; orange, dashed: ideal observer; grey: controls; green: half-way point; dotted: chance. "
        "All panels share their axes."
    )
    drawn = svg(
        partial(draw_overview, group=group),
        overview_size(len(group)),
        salt=f"overview-{k}",
        title=f"All curves of {family}",
        description="; ".join(
            f"{s.main.result.title}: {short_verdict(s.main.result.transition)}" for s in group
        ),
    )
    return Figure(drawn, note)


def _block(section: Section) -> Block:
    controls = tuple(_one(entry, NARROW, ()) for entry in section.controls)
    return _one(section.main, WIDE, controls)


def _one(entry: Entry, size: tuple[float, float], controls: tuple[Block, ...]) -> Block:
    said = caption(entry)
    drawn = svg(
        partial(draw_curve, result=entry.result),
        size,
        salt=f"fig-{entry.anchor}",
        title=entry.result.title,
        description=said.verdict,
    )
    figure, found = Figure(drawn, figure_note(entry)), explained(entry.result.cognition)
    return Block(
        entry.anchor, entry.result.title, entry, said, figure, controls, found, _mixture(entry, found)
    )


def _mixture(entry: Entry, found: Explained | None) -> Figure | None:
    cognition = entry.result.cognition
    if found is None or cognition is None or cognition.mixture is None:
        return None
    drawn = svg(
        partial(draw_mixture, mixture=cognition.mixture),
        MIXTURE,
        salt=f"mixture-{entry.anchor}",
        title=f"{entry.result.title}: weights of observers",
        description=found.sentences[0],
    )
    return Figure(drawn, found.note)
