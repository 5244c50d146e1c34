"""The page and the tables of the concept-space experiment, every number computed from its runs."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

import numpy as np

from harness.analysis.learning import Lead
from harness.reporting.concept_findings import (
    ANALYSED,
    CALLED,
    CAPABILITIES,
    NAIVE,
    THRESHOLDS,
    TRAINED,
    WAYS,
    ConceptFindings,
    RunFindings,
    mean_path,
)
from harness.reporting.numbers import number, plural, with_interval
from harness.types import Transition

_HIGH, _HALF = THRESHOLDS
_TIMED = (NAIVE, "latent", "latent tuned", "stronger")
_SHOWN = (*_TIMED, "random", "wrong")


def trajectories_csv(findings: ConceptFindings) -> str:
    """Return a row for each run, checkpoint and way of asking."""
    rows = (
        (
            f"{r.run.colour:g}",
            r.run.seed,
            step,
            way,
            *(f"{x:.4f}" for x in (*path[i], *path[i : i + 1].prod(axis=1))),
            f"{r.run.blue_less_red[way][i].mean():.4f}",
            f"{r.run.parallelogram[i]:.4f}",
        )
        for r in findings.runs
        for way in (*TRAINED, *WAYS)
        for path in [mean_path(r.run, way)]
        for i, step in enumerate(r.run.step.tolist())
    )
    heads = (
        "colour",
        "seed",
        "step",
        "way",
        "p_blue",
        "p_small",
        "product",
        "blue_less_red",
        "parallelogram",
    )
    return _csv(heads, rows)


def times_csv(findings: ConceptFindings) -> str:
    """Return a row for each run, way of asking and threshold; an empty time is never."""
    rows = (
        (f"{r.run.colour:g}", r.run.seed, way, threshold, "" if time is None else f"{time:g}")
        for r in findings.runs
        for (way, threshold), time in r.times.items()
    )
    return _csv(("colour", "seed", "way", "threshold", "learning_time"), rows)


def results(findings: ConceptFindings) -> str:
    """Return what was found as Markdown: sentences, then tables."""
    parts = [
        _summary(findings),
        "### Learning times\n",
        f"Training steps until joint accuracy stays above {_HIGH:g} (above {_HALF:g} in brackets); "
        "never: not within the run.\n",
        _table(
            ("colour separation", "seed", "colour, trained classes", *(CALLED[way] for way in _TIMED)),
            (
                (
                    f"{r.run.colour:g}",
                    str(r.run.seed),
                    _steps(r.trained_colour),
                    *(_both(r, way) for way in _TIMED),
                )
                for r in findings.runs
            ),
        ),
        "### Capability before behaviour\n",
        "Octaves of training by which the way of asking succeeds before plain asking does, mean over seeds "
        "[bootstrap over seeds]; ≥ where in some of them plain asking never came: they count to the last step.\n",
        _table(
            ("colour separation", "threshold", *(CALLED[way] for way in CAPABILITIES)),
            (
                (f"{c:g}", f"{t:g}", *(_lead(findings.leads[c, way, t]) for way in CAPABILITIES))
                for c in findings.colours
                for t in THRESHOLDS
            ),
        ),
        "### Every way of asking, with controls\n",
        f"Joint accuracy on small blue, mean over seeds (smallest to largest): before training; from when "
        f"the tuned intervention is above {_HALF:g}; at the last checkpoint. Controls: the scale tuned for colour.\n",
        _table(("colour separation", "checkpoint", *(CALLED[way] for way in WAYS)), _every_way(findings)),
        "### The colour that comes out\n",
        "Blue less red of the circle at the last checkpoint, in units of the separation asked for (1: blue as "
        "trained; -1: red), mean over seeds; of large blue, a trained class, for comparison. Near 0 there "
        "may be no circle, and then the probe's P(blue) means nothing.\n",
        _table(
            ("colour separation", "large blue", *(CALLED[way] for way in _SHOWN)),
            (
                (f"{c:g}", *(number(_colour(findings.at(c), way), 2) for way in ("10", *_SHOWN)))
                for c in findings.colours
            ),
        ),
        *_turns(findings),
        *_trends(findings),
    ]
    return "\n".join(parts)


def _turns(findings: ConceptFindings) -> list[str]:
    """Return the section on turns and on what the analyzer says."""
    return [
        "### Turns\n",
        f"Octaves are those to the learning times above {_HALF:g} of the tuned intervention and of plain asking. "
        "Where the path of small blue, asked plainly, changes its direction [95 % of the splits' weight], and the "
        "analyzer's verdict on joint accuracy over log step with the half-way point (P(none), P(one sharp change)).\n",
        _table(
            (
                "colour separation",
                "seed",
                "turn at step",
                "angle",
                "ΔBIC",
                "octaves to capability",
                "octaves to behaviour",
                *(f"analyzer, {CALLED[way]}" for way in ANALYSED),
            ),
            (_turn_row(r) for r in findings.runs),
        ),
    ]


def _trends(findings: ConceptFindings) -> list[str]:
    """Return the section on learning times against the concept signal."""
    return [
        "### Learning time against concept signal\n",
        f"Exact permutation test that times fall as the colour separation grows (Page's L; seeds are blocks: "
        f"{findings.blocks}).\n",
        _table(
            ("time of", "p", "least p possible"),
            (
                (name, "n/a", "n/a") if t is None else (name, f"{t.p_value:.3g}", f"{t.least:.3g}")
                for name, t in findings.trends.items()
            ),
        ),
    ]


def _summary(findings: ConceptFindings) -> str:
    """Return the sentences at the top, one for each colour separation."""
    lines = []
    for colour in findings.colours:
        mine = findings.at(colour)
        last = int(mine[0].run.step[-1])
        ends = {
            way: np.mean([r.accuracy[way][-1] for r in mine]) for way in (NAIVE, "latent tuned", "stronger")
        }
        earlier = sum(_first(r.times["latent tuned", _HIGH], r.times[NAIVE, _HIGH]) for r in mine)
        able = sum(r.times["latent tuned", _HIGH] is not None for r in mine)
        lines.append(
            f"* Colour separation {colour:g}, {plural(len(mine), 'seed')}: the tuned latent intervention elicits small "
            f"blue (joint accuracy above {_HIGH:g}) in {able}, before plain asking in {earlier}. At step {last}: asked "
            f"plainly {ends[NAIVE]:.2f}, latent of tuned scale {ends['latent tuned']:.2f}, over-prompting "
            f"{ends['stronger']:.2f}.\n"
        )
    return "".join(lines)


def _first(capability: float | None, behaviour: float | None) -> bool:
    return capability is not None and (behaviour is None or capability < behaviour)


def _steps(time: float | None) -> str:
    return "never" if time is None else f"{time:.0f}"


def _both(r: RunFindings, way: str) -> str:
    return f"{_steps(r.times[way, _HIGH])} ({_steps(r.times[way, _HALF])})"


def _lead(found: Lead | None) -> str:
    if found is None:
        return "no capability"
    text = ("≥ " if found.bounds else "") + with_interval(found.mean, found.low, found.high)
    return text + (f"; {found.without} without capability" if found.without else "")


def _every_way(findings: ConceptFindings) -> Iterable[tuple[str, ...]]:
    for colour in findings.colours:
        mine = findings.at(colour)
        able = [(r, r.times["latent tuned", _HALF]) for r in mine]
        moments = {
            "untrained": [(r, 0) for r in mine],
            "able": [(r, int(np.searchsorted(r.run.step, time))) for r, time in able if time is not None],
            "last": [(r, -1) for r in mine],
        }
        for moment, places in moments.items():
            if places:
                yield (
                    f"{colour:g}",
                    moment,
                    *(_spread([r.accuracy[way][i] for r, i in places]) for way in WAYS),
                )


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _colour(mine: Sequence[RunFindings], way: str) -> float:
    return float(np.mean([r.colour_shown(way)[-1] for r in mine]))


def _turn_row(r: RunFindings) -> tuple[str, ...]:
    turn = r.turn
    at: str = turn.verdict
    octaves = ["n/a", "n/a"]
    if turn.verdict == "turn":
        at = f"{r.step_of(turn.index)} [{r.step_of(turn.low)}, {r.step_of(turn.high)}]"
        times = [r.times[way, _HALF] for way in ("latent tuned", NAIVE)]
        octaves = ["never" if t is None else number(math.log2(t / r.step_of(turn.index))) for t in times]
    return (
        f"{r.run.colour:g}",
        str(r.run.seed),
        at,
        f"{turn.angle_deg:.0f}°",
        f"{turn.delta_bic:.1f}",
        *octaves,
        *(_verdict(r.transitions[way]) for way in ANALYSED),
    )


def _verdict(found: Transition) -> str:
    where = "" if found.location is None else f" at {found.location:.0f}"
    return f"{found.verdict}{where} ({found.p_none:.2f}, {found.p_sharp:.2f})"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()
