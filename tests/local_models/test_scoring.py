"""Normalisation over vocabularies larger than one chunk, against scipy."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy.special import log_softmax

from harness.local_models.alignment import Row
from harness.local_models.scoring import _CHUNK_BYTES, RowJob, draw_next, score_rows


class Table(torch.nn.Module):
    """A model whose logits depend on the last token only."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.logits = torch.randn(7, vocabulary, generator=torch.Generator().manual_seed(0)) * 5
        self.device = torch.device("cpu")

    def forward(self, input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        return SimpleNamespace(logits=self.logits[input_ids])


def test_a_vocabulary_of_many_chunks_is_normalised_exactly() -> None:
    vocabulary, n = 200_000, 60
    assert 8 * vocabulary * n / _CHUNK_BYTES > 1  # more than one chunk, the last one not full
    model = Table(vocabulary)
    tokens = tuple(i % 7 for i in range(n))
    ids = (3, 199_999, 50_000)
    (found,) = score_rows(model, [RowJob(Row(tokens, tuple(range(n)), tuple(range(n))), ids)])
    expected = log_softmax(model.logits.numpy().astype(np.float64), axis=-1)[np.ix_(tokens, ids)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_rows_that_ask_for_different_positions_do_not_mix() -> None:
    model = Table(50)
    table = log_softmax(model.logits.numpy().astype(np.float64), axis=-1)
    jobs = [
        RowJob(Row((1, 2, 3, 4, 5), (0, 4), (0, 4)), (7, 8)),
        RowJob(Row((6, 5), (-1, 1), (0, 1)), (9, 10)),
        RowJob(Row((3, 3, 2), (2,), (2,)), (11, 12, 13)),
    ]
    first, second, third = score_rows(model, jobs)
    np.testing.assert_allclose(first, table[np.ix_([1, 5], [7, 8])], atol=1e-9)
    assert np.isnan(second[0]).all()
    np.testing.assert_allclose(second[1], table[5, [9, 10]], atol=1e-9)
    np.testing.assert_allclose(third, table[np.ix_([2], [11, 12, 13])], atol=1e-9)


def test_what_is_drawn_outside_the_symbols_is_counted_last() -> None:
    model = Table(50)
    counts = draw_next(model, RowJob(Row((1, 2), (1,), (1,)), tuple(range(50))), 1000, seed=1)
    some = draw_next(model, RowJob(Row((1, 2), (1,), (1,)), (4, 9)), 1000, seed=1)
    assert counts[-1] == 0
    assert some.tolist() == [counts[4], counts[9], 1000 - counts[4] - counts[9]]
