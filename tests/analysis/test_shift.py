"""Two conditions compared: shifts, intervals, pairing and what is censored."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import compare_conditions, corrected_shifts
from harness.errors import CurveError
from harness.types import SequenceCurve
from tests.analysis.simulation import counts, levels, logistic, replicates, sequences

N = 33


def pair(
    shift: float, rng: np.random.Generator, width: float = 4.0, n: int = 30
) -> tuple[SequenceCurve, SequenceCurve]:
    """Two conditions on the same sequences, whose half-way points lie far apart and move together."""
    offset = rng.normal(0, 3, n)
    rows = [
        [logistic(levels(N), 13 + o + d, width, 0.1, 0.9) + 0.02 * rng.standard_normal(N) for o in offset]
        for d in (0.0, shift)
    ]
    first, second = (
        sequences(np.clip(np.array(r), 0, 1), name=name) for r, name in zip(rows, "ab", strict=True)
    )
    return first, second


def test_a_shift_is_recovered_with_its_interval() -> None:
    shift = compare_conditions(*pair(4.0, np.random.default_rng(1)))
    assert shift.paired
    assert shift.sequences == 30
    assert shift.censored is None
    at = shift.location
    assert at is not None
    assert at.low is not None
    assert at.high is not None
    assert at.low <= 4.0 <= at.high
    assert at.low > 0
    assert at.p_above is not None
    assert at.p_above > 0.999
    assert shift.p_value is not None
    assert shift.p_value < 0.001
    assert shift.upper is not None
    assert abs(shift.upper.value) < 0.05


def test_pairing_by_sequence_narrows_the_interval() -> None:
    first, second = pair(2.0, np.random.default_rng(2))
    together = compare_conditions(first, second).location
    other = replace(second, sequence_ids=tuple(f"other {name}" for name in second.sequence_ids))
    apart = compare_conditions(first, other)
    assert not apart.paired
    assert together is not None
    assert apart.location is not None
    wide = apart.location.high - apart.location.low  # type: ignore[operator]
    narrow = together.high - together.low  # type: ignore[operator]
    assert wide > 1.5 * narrow  # what the sequences share is three levels, the spacing is one


def test_no_shift_is_practically_none_and_no_interval_is_narrower_than_the_spacing() -> None:
    same = pair(0.0, np.random.default_rng(3))[0]
    at = compare_conditions(same, replace(same, name="again")).location
    assert at is not None
    assert at.low is not None
    assert at.high is not None
    assert at.value == 0
    assert at.high - at.low >= 1 - 1e-9
    assert at.p_above == pytest.approx(0.5)
    assert at.p_within is not None
    assert at.p_within > 0.95


def test_exchanging_the_conditions_turns_every_sign() -> None:
    first, second = pair(3.0, np.random.default_rng(4))
    there, back = compare_conditions(first, second), compare_conditions(second, first)
    for name in ("location", "log2_width", "lower", "upper"):
        assert getattr(there, name).value == pytest.approx(-getattr(back, name).value)
        assert getattr(there, name).p_above == pytest.approx(1 - getattr(back, name).p_above)


def test_a_width_that_doubles_is_an_octave() -> None:
    rng = np.random.default_rng(5)
    narrow = sequences(
        np.clip(logistic(levels(N), 16, 6, 0.1, 0.9) + 0.01 * rng.standard_normal((40, N)), 0, 1)
    )
    wide = sequences(
        np.clip(logistic(levels(N), 16, 12, 0.1, 0.9) + 0.01 * rng.standard_normal((40, N)), 0, 1)
    )
    found = compare_conditions(narrow, wide).log2_width
    assert found is not None
    assert found.value == pytest.approx(1.0, abs=0.15)
    assert found.low is not None
    assert found.low > 0


def test_intervals_of_counts_cover_the_shift() -> None:
    rng = np.random.default_rng(6)
    inside = excluded = 0
    for i in range(24):
        away = 0.0 if i % 2 else 4.0
        first, second = (counts(logistic(levels(N), 12 + d, 3, 0.1, 0.9), 20, rng) for d in (0.0, away))
        at = compare_conditions(first, second).location
        assert at is not None
        assert at.low is not None
        assert at.high is not None
        inside += at.low <= away <= at.high
        excluded += away > 0 and at.low > 0
    assert inside >= 20  # of 24 at 95 %: fewer has odds of 1 in 1700
    assert excluded >= 10  # of 12 shifts of an eighth of the range


@pytest.mark.parametrize(("first", "censored"), [(True, "first"), (False, "second")])
def test_a_condition_without_a_change_leaves_a_bound(first: bool, censored: str) -> None:
    rng = np.random.default_rng(7)
    change, flat = (
        replicates(logistic(levels(N), 12, 2, 0.1, 0.9), 30, 0.5, rng),
        replicates(np.full(N, 0.4), 30, 0.5, rng),
    )
    shift = compare_conditions(*((flat, change) if first else (change, flat)))
    assert shift.censored == censored
    assert shift.location is None
    assert shift.p_value is None
    assert shift.bound == pytest.approx(-20 if first else 20, abs=1)


def test_opposite_directions_are_not_compared() -> None:
    rng = np.random.default_rng(8)
    up, down = (
        replicates(logistic(levels(N), 12, 2, *ends), 30, 0.5, rng) for ends in ((0.1, 0.9), (0.9, 0.1))
    )
    assert compare_conditions(up, down).censored == "direction"


def test_few_sequences_give_no_interval_and_no_p_value() -> None:
    first, second = pair(4.0, np.random.default_rng(9), n=6)
    shift = compare_conditions(first, second)
    assert shift.location is not None
    assert shift.location.low is None
    assert shift.p_value is None


def test_several_conditions_are_corrected_together() -> None:
    first, second = pair(4.0, np.random.default_rng(10))
    strong = compare_conditions(first, second)
    shifts = corrected_shifts([replace(strong, p_value=p) for p in (1e-8, 0.03, None, 0.9)])
    assert [s.p_holm for s in shifts] == [pytest.approx(3e-8), pytest.approx(0.06), None, pytest.approx(0.9)]
    assert [s.discovered for s in shifts] == [True, False, None, False]


def test_an_id_that_occurs_twice_is_refused() -> None:
    first, second = pair(0.0, np.random.default_rng(11), n=12)
    with pytest.raises(CurveError, match="occurs twice"):
        compare_conditions(first, replace(second, sequence_ids=("s0",) * 12))
