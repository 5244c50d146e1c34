"""Hidden capability: a planted gap is found, vanishes when restored, and an untrained network has none."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from harness.capability import course_of, gap_of, lead_of
from harness.errors import WhiteBoxError
from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.capability import CapabilityTrials, read_capability
from harness.local_models.whitebox.capability_coin import coin_trials
from harness.reporting.capability import HEADS, WIDE, capability_rows, capability_sentences, draw_capability
from harness.reporting.drawing import svg
from harness.types.capability import CapabilityReading

TRAINED, UNTRAINED = "icl-mixture", "icl-mixture@0"
CONTRAST = 0.1  # what is left of the difference between the embeddings of heads and tails


def opened(name: str) -> tuple[WhiteBox, CapabilityTrials]:
    torch.set_num_threads(1)
    loaded = load_checkpoint(name)
    return WhiteBox(loaded.model, loaded.tokenizer), coin_trials(
        loaded.tokenizer, np.random.default_rng(5), n=80
    )


@contextmanager
def lagging_input(box: WhiteBox, symbols: tuple[int, ...]) -> Iterator[None]:
    """Shrink the difference between two symbols' input embeddings; body and head stay as they were trained."""
    other = copy.deepcopy(box.model)
    weight = other.get_input_embeddings().weight.data
    mean = weight[list(symbols)].mean(dim=0)
    weight[list(symbols)] = mean + CONTRAST * (weight[list(symbols)] - mean)
    with box.swapped("model.embed_tokens", WhiteBox(other, box.tokenizer)):
        yield


def read(box: WhiteBox, trials: CapabilityTrials) -> CapabilityReading:
    return read_capability(box, trials, rng=np.random.default_rng(1), draws=8)


@pytest.fixture(scope="module")
def readings() -> dict[str, CapabilityReading]:
    box, trials = opened(TRAINED)
    with lagging_input(box, trials.symbols):
        corrupted = read(box, trials)
    return {"corrupted": corrupted, "restored": read(box, trials), "untrained": read(*opened(UNTRAINED))}


def test_a_trained_body_behind_a_lagging_input_shows_a_gap(readings: dict[str, CapabilityReading]) -> None:
    gap = gap_of(readings["corrupted"])
    assert gap.shown
    assert gap.latent.low > 0.05  # 0.14 was measured on other trials before this test was written
    assert gap.natural.low > 0  # alpha = 1: nothing tuned but the layer
    assert readings["corrupted"].best == "latent"
    assert gap.over.high < 0.03  # repeating evidence whose symbols look alike does not help


def test_the_gap_vanishes_when_the_input_is_restored(readings: dict[str, CapabilityReading]) -> None:
    gap = gap_of(readings["restored"])
    assert not gap.shown
    assert gap.latent.high < 0.01
    assert readings["restored"].naive.mean() > 0.95  # close to Laplace's rule when asked


def test_an_untrained_network_shows_no_gap(readings: dict[str, CapabilityReading]) -> None:
    gap = gap_of(readings["untrained"])
    assert not gap.shown
    assert gap.latent.high < 0.05
    assert readings["untrained"].able.mean() < 0.85  # p = 1/2 agrees to 0.8 with biases of 0.6 to 0.8


def test_controls_do_not_close_a_planted_gap(readings: dict[str, CapabilityReading]) -> None:
    found = readings["corrupted"]
    closed = found.tuned.mean() - found.naive.mean()
    assert found.random.mean() - found.naive.mean() < closed / 3
    assert found.wrong.mean() - found.naive.mean() < closed / 2
    assert found.mass[1] > 0.95


def test_layer_scale_and_strength_are_not_chosen_on_the_trials_reported(
    readings: dict[str, CapabilityReading],
) -> None:
    """Held-out trials with the law of the other class leave what was chosen as it is."""
    box, trials = opened(TRAINED)
    law = np.where(trials.selection[:, None], trials.law, trials.law[:, ::-1])
    other = read_capability(box, replace(trials, law=law), rng=np.random.default_rng(1), draws=1)
    names = ("layer", "scale", "natural_layer", "strength", "best")
    assert [getattr(other, name) for name in names] == [getattr(readings["restored"], name) for name in names]
    assert other.naive.mean() < readings["restored"].naive.mean()


def test_trials_that_do_not_belong_together_are_refused() -> None:
    box, trials = opened(UNTRAINED)
    with pytest.raises(WhiteBoxError, match="one of each"):
        read(box, replace(trials, law=trials.law[:-1]))
    with pytest.raises(WhiteBoxError, match="both classes"):
        read(box, replace(trials, selection=trials.towards == 1))


def course(naive: list[float], tuned: list[float], like: CapabilityReading) -> list[CapabilityReading]:
    n = np.ones(10)
    return [
        replace(
            like, naive=a * n, over=a * n, natural=a * n, tuned=b * n, random=np.stack([a * n]), best="latent"
        )
        for a, b in zip(naive, tuned, strict=True)
    ]


def test_capability_and_behaviour_times_and_their_lead(readings: dict[str, CapabilityReading]) -> None:
    step = [0, 64, 128, 256, 512, 1024, 2048, 4096]
    does = [0.5, 0.5, 0.5, 0.5, 0.5, 0.95, 0.95, 0.95]
    can = [0.5, 0.5, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95]
    planted = course(does, can, readings["corrupted"])
    seeds = [course_of(step, planted, threshold=0.9, smoothing=0) for _ in range(3)]
    assert (seeds[0].capability, seeds[0].behaviour) == (128, 1024)
    found = lead_of(seeds)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((3, 3, 3))
    assert seeds[0].gaps[2].latent.value == pytest.approx(0.45)


def test_a_gap_is_said_where_it_is_shown_and_nowhere_else(readings: dict[str, CapabilityReading]) -> None:
    found = course_of(
        [0, 64, 128], [readings[k] for k in ("untrained", "corrupted", "restored")], threshold=0.9
    )
    (said,) = capability_sentences([found], lead_of([found]))
    assert "A latent gap is shown at step 64 (" in said
    none = course_of([0, 64], [readings[k] for k in ("untrained", "restored")], threshold=0.9)
    assert "No checkpoint shows a latent gap" in capability_sentences([none], None)[0]
    rows = capability_rows(found)
    assert [len(row) for row in rows] == [len(HEADS)] * 3
    assert rows[1][HEADS.index("random as good")] == "0 of 8"
    assert svg(partial(draw_capability, course=found), WIDE, salt="c", title="t", description="d").startswith(
        "<svg"
    )
