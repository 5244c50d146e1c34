"""Hidden capability of one checkpoint in words, a figure and a table: what it does against what can be elicited."""

from functools import partial

from harness.analysis.learning import mean_interval
from harness.reporting.capability_figures import ONE, draw_ways
from harness.reporting.capability_table import Way, ways
from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, plural, with_interval
from harness.types import AnalysisOptions, Bounded, Floats
from harness.types.capability import Capability, CapabilityReading, Gap
from harness.types.whitebox import WhiteBoxResult

HEADS = ("way of asking", "agreement", "less naive", "layer", "alpha", "captured mass")
_KEPT = 0.95  # of the mass that naive prompting captures; below it the caution is given


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return what one checkpoint does when asked and what can be elicited from it."""
    del options  # speaks of no transition
    found = result.findings["capability"]
    assert isinstance(found, Capability)
    return Shown(
        title="Hidden capability",
        sentences=(_gap_sentence(found), _random_sentence(found), *_untrained(found)),
        figures=(
            Drawn(
                "ways",
                partial(draw_ways, found=found),
                ONE,
                f"{result.model}, {result.title}: agreement by way of asking",
                f"Means over held-out trials with 95 % intervals; ticks: single random directions. {choices(found)}",
            ),
        ),
        heads=HEADS,
        rows=tuple(_row(found.reading, way) for way in ways(found.reading)),
        cautions=cautions(found.reading),
    )


def choices(found: Capability) -> str:
    """Return the protocol and what was chosen on which trials, as captions say it."""
    asks = f", but for its last {plural(found.question, 'symbol')}" if found.question else ""
    repeats = " or ".join(map(str, found.repetitions))
    law = {"ideal": "the ideal observer's law", "truth": "the true law"}.get(
        found.law, f"the law of observer {found.law}"
    )
    return (
        f"Agreement: 1 - total variation between the model's law over the symbols after {found.context_length} of them "
        f"and {law} there. Over-prompting: the evidence{asks}, {repeats} times. Latent intervention: at the last "
        f"token, alpha times half the difference of mean states of {found.concept} {', '.join(found.positive)} and "
        f"{', '.join(found.negative)}, made of {found.seen_trials} sequences of {found.seen}, which no trial has, "
        f"means compared among prompts with the same last token. Layer (of {', '.join(map(str, found.layers))}), "
        f"alpha (of {', '.join(f'{a:g}' for a in found.alphas)}) and repetitions are chosen on {found.chosen_on} "
        f"trials; what is shown is of the other {found.measured_on}. Controls: {found.draws} random directions and "
        f"another concept's ({found.wrong}), as long. A gap is shown where it is at least {found.gap.least:g}, its "
        f"interval above 0 and beyond every random direction."
    )


def cautions(reading: CapabilityReading) -> tuple[str, ...]:
    """Return what speaks against reading the tuned addition as the concept alone."""
    if reading.mass[1] >= _KEPT * reading.mass[0]:
        return ()
    return (
        f"Under the tuned addition the declared symbols keep a mass of {number(reading.mass[1], 2)}, of "
        f"{number(reading.mass[0], 2)} when asked: it also moves the model off the task.",
    )


def said(gap: Gap) -> str:
    """Return the verdict of one gap."""
    if gap.shown:
        return "shown"
    return f"clear, but below {gap.least:g}" if gap.clear else "not shown"


def bounded(found: Bounded) -> str:
    """Write a value with its interval."""
    return with_interval(found.value, found.low, found.high)


def mean(values: Floats) -> str:
    """Write the mean over trials with its interval."""
    return with_interval(float(values.mean()), *mean_interval(values))


def _gap_sentence(found: Capability) -> str:
    r, gap = found.reading, found.gap
    return (
        f"Asked as it is, the model agrees to {mean(r.naive)} with the law that the evidence implies; with the "
        f"evidence {r.strength} times, {mean(r.over)}; moved along the concept at alpha = 1 (layer {r.natural_layer}), "
        f"{mean(r.natural)}, and as tuned (layer {r.layer}, alpha {r.scale:g}), {mean(r.tuned)}. The latent gap is "
        f"{bounded(gap.latent)}: {said(gap)}."
    )


def _random_sentence(found: Capability) -> str:
    r, (as_good, draws) = found.reading, found.gap.random_as_good
    return (
        f"{as_good} of {draws} random directions as long do at least as well ({number(float(r.random.mean()), 3)} in "
        f"the mean), another concept's gives {mean(r.wrong)}; on prompts of that concept the tuned addition changes "
        f"the law by {number(r.off_target, 3)} (total variation)."
    )


def _untrained(found: Capability) -> tuple[str, ...]:
    if found.untrained is None or found.untrained_gap is None:
        return ()
    return (
        f"The same network with weights drawn anew agrees to {mean(found.untrained.naive)}, as tuned "
        f"{mean(found.untrained.tuned)}: its gap, {bounded(found.untrained_gap.latent)}, is "
        f"{said(found.untrained_gap)}.",
    )


def _row(reading: CapabilityReading, way: Way) -> tuple[str, ...]:
    mass = {"naive": reading.mass[0], "tuned": reading.mass[1]}.get(way.name)
    times = f" (x{way.repetitions})" if way.repetitions > 1 else ""
    return (
        f"{way.name}{times}",
        mean(way.trials),
        "" if way.name == "naive" else mean(way.trials - reading.naive),
        "" if way.layer is None else str(way.layer),
        "" if way.alpha is None else f"{way.alpha:g}",
        "" if mass is None else number(mass, 3),
    )
