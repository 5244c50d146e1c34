"""Hidden capability of a study: which measurements it takes, and what they say of one checkpoint.

Park et al. 2024 find that a model can be made to do a thing before it does it
when asked. Layer, alpha and repetitions are chosen on one half of the trials;
every score is of the other.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis.learning import mean_interval
from harness.capability_spec import CapabilitySpec, Label
from harness.errors import SpecError, suggestion
from harness.judgments import Judgments
from harness.types import AnalysisOptions, Bounded, CurveResult, Floats
from harness.types.capability import Capability, CapabilityReading, Gap
from harness.types.whitebox import Arrays, Job, Json, WhiteBoxStudy, WhiteBoxTrial

_VERSION = 1  # of what a job measures: another one measures anew
_LEAST = 4  # trials of a class in either half, and sequences of a seen class


def jobs(asked: CapabilitySpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return one measurement a layer and one of what is asked, of an untrained network as well. Raises SpecError."""
    layers = list(range(n_layers)) if asked.layers == "all" else list(asked.layers)
    if max(layers) >= n_layers:
        raise SpecError(
            f"whitebox capability: layer {max(layers)} is not in 0..{n_layers - 1}, the blocks of this model"
        )
    if asked.context_length not in study.context_lengths:
        raise SpecError(
            f"whitebox capability: context_length {asked.context_length} is none of the task's context_lengths; "
            "add it to them, so that the behaviour is measured there too"
        )
    assert study.other is not None, "made with every study that asks for capability"
    trials, seen = roles(asked, study)
    _check_law(asked, study.trials[trials[0]])
    positive = set(map(str, asked.positive))
    same: dict[str, Json] = {
        "context_length": asked.context_length,
        "question": asked.question,
        "law": asked.law,
        "trials": [*trials],
        "towards": [1 if study.labels[study.trials[t].label] in positive else -1 for t in trials],
        "selection": [int(chosen) for chosen in _selection(study, trials)],
        "seen_positive": [*seen[0]],
        "seen_negative": [*seen[1]],
        "other": study.other.digest,
        "repetitions": [*asked.repetitions],
        "version": _VERSION,
    }
    alphas = sorted({1.0, *asked.alphas})
    at_layers: dict[str, Json] = {
        "alphas": [*alphas],
        "tried": [k for k, alpha in enumerate(alphas) if alpha in asked.alphas],
        "draws": asked.random_directions,
    }
    return [
        job
        for network in ("trained", *(["untrained"] if asked.untrained else []))
        for job in (
            *({"what": "layer", "network": network, "layer": k, **same, **at_layers} for k in layers),
            {"what": "asked", "network": network, **same},  # last: where it is done, every layer is
        )
    ]


def find(
    asked: CapabilitySpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> Capability | str:
    """Return what the checkpoint does and can be made to do on the held-out trials, with all controls."""
    del behaviour, judgments
    networks: dict[str, list[tuple[Job, Arrays]]] = {}
    for job, arrays in done:
        networks.setdefault(str(job["network"]), []).append((job, arrays))
    readings = {network: reading_of(asked, these) for network, these in networks.items()}
    reading, untrained = readings.get("trained"), readings.get("untrained")
    if reading is None:
        return "layer and scale are chosen when every layer is measured"
    trials, seen = roles(asked, study)
    chosen_on = int(_selection(study, trials).sum())
    layers = tuple(int(str(job["layer"])) for job, _ in networks["trained"] if job["what"] == "layer")
    ((name, values),) = asked.seen.items()
    wrong = asked.wrong
    return Capability(
        reading=reading,
        gap=gap_of(reading, least=options.min_change),
        untrained=untrained,
        untrained_gap=None if untrained is None else gap_of(untrained, least=options.min_change),
        concept=study.concept,
        positive=tuple(map(str, asked.positive)),
        negative=tuple(map(str, asked.negative)),
        seen=f"{name} {', '.join(map(str, values))}",
        wrong=f"{wrong.concept} {wrong.values[0]} against {wrong.values[1]} of {wrong.family}",
        law=asked.law,
        context_length=asked.context_length,
        question=asked.question,
        repetitions=tuple(asked.repetitions),
        layers=layers,
        alphas=tuple(sorted(asked.alphas)),
        draws=asked.random_directions,
        seen_trials=len(seen[0]) + len(seen[1]),
        chosen_on=chosen_on,
        measured_on=len(trials) - chosen_on,
        threshold=asked.threshold,
        smoothing=asked.smoothing,
        consecutive=asked.consecutive,
    )


def reading_of(asked: CapabilitySpec, done: Sequence[tuple[Job, Arrays]]) -> CapabilityReading | None:
    """Return the scores of one network, layer and scale chosen; None where something is missing to choose from."""
    plain = next((arrays for job, arrays in done if job["what"] == "asked"), None)
    layers = {int(str(job["layer"])): arrays for job, arrays in done if job["what"] == "layer"}
    if plain is None or not layers:
        return None
    listed = done[0][0]["selection"]
    assert isinstance(listed, list)
    chosen_on = np.array(listed, dtype=np.bool_)
    held = ~chosen_on

    def on_selection(scores: Floats) -> float:
        return float(scores[chosen_on].mean())

    best = {k: int(a["best"]) for k, a in layers.items()}
    layer = max(layers, key=lambda k: on_selection(layers[k]["latent"][best[k]]))
    natural = max(layers, key=lambda k: on_selection(layers[k]["latent"][int(layers[k]["one"])]))
    at, there = layers[layer], layers[natural]
    over = max(range(len(asked.repetitions)), key=lambda k: on_selection(plain["over"][k]))
    ways = {"naive": plain["naive"], "over": plain["over"][over], "latent": at["latent"][best[layer]]}
    return CapabilityReading(
        naive=plain["naive"][held],
        over=plain["over"][over][held],
        natural=there["latent"][int(there["one"])][held],
        tuned=ways["latent"][held],
        random=at["random"][:, held],
        random_natural=there["random_natural"][:, held],
        wrong=at["wrong"][held],
        layer=layer,
        scale=float(at["alpha"][best[layer]]),
        natural_layer=natural,
        strength=asked.repetitions[over],
        best=max(ways, key=lambda way: on_selection(ways[way])),  # type: ignore[arg-type]  # the first wins a tie
        alpha_norm=float(at["alpha_norm"]),
        mass=(float(plain["mass"][held].mean()), float(at["latent_mass"][best[layer], held].mean())),
        off_target=float(at["off_target"]),
    )


def gap_of(reading: CapabilityReading, *, least: float) -> Gap:
    """Return the gaps of one checkpoint on its held-out trials, each with a bootstrap interval over trials.

    `least` is the smallest gap that counts as one: a direction of any network
    moves its law a little, and with many trials ever so little is above 0.
    """
    means = reading.random.mean(axis=1)
    return Gap(
        latent=_bounded(reading.tuned - reading.naive),
        natural=_bounded(reading.natural - reading.naive),
        over=_bounded(reading.over - reading.naive),
        beyond_random=_bounded(reading.tuned - reading.random.mean(axis=0)),
        random_as_good=(int((means >= reading.tuned.mean()).sum()), len(means)),
        least=least,
    )


def roles(asked: CapabilitySpec, study: WhiteBoxStudy) -> tuple[list[int], tuple[list[int], list[int]]]:
    """Return the trials, and those that the direction is made of: positive and negative. Raises SpecError.

    A sequence whose parameter has a value that `seen` names is seen; no trial is.
    """
    ((name, values),) = asked.seen.items()
    _check_values(study, asked)
    named, found = set(map(str, values)), {str(trial.params.get(name)) for trial in study.trials}
    if not named <= found or name not in study.trials[0].params:
        raise SpecError(
            f"whitebox capability: seen {name}: {[*values]!r} is not in this task, where {name} is "
            f"{', '.join(sorted(found))}; seen names values of a swept parameter"
        )
    trials: dict[str, list[int]] = {"positive": [], "negative": []}
    seen: dict[str, list[int]] = {"positive": [], "negative": []}
    for side, wanted in (("positive", asked.positive), ("negative", asked.negative)):
        labels = set(map(str, wanted))
        for t, trial in enumerate(study.trials):
            if study.labels[trial.label] in labels:
                (seen if str(trial.params[name]) in named else trials)[side].append(t)
        for kept, least, what in ((trials, 2 * _LEAST, "trials"), (seen, _LEAST, "seen sequences")):
            if len(kept[side]) < least:
                raise SpecError(
                    f"whitebox capability: {side} {[*wanted]!r} has {len(kept[side])} {what}, at least {least} are "
                    f"needed: seen must name some of its sequences and leave others; or set sequences higher"
                )
    return sorted([*trials["positive"], *trials["negative"]]), (seen["positive"], seen["negative"])


def _selection(study: WhiteBoxStudy, trials: Sequence[int]) -> np.ndarray:
    """Return which trials choices are made on: every second group of a condition, (n_trials,)."""
    condition = [study.trials[t].condition for t in trials]
    group = np.array([study.trials[t].group for t in trials])
    chosen = np.zeros(len(trials), dtype=np.bool_)
    for name in dict.fromkeys(condition):
        here = np.array([c == name for c in condition])
        chosen |= here & np.isin(group, np.unique(group[here])[::2])
    return chosen


def _check_values(study: WhiteBoxStudy, asked: CapabilitySpec) -> None:
    named: list[Label] = [*asked.positive, *asked.negative]
    for value in named:
        if str(value) not in study.labels:
            raise SpecError(
                f"whitebox capability: {value!r} is no value of {study.concept}; there are {', '.join(study.labels)}"
            )


def _check_law(asked: CapabilitySpec, trial: WhiteBoxTrial) -> None:
    assert trial.drawn is not None, "kept by every study that asks for capability"
    known = ["ideal", "truth", *trial.drawn.observers]
    if asked.law not in known:
        raise SpecError(f"whitebox capability: no law {asked.law!r}{suggestion(asked.law, known)}")


def _bounded(difference: Floats) -> Bounded:
    low, high = mean_interval(difference)
    return Bounded(float(difference.mean()), low, high)
