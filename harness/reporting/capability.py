"""Hidden capability over training, as a figure, a table and sentences: behaviour against what can be elicited."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.learning import Lead, mean_interval
from harness.reporting.drawing import BROWN, FAINT, MODEL, MUTED, PLACE, VIOLET, Frame, Size, level_axis
from harness.reporting.figures import BOTTOM, LEFT, RIGHT, TOP, Label, finish
from harness.reporting.numbers import number, plural, with_interval
from harness.types import Bounded, Floats
from harness.types.capability import CapabilityCourse

WIDE: Size = (7.4, 3.6)
HEADS = ("step", "naive", "over-prompting", "alpha = 1", "tuned (layer, alpha)", "random, tuned", "random, alpha = 1",
         "wrong concept", "gap, tuned", "gap, alpha = 1", "random as good", "mass, naive and tuned",
         "off target")  # fmt: skip


def draw_capability(frame: Frame, course: CapabilityCourse) -> None:
    """Draw mean agreement against training step for each way of asking, with intervals over trials."""
    tall = frame.height - BOTTOM - TOP
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - RIGHT, tall)
    level_axis(axes, course.step, log2=True)
    axes.axhline(course.threshold, color=FAINT, linewidth=0.8, dashes=(1, 2))
    labels: list[Label] = []
    for name, colour, values in (
        ("naive", MODEL, [r.naive for r in course.readings]),
        ("over-prompting", BROWN, [r.over for r in course.readings]),
        ("alpha = 1", PLACE, [r.natural for r in course.readings]),
        ("tuned", VIOLET, [r.tuned for r in course.readings]),
    ):
        bands = np.array([mean_interval(v) for v in values])
        means = [float(v.mean()) for v in values]
        axes.fill_between(course.step, bands[:, 0], bands[:, 1], color=colour, alpha=0.15, linewidth=0)
        axes.plot(course.step, means, color=colour, marker="o", markersize=3, linewidth=1.2)
        labels.append((name, means[-1], colour))
    unlike = [float(r.random.mean()) for r in course.readings]
    axes.plot(course.step, unlike, color=MUTED, linewidth=0.9, dashes=(4, 2))
    labels.append(("random directions", unlike[-1], MUTED))
    finish(axes, labels, ylabel="agreement with the implied law", inches=tall)
    axes.set_xlabel("training step (log scale)")


def capability_rows(course: CapabilityCourse) -> tuple[tuple[str, ...], ...]:
    """Return one row a checkpoint under HEADS."""
    return tuple(
        (
            f"{step:g}",
            _mean(r.naive),
            _mean(r.over),
            _mean(r.natural),
            f"{_mean(r.tuned)} ({r.layer}, {r.scale:g})",
            number(float(r.random.mean()), 2),
            number(float(r.random_natural.mean()), 2),
            number(float(r.wrong.mean()), 2),
            _bounded(gap.latent),
            _bounded(gap.natural),
            f"{gap.random_as_good[0]} of {gap.random_as_good[1]}",
            f"{number(r.mass[0], 2)}, {number(r.mass[1], 2)}",
            number(r.off_target, 2),
        )
        for step, r, gap in zip(course.step, course.readings, course.gaps, strict=True)
    )


def capability_sentences(seeds: Sequence[CapabilityCourse], lead: Lead | None) -> tuple[str, ...]:
    """Return at which checkpoints a gap is shown, when capability and behaviour come, and the lead over seeds."""
    words = []
    for k, seed in enumerate(seeds):
        of = f"Seed {k}: " if len(seeds) > 1 else ""
        shown = [f"{step:g}" for step, gap in zip(seed.step, seed.gaps, strict=True) if gap.shown]
        where = (
            f"a latent gap is shown at step {', '.join(shown)}"
            if shown
            else "no checkpoint shows a latent gap"
        )
        text = (
            f"{of}{where} (interval above 0, and beyond every random direction); agreement stays above "
            f"{seed.threshold:g} {_from(seed.capability)} by the best way of asking and {_from(seed.behaviour)} when "
            "asked."
        )
        words.append(text[0].upper() + text[1:])
    if lead is not None and lead.seeds > 1:
        words.append(
            f"Over {plural(lead.seeds, 'seed')} capability leads behaviour by "
            f"{with_interval(lead.mean, lead.low, lead.high)} octaves of training"
            + (f" ({lead.bounds} a lower bound)" if lead.bounds else "")
            + "."
        )
    return tuple(words)


def _from(step: float | None) -> str:
    return "at no step" if step is None else f"from step {step:g}"


def _mean(values: Floats) -> str:
    return with_interval(float(values.mean()), *mean_interval(values))


def _bounded(found: Bounded) -> str:
    return with_interval(found.value, found.low, found.high)
