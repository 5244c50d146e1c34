"""Streams depend on what they are for and on nothing else."""

import numpy as np

from harness.seeds import sequence_stream, stream


def test_the_stream_is_pinned() -> None:
    """Raw Philox output is guaranteed stable by numpy; if this changes, every published sequence does."""
    raw = stream("golden", 1).bit_generator.random_raw(2)
    assert [int(x) for x in raw] == [131627744198741967, 8617882940278328173]


def test_order_of_parameters_does_not_matter_and_everything_else_does() -> None:
    def first(*args: object, **params: int) -> int:
        return int(sequence_stream(1, "f", params, 0, *args).bit_generator.random_raw())

    assert first(a=1, b=2) == first(b=2, a=1)
    assert len({first(a=1), first(a=2), first(b=1), first("control", a=1)}) == 4


def test_replicates_are_unrelated() -> None:
    """Correlation of 2,000 pairs of neighbouring replicates; 5 sd of a true zero is .11."""
    draws = np.array([sequence_stream(7, "f", {}, r).random(2) for r in range(2000)])
    assert abs(np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]) < 0.11
