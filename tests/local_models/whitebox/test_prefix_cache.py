"""A prefix read once gives what full computation gives, under every intervention, and is never taken for another."""

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.interventions import Ablate, Add, Intervention, Patch
from harness.local_models.whitebox.prefix_cache import PrefixCache
from harness.local_models.whitebox.sites import Site, TokenRows
from tests.local_models.whitebox.tiny_models import (
    BUNDLED,
    NAMES,
    TUPLES,
    box_of,
    rows_of,
    vector,
    vocabulary_of,
)

pytest.importorskip("torch")
SHARED = 12  # past the sliding window of the tiny Gemma 2, which is 6


def interventions_of(width: int) -> dict[str, list[Intervention]]:
    v = vector(width)
    by_row = np.random.default_rng(1).standard_normal((4, 1, width)).astype(np.float32)
    return {
        "none": [],
        "everywhere": [Add(Site(0), v)],
        "on the last token": [Add(Site(0, "output", "last"), v)],
        "in the prefix": [Add(Site(0, "input", (3,)), v, 2.0), Ablate(1, None, (5,))],
        "in the suffix": [Add(Site(0, "output", (SHARED,)), v)],
        "on both sides of the border": [Patch(Site(0, "output", (SHARED - 1, SHARED)), v)],
        "from the end, in the prefix of some rows": [Add(Site(0, "output", (-4,)), v)],
        "by row, in the suffix": [Patch(Site(0, "output", "last"), by_row)],
        "by row, in the prefix": [Patch(Site(0, "output", (2,)), by_row)],
    }


@pytest.mark.parametrize("name", [*NAMES, *TUPLES, BUNDLED])
def test_a_cached_prefix_gives_what_full_computation_gives(name: str) -> None:
    box = box_of(name)
    tokens = range(vocabulary_of(box))
    rows = rows_of(13, 17, 15, 14, prefix=SHARED, vocabulary=vocabulary_of(box))
    cache = PrefixCache(box, checkpoint=name)
    assert cache.reuses == (name != "mamba")
    plain = np.concatenate(box.log_probs(rows, tokens))
    for what, interventions in interventions_of(box.width).items():
        for positions in ("last", (SHARED - 1, SHARED)):
            full = box.log_probs(rows, tokens, positions=positions, interventions=interventions)
            for batch_size in (4, 3):
                found = cache.log_probs(
                    rows,
                    SHARED,
                    tokens,
                    positions=positions,
                    interventions=interventions,
                    batch_size=batch_size,
                )
                np.testing.assert_allclose(
                    np.concatenate(found), np.concatenate(full), atol=1e-5, err_msg=what
                )
        if interventions:
            steered = np.concatenate(box.log_probs(rows, tokens, interventions=interventions))
            assert np.abs(steered - plain).max() > 1e-3, what


def test_what_touches_the_suffix_alone_shares_the_plain_prefix() -> None:
    box, rows = box_of("llama"), rows_of(13, 17, 15, 14, prefix=SHARED)
    cache, passes = PrefixCache(box, checkpoint="tiny"), {}
    for what, interventions in interventions_of(box.width).items():
        before = cache.passes
        for _ in range(2):
            cache.log_probs(rows, SHARED, [1], interventions=interventions)
        passes[what] = cache.passes - before
    assert passes == {
        "none": 1,
        "everywhere": 1,
        "on the last token": 0,
        "in the prefix": 1,
        "in the suffix": 0,
        "on both sides of the border": 1,
        "from the end, in the prefix of some rows": 0,  # computed in full
        "by row, in the suffix": 0,
        "by row, in the prefix": 0,  # computed in full
    }


def test_scales_vectors_places_and_orders_are_told_apart() -> None:
    box, rows, v = box_of("llama"), rows_of(9, 9, prefix=8), vector(32)
    cache = PrefixCache(box, checkpoint="tiny")
    a, b = Add(Site(0), v), Add(Site(0, "output", (1,)), v)
    put = Patch(Site(0, "output", (1,)), v)
    spans = TokenRows(rows.ids, {"x": ((1,), (1,))}), TokenRows(rows.ids, {"x": ((2,), (2,))})
    cases: list[tuple[TokenRows, list[Intervention]]] = [
        (rows, [a]),
        (rows, [Add(Site(0), v, 2.0)]),
        (rows, [Add(Site(0), vector(32, seed=8))]),
        (rows, [Add(Site(1), v)]),
        (rows, [b, put]),
        (rows, [put, b]),
        (spans[0], [Add(Site(0, "output", "x"), v)]),
        (spans[1], [Add(Site(0, "output", "x"), v)]),
    ]
    for count, (these, interventions) in enumerate(cases, start=1):
        found = cache.log_probs(these, 8, range(40), interventions=interventions)
        expected = box.log_probs(these, range(40), interventions=interventions)
        np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), atol=1e-5)
        assert cache.passes == count


def test_the_entries_used_last_are_kept_up_to_the_limit() -> None:
    box = box_of("llama")
    first, second, third = (rows_of(11, 11, prefix=10, seed=s) for s in (1, 2, 3))
    cache = PrefixCache(box, checkpoint="tiny", max_tokens=25)
    for rows in (first, second, first, third):  # second was used longest ago
        cache.log_probs(rows, 10, [1])
    assert (cache.passes, cache.tokens) == (3, 20)
    cache.log_probs(first, 10, [1])
    assert cache.passes == 3
    cache.log_probs(second, 10, [1])
    assert cache.passes == 4
    small = PrefixCache(box, checkpoint="tiny", max_tokens=5)  # holds nothing, and is right all the same
    found = small.log_probs(first, 10, [1])
    assert small.tokens == 0
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(box.log_probs(first, [1])), atol=1e-5)


def test_an_entry_is_not_changed_by_going_on_from_it() -> None:
    box, rows = box_of("gpt2"), rows_of(9, 12, prefix=8)
    cache = PrefixCache(box, checkpoint="tiny")
    first = cache.log_probs(rows, 8, range(40))
    for _ in range(3):
        again = cache.log_probs(rows, 8, range(40))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))


def test_rows_that_do_not_share_and_positions_before_the_border_are_refused() -> None:
    cache = PrefixCache(box_of("llama"), checkpoint="tiny")
    with pytest.raises(WhiteBoxError, match="row 1 does not begin with the 5 tokens of row 0"):
        cache.log_probs(rows_of(8, 8, prefix=4), 5, [1])
    with pytest.raises(WhiteBoxError, match="and go on: share fewer tokens"):
        cache.log_probs(rows_of(4, 8, prefix=4), 4, [1])
    with pytest.raises(WhiteBoxError, match=r"names token 0 of row 0.*name positions from 3"):
        cache.log_probs(rows_of(8, 8, prefix=4), 4, [1], positions="all")
    with pytest.raises(WhiteBoxError, match="0 shared tokens"):
        cache.log_probs(rows_of(8, 8), 0, [1])
