"""Concept decodability beside behaviour in words, figures and a table."""

from functools import partial

from harness.reporting.decodable_figures import MAPS, TOGETHER, draw_maps, draw_together
from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import number, with_interval
from harness.reporting.wording import delay_words, options_words, short_verdict, transition_sentence
from harness.types import AnalysisOptions, Delay
from harness.types.decodability import AcrossModels, Association, Decodability, ProbeReading
from harness.types.whitebox import WhiteBoxResult

PROBES = {"knn": "nearest neighbours", "logistic": "logistic probe"}
HEADS = (
    "decoder, layer",
    "held-out accuracy",
    "transition",
    "half-way",
    "lag of p",
    "lag of right or wrong",
    "rank correlation",
)


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return what decoders read of a concept in one model."""
    found = _record(result)
    sentences = [_behaviour_sentence(found)]
    for reading in found.probes:
        sentences += [
            _probe_sentence(found, reading),
            *_lag_sentences(reading),
            _association_sentence(reading),
        ]
    cautions = []
    if found.left_out:
        at = ", ".join(map(str, found.left_out))
        cautions.append(
            f"Nothing is decoded at n = {at}: too few sequences have a context there that no other one has."
        )
    return Shown(
        title=f"Decodability of {result.concept}",
        sentences=tuple(sentences),
        figures=(
            Drawn(
                "together",
                partial(draw_together, found=found),
                TOGETHER,
                f"{result.title}: decodability of {result.concept} and behaviour",
                f"Held-out sequences ({found.held_out}), with 95 % bands over sequences: p(target), and how often each "
                "decoder reads the concept, at the layer chosen on the other half; blue, dashed: how often p(target) "
                "is above one half; triangles: half-way between a curve's own plateaus; dotted: what the decoders "
                "make of shuffled labels. "
                f"{options_words(options).capitalize()}.",
            ),
            Drawn(
                "layers",
                partial(draw_maps, found=found),
                MAPS,
                f"{result.title}: decodability of {result.concept} by layer and context length",
                "Accuracy of all sequences, leaving out those of the same context; a dot: at most 5 % of shuffles do "
                "as well, not corrected for the number of cells, and never for the logistic probe, which is refitted "
                "to few shuffles; layer -1: before the first block; framed: the layer that is chosen.",
            ),
        ),
        heads=HEADS,
        rows=tuple(row for reading in found.probes for row in _rows(found, reading)),
        cautions=tuple(cautions),
    )


def across_sentence(row: AcrossModels) -> str:
    """Return how decodability and behaviour go together over the models of a run."""
    pairs = "; ".join(
        f"{model} {number(d, 2)} and {number(b, 2)}"
        for model, d, b in zip(row.models, row.mean_decodability, row.mean_behaviour, strict=True)
    )
    return (
        f"{row.title}, {row.concept}, {PROBES[row.probe]}: over {len(row.models)} models and their context lengths "
        f"the rank correlation of decodability with p(target) is {_association_words(row.association)}; "
        f"means of decodability and p: {pairs}."
    )


def _record(result: WhiteBoxResult) -> Decodability:
    found = result.findings["decodability"]
    assert isinstance(found, Decodability)
    return found


def _behaviour_sentence(found: Decodability) -> str:
    if found.behaviour is None or found.behaviour_transition is None:
        return (
            "The behaviour of these sequences is not known one by one, so that nothing can be set beside it."
        )
    t = transition_sentence(found.behaviour_transition, found.behaviour.level, "p(target)")
    return f"Behaviour of the {found.held_out} held-out sequences: {t}"


def _probe_sentence(found: Decodability, reading: ProbeReading) -> str:
    name, layer = PROBES[reading.probe], found.layers[reading.chosen]
    said = transition_sentence(reading.transitions[reading.chosen], found.context_lengths, "decodability")
    chance = float(reading.chance[reading.chosen].mean())
    return (
        f"{name.capitalize()} at layer {layer}, chosen on {found.chosen_on} other sequences: {said[:-1]}; "
        f"shuffled labels are read with accuracy {number(chance, 2)}."
    )


def _lag_sentences(reading: ProbeReading) -> tuple[str, ...]:
    """Return the lag of p, that of behaviour scored as a decoder is, and whether a lead survives."""
    lag, choice = reading.lags[reading.chosen], reading.choice_lags[reading.chosen]
    if lag is None or lag.value is None:
        return (lag_words(lag),)
    said = lag_words(choice).removeprefix("Lag: ")
    second = f"With behaviour scored right or wrong, as a decoder is (p(target) above one half): {said}"
    if _leads(lag) and not _leads(choice):
        second += " The lead is one of scoring: it is not shown where both are scored alike."
    return lag_words(lag), second


def _leads(lag: Delay | None) -> bool:
    """Whether behaviour is shown to come later."""
    return lag is not None and (lag.censored == "model" or (lag.low is not None and lag.low > 0))


def lag_words(lag: Delay | None) -> str:
    """Return whether behaviour comes after decodability, and by how much, as one sentence."""
    if lag is None:
        return "Lag: not known."
    if lag.value is None or lag.censored == "observer":
        return "Lag: none can be stated, for decodability does not change by as much as a transition."
    if lag.censored == "model":
        return (
            f"Lag: behaviour does not rise within the range; it comes at least {delay_words(lag)[2:]} symbols after "
            "decodability, if at all."
        )
    words = f"{delay_words(lag)} symbols (half-way points, same sequences)"
    if lag.low is None or lag.high is None:
        return f"Lag: behaviour less decodability is {words}; too few sequences for an interval."
    if lag.low > 0:
        return f"Lag: behaviour comes later than decodability, by {words}."
    if lag.high < 0:
        return f"Lag: behaviour comes earlier than decodability; the lag is {words}."
    return f"Lag: which comes first is not decided; behaviour less decodability is {words}."


def _lag_cell(lag: Delay | None) -> str:
    return delay_words(lag).replace("none (observer)", "none")


def _association_sentence(reading: ProbeReading) -> str:
    words = _association_words(reading.associations[reading.chosen])
    return f"Over context lengths decodability and p(target) have the rank correlation {words}."


def _association_words(found: Association) -> str:
    if found.value is None:
        return "n/a (one of them is constant)"
    return f"{with_interval(found.value, found.low, found.high)} over {found.cells} cells"


def _rows(found: Decodability, reading: ProbeReading) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for k, layer in enumerate(found.layers):
        t, lag, together = reading.transitions[k], reading.lags[k], reading.associations[k]
        chosen = ", chosen" if k == reading.chosen else ""
        rows.append(
            (
                f"{PROBES[reading.probe]}, layer {layer}{chosen}",
                number(float(reading.curves[k].p.mean()), 2),
                short_verdict(t),
                with_interval(t.location, t.location_low, t.location_high),
                _lag_cell(lag),
                _lag_cell(reading.choice_lags[k]),
                with_interval(together.value, together.low, together.high),
            )
        )
    return rows
