"""Steering beside behaviour in words, figures and a table."""

from functools import partial

from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, plural, with_interval
from harness.reporting.steered_figures import CURVES, STARS, draw_curves, draw_stars
from harness.types import AnalysisOptions, Bounded
from harness.types.steering import SteeredCell, SteeringReading
from harness.types.whitebox import WhiteBoxResult

HEADS = (
    "layer, scale",
    "gain before the change",
    "N*",
    "shift of N*",
    "random as good",
    "off-target change",
    "captured mass",
)
_MADE_OF = {
    "mean_difference": "mean difference",
    "principal": "first principal component of the differences",
    "task_vector": "mean state, patched into the last token,",
}


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return what steering along a concept does to the behaviour of one model."""
    found = result.findings["steering"]
    assert isinstance(found, SteeringReading)
    title = f"{result.title}: {found.concept} steered from {found.negative} to {found.positive}"
    sentences = [_setting(found), *_effects(found), _law(found, options), _checks(found)]
    return Shown(
        title=f"Steering of {found.concept}",
        sentences=tuple(sentence for sentence in sentences if sentence),
        figures=(
            Drawn(
                "curves",
                partial(draw_curves, found=found),
                CURVES,
                title,
                f"Mean p(target) of {found.measured_on} held-out sequences of {found.concept} = {found.positive} by "
                f"scale, at layer {found.chosen_layer}; dashed: the belief law fitted to all scales at once. Drawn up "
                "to where the unsteered curve has risen.",
            ),
            Drawn(
                "shift",
                partial(draw_stars, found=found),
                STARS,
                f"{title}: N* and gain against scale",
                f"Layer {found.chosen_layer}, chosen on {found.chosen_on} other sequences. Left: where each curve is "
                "half-way, with 95 % intervals, what the law fitted to all other scales predicts there, and the law of "
                "all. Right: change of p(target) before the unsteered behaviour changes, with the controls of equal "
                "length; a triangle on the axis marks the natural scale, alpha = 1.",
            ),
        ),
        heads=HEADS,
        rows=tuple(_row(found, cell) for cell in found.cells if _is_shown(found, cell)),
        cautions=tuple(f"{note[0].upper()}{note[1:]}." for note in found.notes),
    )


def _setting(found: SteeringReading) -> str:
    return (
        f"Direction: {_MADE_OF[found.made_of]} from the states of {found.concept} = {found.negative} to "
        f"those of {found.positive} at {_lengths(found.direction_lengths)}, from the selection half "
        f"({found.chosen_on} sequences); added at every token of the {found.measured_on} held-out sequences of "
        f"{found.concept} = {found.positive}. Scales are fractions of the mean residual norm."
    )


def _effects(found: SteeringReading) -> list[str]:
    """Return one sentence on the tuned scale and one on the natural scale, at the chosen layer."""
    cells = [c for c in found.cells if c.layer == found.chosen_layer]
    tuned = found.cell(found.chosen_scale)
    sentences = [f"Tuned on the selection half: {_effect(found, tuned)}"]
    natural = [c for c in cells if c.natural and c.scale > 0 and c is not tuned]
    return sentences + [f"Natural scale (alpha = 1): {_effect(found, c)}" for c in natural]


def _effect(found: SteeringReading, cell: SteeredCell) -> str:
    good, draws = found.share_as_good(cell.scale)
    moved = "N* cannot be compared" if cell.shift is None else f"N* moves by {_bounded(cell.shift)} symbols"
    moved += _random_shifts(found, cell)
    words = (
        f"layer {cell.layer}, scale {cell.scale:+.3g}: {moved}; p(target) before the change moves by "
        f"{_bounded(cell.gain)}, {_reached(good, draws)}"
    )
    wrong = [c for c in found.controls if c.name == "wrong concept" and c.scale == cell.scale]
    if wrong and found.wrong is not None:
        other = f"{found.wrong[1]} to {found.wrong[0]}"
        words += f"; the wrong concept ({other}) changes it by {number(wrong[0].gains[0], 3)}"
    return (
        f"{words}. Off-target, p(target) of {found.concept} = {found.negative} changes by {_bounded(cell.off_target)}; "
        f"captured mass {number(cell.mass, 2)}."
    )


def _law(found: SteeringReading, options: AnalysisOptions) -> str:
    law = found.law
    if law is None:
        return f"No law over scales: {found.no_law}."
    holds = law.p_additive >= 1 - options.confidence
    words = (
        f"Belief law over {plural(len(law.strength), 'scale')}: one unit of scale moves the log-odds by "
        f"{_bounded(law.effect)}; steering and evidence are {'' if holds else 'not '}additive "
        f"(p = {law.p_additive:.2g} of no interaction)."
    )
    inner = [h.octaves.value for h in found.held_out[1:-1] if h.octaves is not None]
    ends = (
        [h.octaves.value for h in (found.held_out[0], found.held_out[-1]) if h.octaves]
        if found.held_out
        else []
    )
    if inner:
        words += (
            f" N* at a scale that was left out is predicted within {number(max(map(abs, inner)), 2)} octaves"
        )
        words += f", beyond the scales within {number(max(map(abs, ends)), 2)}." if ends else "."
    return words


def _checks(found: SteeringReading) -> str:
    blank = [g for c in found.controls if c.name == "untrained model" for g in c.gains]
    words = f"Checks: a state patched with itself changes log p by at most {found.self_patch:.1g}"
    if blank:
        most = max(map(abs, blank))
        words += (
            f"; in the same architecture with weights drawn anew steering changes p by at most {most:.2g}"
        )
    if found.off_behaviour is not None:
        words += f"; the unsteered curve is the stored behaviour to {found.off_behaviour:.1g}"
    return f"{words}."


def _random_shifts(found: SteeringReading, cell: SteeredCell) -> str:
    """Return how far random directions of equal length move N*, from the least to the most."""
    stars = [
        n for c in found.controls if c.name == "random" and c.scale == cell.scale for n in c.n_stars if n
    ]
    if found.base_n_star is None or not stars:
        return ""
    low, high = min(stars) - found.base_n_star, max(stars) - found.base_n_star
    return f" (random directions: by {number(low)} to {number(high)})"


def _reached(good: int, draws: int) -> str:
    """Return how the random directions compare, with the p value of a rank test (Phipson & Smyth 2010)."""
    p = (1 + good) / (1 + draws)
    return f"which {good} of {plural(draws, 'random direction')} of equal length reach (p = {p:.2g})"


def _is_shown(found: SteeringReading, cell: SteeredCell) -> bool:
    return cell.layer == found.chosen_layer or cell.natural


def _row(found: SteeringReading, cell: SteeredCell) -> tuple[str, ...]:
    tuned = cell.layer == found.chosen_layer and cell.scale == found.chosen_scale
    name = f"{cell.layer}, {cell.scale:+.3g}" + (" (alpha = 1)" if cell.natural and cell.scale > 0 else "")
    at_chosen = cell.layer == found.chosen_layer
    good, draws = found.share_as_good(cell.scale) if at_chosen else (0, 0)
    return (
        f"{name}, tuned" if tuned else name,
        _bounded(cell.gain),
        number(cell.n_star),
        "n/a" if cell.shift is None else _bounded(cell.shift),
        f"{good} of {draws}" if draws else "n/a",
        _bounded(cell.off_target),
        number(cell.mass, 2),
    )


def _bounded(value: Bounded) -> str:
    return with_interval(value.value, value.low, value.high)


def _lengths(lengths: tuple[int, ...]) -> str:
    if len(lengths) == 1:
        return f"the context length {lengths[0]}"
    return f"{len(lengths)} context lengths from {lengths[0]} to {lengths[-1]}"
