"""What is said of decoders' hits: a planted lead of decodability over behaviour is found, in the layer that has it."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from harness.decodability import across, find, jobs
from harness.errors import SpecError
from harness.judgments import Judgments
from harness.types import AnalysisOptions, CurveResult, Floats, Prompt, SequenceCurve
from harness.types.decodability import Decodability
from harness.types.whitebox import Arrays, Job, WhiteBoxResult, WhiteBoxStudy, WhiteBoxTrial
from harness.whitebox_spec import DecodabilitySpec

LENGTHS = tuple(range(0, 65, 4))
EACH = 40  # sequences of a label
ASKED = DecodabilitySpec(probes=["knn"])


def study(concept: str = "period", labels: tuple[str, ...] = ("2", "3")) -> WhiteBoxStudy:
    trials = tuple(
        WhiteBoxTrial(f"{label}-{r}", f"c{label}", label, r if concept == "control" else label * EACH + r,
                      Prompt("", ("0", "1"), "", (0, 1) * 33))
        for label in range(len(labels))
        for r in range(EACH)
    )  # fmt: skip
    return WhiteBoxStudy("toy", concept, labels, LENGTHS, trials, seed=1, digest="")


def rising(half: float, rng: np.random.Generator, *, low: float = 0.5) -> Floats:
    """p of each context length: (2 EACH, n_lengths), half-way at `half`, 10-90 % in about 9 symbols."""
    p = low + (1 - low) / (1 + np.exp(-(np.array(LENGTHS) - half) / 2))
    return np.clip(p + 0.01 * rng.standard_normal((2 * EACH, len(LENGTHS))), 0, 1)


def done(halves: dict[int, float | None], rng: np.random.Generator) -> list[tuple[Job, Arrays]]:
    """Hits of each layer: half-way at a context length, or chance throughout."""
    tables = {
        layer: rng.random((2 * EACH, len(LENGTHS))) < (0.5 if half is None else rising(half, rng))
        for layer, half in halves.items()
    }
    hits = np.stack(list(tables.values()))  # (n_layers, n_trials, n_lengths)
    flat = np.full(len(tables), 0.49)
    return [
        (
            {"context_length": n, "layers": list(tables)},
            {"knn_hits": hits[:, :, i], "knn_chance": flat, "knn_chance_high": flat, "knn_p_value": flat},
        )
        for i, n in enumerate(LENGTHS)
    ]


def behaviour(half: float, rng: np.random.Generator, labels: int = 2) -> dict[str, CurveResult]:
    p = rising(half, rng)
    level = np.array(LENGTHS, dtype=np.float64)
    return {
        f"c{k}": cast(
            "CurveResult",
            _Shown(
                SequenceCurve(
                    f"c{k}", level, p[k * EACH : (k + 1) * EACH], tuple(f"{k}-{r}" for r in range(EACH))
                ),
                None if k == 0 or labels == 2 else "shuffle",
            ),
        )
        for k in range(2)
    }


class _Shown:
    """As much of a CurveResult as is read."""

    def __init__(self, curve: SequenceCurve, control: str | None) -> None:
        self.curve, self.control = curve, control


def found(halves: dict[int, float | None], behaves: float, seed: int = 0) -> Decodability:
    rng = np.random.default_rng(seed)
    read = find(
        ASKED, done(halves, rng), study(), behaviour(behaves, rng), AnalysisOptions(), Judgments(None)
    )
    assert isinstance(read, Decodability)
    return read


def test_a_planted_lead_is_recovered_in_the_layer_that_has_it() -> None:
    read = found({-1: None, 0: 14.0, 1: 30.0}, 38.0)
    (knn,) = read.probes
    assert read.layers[knn.chosen] == 0
    lag = knn.lags[knn.chosen]
    assert lag is not None
    assert lag.value is not None
    assert lag.low is not None
    assert lag.value == pytest.approx(24.0, abs=4.0)  # the levels are 4 apart
    assert lag.low > 0
    late = knn.lags[2]
    assert late is not None
    assert late.value == pytest.approx(8.0, abs=4.0)
    none = knn.lags[0]  # a layer that knows nothing gives no lag
    assert none is not None
    assert none.value is None


def test_behaviour_before_decodability_is_a_negative_lag() -> None:
    read = found({0: 40.0}, 16.0)
    lag = read.probes[0].lags[0]
    assert lag is not None
    assert lag.high is not None
    assert lag.high < 0


def test_a_lead_over_p_alone_is_not_one_over_right_or_wrong() -> None:
    # p leaves one half as soon as the decoder does and takes 40 symbols to arrive: the choice is right at once.
    rng = np.random.default_rng(2)
    level = np.array(LENGTHS, dtype=np.float64)
    slow = np.clip(0.49 + 0.51 * (level - 8) / 40, 0.49, 1.0) + 0.005 * rng.standard_normal(
        (2 * EACH, len(level))
    )
    shown = {
        f"c{k}": cast(
            "CurveResult",
            _Shown(
                SequenceCurve(
                    f"c{k}", level, np.clip(slow[k * EACH : (k + 1) * EACH], 0, 1),
                    tuple(f"{k}-{r}" for r in range(EACH)),
                ),
                None,
            ),
        )
        for k in range(2)
    }  # fmt: skip
    read = find(ASKED, done({0: 10.0}, rng), study(), shown, AnalysisOptions(), Judgments(None))
    assert isinstance(read, Decodability)
    lag, choice = read.probes[0].lags[0], read.probes[0].choice_lags[0]
    assert lag is not None
    assert choice is not None
    assert lag.low is not None
    assert choice.low is not None
    assert lag.low > 8
    assert choice.low < 4  # the levels are 4 apart


def test_what_is_reported_rests_on_sequences_the_layer_was_not_chosen_on() -> None:
    read = found({0: 14.0, 1: 14.0}, 30.0)
    chosen = {f"{label}-{r}" for label in range(2) for r in range(0, EACH, 2)}
    assert read.chosen_on == read.held_out == EACH
    assert read.behaviour is not None
    assert not chosen & set(read.behaviour.sequence_ids)
    assert read.probes[0].curves[0].sequence_ids == read.behaviour.sequence_ids


def test_a_decoder_that_always_says_one_label_gains_nothing_under_control() -> None:
    labels = ("as it is", "shuffle")
    rng = np.random.default_rng(0)
    leaning: list[tuple[Job, Arrays]] = [
        (
            {"context_length": n, "layers": [0]},
            {name: np.array([0.5]) for name in ("knn_chance", "knn_chance_high", "knn_p_value")}
            | {"knn_hits": np.array([[True] * EACH + [False] * EACH])},
        )
        for n in LENGTHS
    ]
    read = find(
        ASKED, leaning, study("control", labels), behaviour(30.0, rng, 1), AnalysisOptions(), Judgments(None)
    )
    assert isinstance(read, Decodability)
    np.testing.assert_array_equal(read.probes[0].curves[0].p, 0.5)
    assert read.behaviour is not None
    assert all(name.startswith("0-") for name in read.behaviour.sequence_ids)


def test_context_lengths_that_nothing_was_decoded_at_are_named() -> None:
    rng = np.random.default_rng(0)
    half_done: list[tuple[Job, Arrays]] = [(job, {"context_groups": np.array(1)}) if i < 2 else (job, a)
                 for i, (job, a) in enumerate(done({0: 20.0}, rng))]  # fmt: skip
    read = find(ASKED, half_done, study(), behaviour(30.0, rng), AnalysisOptions(), Judgments(None))
    assert isinstance(read, Decodability)
    assert read.left_out == (0, 4)
    assert read.context_lengths[0] == 8
    said = find(ASKED, half_done[:3], study(), {}, AnalysisOptions(), Judgments(None))
    assert isinstance(said, str)
    assert "more sequences" in said


def test_over_models_the_better_decoded_one_behaves_better() -> None:
    results = [
        WhiteBoxResult(
            name, "toy", "period", ("2", "3"), 1, 2 * EACH, (), {"decodability": found({0: half}, behaves, k)}
        )
        for k, (name, half, behaves) in enumerate([("early", 10.0, 20.0), ("late", 44.0, 56.0)])
    ]  # fmt: skip
    (row,) = across(results, AnalysisOptions())
    assert row.models == ("early", "late")
    assert row.mean_decodability[0] > row.mean_decodability[1]
    assert row.association.value is not None
    assert row.association.value > 0.7
    assert across(results[:1], AnalysisOptions()) == ()


def test_a_layer_or_context_length_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match=r"layer 2 is not in -1\.\.1"):
        jobs(DecodabilitySpec(layers=[2]), study(), 2)
    with pytest.raises(SpecError, match="none above 64"):
        jobs(DecodabilitySpec(context_lengths=[4, 8, 100]), study(), 2)
    every = jobs(DecodabilitySpec(), replace(study(), context_lengths=(1, 2, 4)), 2)
    assert [job["context_length"] for job in every] == [1, 2, 4]
    assert every[0]["layers"] == [-1, 0, 1]
