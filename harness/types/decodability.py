"""What decoders read of a concept, layer by layer and context length by context length, beside the behaviour."""

from dataclasses import dataclass

from harness.types.curve import Delay, SequenceCurve, Transition
from harness.types.sequence import Floats


@dataclass(frozen=True, slots=True)
class Association:
    """Spearman's rank correlation of decodability with p(target) over paired cells; None where one is constant."""

    value: float | None
    low: float | None  # 95 % interval over resampled sequences
    high: float | None
    cells: int


@dataclass(frozen=True, slots=True, eq=False)
class ProbeReading:
    """What one decoder read. Rows are layers, columns context lengths; NaN where too few trials could be told apart."""

    probe: str  # "knn" or "logistic"
    accuracy: Floats  # (n_layers, n_lengths), of all trials
    chance: Floats  # mean accuracy on shuffled labels
    chance_high: Floats  # 95 % quantile of it over shuffles
    p_value: Floats
    chosen: int  # row of the layer read best on the selection half, frozen before the other half is looked at
    curves: tuple[
        SequenceCurve, ...
    ]  # per layer, of the other half: 1 or 0 a sequence (mean of those of one group)
    transitions: tuple[Transition, ...]  # per layer
    lags: tuple[
        Delay | None, ...
    ]  # per layer, half-rise of behaviour less that of decodability, same sequences
    choice_lags: tuple[Delay | None, ...]  # the same with behaviour scored right or wrong, as a decoder is
    associations: tuple[Association, ...]  # per layer, over context lengths
    mean: Floats  # (n_lengths,), of the chosen layer in the other half
    low: Floats  # 95 % interval over sequences
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decodability:
    """Concept decodability of one model in one task, with the behaviour on the same sequences."""

    layers: tuple[int, ...]  # 0-based blocks; -1: before the first
    context_lengths: Floats  # at which something was decoded, ascending
    left_out: tuple[int, ...]  # context lengths at which too few trials have contexts of their own
    probes: tuple[ProbeReading, ...]
    chosen_on: int  # sequences of the selection half
    held_out: int  # sequences of the other half, which transitions, lags and intervals rest on
    behaviour: SequenceCurve | None  # p(target) of the held-out sequences; None where only counts exist
    choice: (
        SequenceCurve | None
    )  # the same scored 1 where p(target) is above one half: of two symbols the likelier
    behaviour_transition: Transition | None
    behaviour_mean: Floats | None
    behaviour_low: Floats | None
    behaviour_high: Floats | None


@dataclass(frozen=True, slots=True)
class AcrossModels:
    """Decodability and behaviour over the models of a run, each at its chosen layer."""

    title: str  # of the task
    concept: str
    probe: str
    models: tuple[str, ...]
    association: Association  # over models and context lengths
    mean_decodability: tuple[float, ...]  # per model, over held-out sequences and context lengths
    mean_behaviour: tuple[float, ...]
