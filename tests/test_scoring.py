"""p(target) is renormalised over the declared symbols, and what was not reported is never taken for zero."""

import numpy as np
import pytest

from harness.scoring import MAX_UNCERTAINTY, score_logprobs
from harness.types import Response


def response(probabilities: list[list[float]], covered: list[float]) -> Response:
    table = np.array(probabilities, dtype=float)
    logprob = np.full(table.shape, np.nan)
    np.log(table, out=logprob, where=~np.isnan(table))
    return Response(np.arange(len(table)), logprob=logprob, covered=np.array(covered))


def test_full_distributions_are_renormalised_exactly() -> None:
    scores = score_logprobs(response([[0.2, 0.2], [0.1, 0.7]], [1.0, 1.0]), np.array([0, 1]))
    np.testing.assert_allclose(scores.p, [0.5, 0.875])
    np.testing.assert_allclose(scores.raw, [0.2, 0.7])
    np.testing.assert_allclose(scores.mass, [0.4, 0.8])
    assert scores.uncovered == ()


@pytest.mark.parametrize("rest", [0.001, 0.008, 0.2])
@pytest.mark.parametrize("missing", [0, 1])
def test_an_unreported_symbol_leaves_an_interval_that_holds_the_truth(rest: float, missing: int) -> None:
    """The truth lies anywhere in the unreported rest; p must be within the stated uncertainty or absent."""
    known = 1 - rest
    table = [np.nan, known] if missing == 0 else [known, np.nan]
    scores = score_logprobs(response([table], [known]), np.array([0]))
    truths = [x / (x + known) if missing == 0 else known / (x + known) for x in np.linspace(0, rest, 11)]
    if max(truths) - min(truths) > MAX_UNCERTAINTY:
        assert np.isnan(scores.p[0])
        assert scores.uncovered == (0,)
    else:
        assert all(abs(scores.p[0] - t) <= MAX_UNCERTAINTY / 2 + 1e-12 for t in truths)


def test_a_level_without_any_number_is_neither_scored_nor_uncovered() -> None:
    scores = score_logprobs(response([[np.nan, np.nan], [0.5, 0.5]], [0.0, 1.0]), np.array([0, 0]))
    assert np.isnan([scores.p[0], scores.raw[0], scores.mass[0]]).all()
    assert scores.p[1] == 0.5
    assert scores.uncovered == ()
