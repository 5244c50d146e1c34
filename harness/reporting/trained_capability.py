"""Hidden capability through training: each way of asking at each checkpoint, when both come, and the lead."""

from collections.abc import Sequence
from functools import partial

from harness.reporting.capability import bounded, cautions, choices
from harness.reporting.capability_figures import COURSE, draw_course
from harness.reporting.inside import Drawn, InsideBlock, Shown
from harness.reporting.numbers import number, plural, with_interval
from harness.types import RunResult
from harness.types.capability import CapabilityCourse, CapabilitySeeds, CapabilitySeries, TrialLead

HEADS = ("step", "naive", "over", "alpha = 1", "tuned", "gap, tuned", "random", "shown")
SEEDS = ("series", "T_capability", "T_behaviour", "lead, octaves")


def capability_blocks(results: Sequence[RunResult]) -> list[InsideBlock]:
    """Return a block for each task and training series, and one for the seeds of a series."""
    blocks: list[InsideBlock] = []
    for run in results:
        for seeds in run.capability:
            for one in seeds.series:
                blocks.append(_block(f"capability-{len(blocks)}", one))
            if len(seeds.series) > 1:
                blocks.append(_seeds_block(f"capability-{len(blocks)}", seeds))
    return blocks


def capability_rows(course: CapabilityCourse) -> tuple[tuple[str, ...], ...]:
    """Return one row a checkpoint under HEADS."""
    return tuple(
        (
            f"{step:g}",
            number(float(r.naive.mean()), 3),
            f"{number(float(r.over.mean()), 3)} (x{r.strength})",
            number(float(r.natural.mean()), 3),
            f"{number(float(r.tuned.mean()), 3)} ({r.layer}, {r.scale:g})",
            bounded(gap.latent),
            f"{number(float(r.random.mean()), 3)} ({gap.random_as_good[0]}/{gap.random_as_good[1]})",
            "yes" if gap.shown else "clear" if gap.clear else "no",
        )
        for step, r, gap in zip(course.step, course.readings, course.gaps, strict=True)
    )


def capability_sentences(course: CapabilityCourse) -> tuple[str, ...]:
    """Return at which checkpoints a gap is shown, when capability and behaviour come, and the lead over trials."""
    shown = [f"{step:g}" for step, gap in zip(course.step, course.gaps, strict=True) if gap.shown]
    where = (
        f"A latent gap is shown at step {', '.join(shown)}" if shown else "No checkpoint shows a latent gap"
    )
    words = [
        f"{where} (at least {course.gaps[0].least:g}, interval above 0, and beyond every random direction; each "
        "checkpoint is judged by itself).",
        f"Agreement stays above {course.threshold:g} {_from(course.capability)} by the best way of asking, chosen at "
        f"each checkpoint on other trials, and {_from(course.behaviour)} when asked.",
    ]
    small = [f"{s:g}" for s, gap in zip(course.step, course.gaps, strict=True) if gap.clear and not gap.shown]
    if small:
        words.insert(1, f"A smaller one is as clear at step {', '.join(small)}.")
    over = [
        (gap.over.value, step) for step, gap in zip(course.step, course.gaps, strict=True) if gap.over.low > 0
    ]
    if over:
        most = max(over)
        words.insert(
            -1,
            f"Repeating the evidence adds to naive prompting at {len(over)} of "
            f"{plural(len(course.step), 'checkpoint')} (interval above 0), most, {number(most[0], 3)}, at step "
            f"{most[1]:g}.",
        )
    if course.capability == 0:
        words.append("Before step 0 nothing can come: a higher threshold is needed to speak of a lead.")
    elif course.lead is not None:
        words.append(
            f"Capability leads behaviour by {_lead(course.lead)} octaves of training; the interval is over trials, "
            "the same at every checkpoint."
        )
    return tuple(words)


def seeds_sentence(found: CapabilitySeeds) -> str:
    """Return the lead over seeds, with how many never came to it."""
    n = len(found.series)
    if found.lead is None:
        return f"In none of {plural(n, 'seed')} a capability comes after step 0: there is no lead."
    notes = [f"{found.bounds} a lower bound"] if found.bounds else []
    notes += [f"{found.without} left out, without a capability after step 0"] if found.without else []
    return (
        f"Over {plural(n - found.without, 'seed')} capability leads behaviour by {bounded(found.lead)} octaves of "
        "training, seeds resampled" + (f" ({'; '.join(notes)})." if notes else ".")
    )


def _block(anchor: str, one: CapabilitySeries) -> InsideBlock:
    course, found = one.course, one.found
    drawing = Drawn(
        "course",
        partial(draw_course, course=course),
        COURSE,
        f"{one.series}@*, {one.title}: agreement by way of asking, and the gap",
        "Above, mean agreement at each checkpoint; grey: random directions (dashed) and another concept's (dotted) at "
        "the tuned layer and alpha; level line: the threshold; triangles: from where the best way of asking (violet) "
        "and naive prompting (blue) stay above it. "
        "Below, what each way adds to naive prompting; rings: shown. Bands are 95 % intervals over trials. In the "
        "table: layer and alpha that were tuned, and how many random directions do at least as well. "
        f"{choices(found)}",
    )
    warned = [(step, cautions(r)) for step, r in zip(course.step, course.readings, strict=True)]
    smoothed = f"smoothed over {found.smoothing:g} checkpoints (s.d.), " if found.smoothing else ""
    shown = Shown(
        title="Hidden capability through training",
        sentences=capability_sentences(course),
        figures=(drawing,),
        heads=HEADS,
        rows=capability_rows(course),
        cautions=tuple(f"Step {step:g}: {words}" for step, said_of in warned for words in said_of),
    )
    facts = (
        f"{len(course.step)} checkpoints, steps {course.step[0]:g} to {course.step[-1]:g}, on the same trials. Times: "
        f"mean agreement, {smoothed}above {found.threshold:g} at {plural(found.consecutive, 'checkpoint')} in a row."
    )
    return InsideBlock(anchor, one.title, f"{one.series}@*", facts, (shown,), (), "Training of")


def _seeds_block(anchor: str, seeds: CapabilitySeeds) -> InsideBlock:
    rows = tuple(
        (one.series, _at(one.course.capability), _at(one.course.behaviour), _lead(one.course.lead))
        for one in seeds.series
    )
    shown = Shown(
        title="Hidden capability over seeds", sentences=(seeds_sentence(seeds),), heads=SEEDS, rows=rows
    )
    first = seeds.series[0]
    names = ", ".join(one.series for one in seeds.series)
    facts = f"{len(rows)} series, {names}, that differ in numbers alone: seeds of each other."
    return InsideBlock(
        anchor, first.title, f"{first.series}@* and its seeds", facts, (shown,), (), "Training of"
    )


def _lead(found: TrialLead | None) -> str:
    if found is None:
        return "n/a"
    least = "at least " if found.bound else ""
    return f"{least}{with_interval(found.value, found.low, found.high)}"


def _at(step: float | None) -> str:
    return "never" if step is None else f"{step:g}"


def _from(step: float | None) -> str:
    return "at no step" if step is None else f"from step {step:g}"
