"""Decodability over training: read from each checkpoint's record, at one context length, claiming no more."""

from dataclasses import replace

import numpy as np
import pytest

from harness.reporting.trained import training_blocks
from harness.reporting.trained_decoding import courses
from harness.types.decodability import Decodability
from harness.types.whitebox import WhiteBoxResult
from tests.reporting.examples import run_of
from tests.reporting.test_decodable import result
from tests.test_checkpoint_series import placed


def at(step: int, read: float, behaved: float, *, last: int = 6, layer: int = 0) -> WhiteBoxResult:
    """The record of one checkpoint at its first `last` context lengths, with known means everywhere."""
    known = result(f"local/a@{step}")
    found = known.findings["decodability"]
    assert isinstance(found, Decodability)
    level = np.ones(last)
    reading = replace(
        found.probes[0], chosen=layer, mean=read * level, low=(read - 0.1) * level, high=(read + 0.1) * level
    )
    flat = np.full(6, behaved)
    record = replace(
        found,
        context_lengths=found.context_lengths[:last],
        probes=(reading,),
        behaviour_mean=flat,
        behaviour_low=flat,
        behaviour_high=flat,
    )
    return replace(known, findings={"decodability": record})


def test_the_course_is_what_each_checkpoint_says_at_the_longest_length_that_all_have() -> None:
    (course,) = courses({0: at(0, 0.2, 0.1), 64: at(64, 0.5, 0.3, last=4), 128: at(128, 0.4, 0.6, layer=1)})
    assert course.context_length == 16  # the fourth of 2, 4, 8, 16, 32, 64
    assert course.step.tolist() == [0, 64, 128]
    assert course.layer == (-1, -1, 0)
    np.testing.assert_allclose(course.accuracy[:, 0], [0.2, 0.5, 0.4])
    np.testing.assert_allclose(course.behaviour[:, 0], [0.1, 0.3, 0.6])


@pytest.mark.parametrize(("read", "rank"), [([0.2, 0.3, 0.5], "1.00"), ([0.5, 0.3, 0.2], "-1.00")])
def test_a_block_needs_three_checkpoints_of_a_series_and_says_how_the_two_go_together(
    read: list[float], rank: str
) -> None:
    records = tuple(at(step, r, 0.1 + step / 1000) for step, r in zip((0, 64, 128), read, strict=True))
    series = (placed("local/a", 64.0),)
    decoded = training_blocks([run_of(series=series, whitebox=records)])[-1]
    assert (
        f"over 3 checkpoints its rank correlation with p(target) is {rank}." in decoded.shown[0].sentences[0]
    )
    assert [row[0] for row in decoded.shown[0].rows] == ["0", "64", "128"]
    fewer = training_blocks([run_of(series=series, whitebox=records[:2])])
    assert len(fewer) == 1  # the series alone
