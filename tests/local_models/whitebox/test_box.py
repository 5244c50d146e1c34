"""What holds of every reading and edit: five architectures, blocks that return tuples, the bundled model."""

from typing import Any

import numpy as np
import pytest

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Ablate, Add, Intervention, Patch
from harness.local_models.whitebox.sites import Site, TokenRows
from tests.local_models.whitebox.tiny_models import (
    BUNDLED,
    NAMES,
    TUPLES,
    box_of,
    build,
    hooks_of,
    rows_of,
    vector,
    vocabulary_of,
)

torch = pytest.importorskip("torch")
EVERY = (*NAMES, *TUPLES, BUNDLED)
WITH_HEADS = tuple(name for name in EVERY if name != "mamba")
ROUNDING = 1e-6  # the target for what must change nothing


def own_logits(box: WhiteBox, rows: TokenRows) -> list[np.ndarray]:
    """The model as anyone would call it: no hooks, one row at a time."""
    with torch.inference_mode():
        return [box.model(input_ids=torch.tensor([row])).logits[0].numpy() for row in rows.ids]


def logits(box: WhiteBox, rows: TokenRows, *interventions: Intervention) -> list[np.ndarray]:
    """The model under interventions that need not know their row."""
    with box.applied(*interventions):
        return own_logits(box, rows)


def log_probs(
    box: WhiteBox, rows: TokenRows, *interventions: Intervention, **options: int
) -> list[np.ndarray]:
    return box.log_probs(
        rows, range(vocabulary_of(box)), positions="all", interventions=interventions, **options
    )


def largest_change(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", EVERY)
def test_scale_0_and_a_patch_of_itself_change_no_logit(name: str) -> None:
    box = box_of(name)
    rows = rows_of(9, vocabulary=vocabulary_of(box))
    plain = own_logits(box, rows)
    for layer in range(box.n_layers):
        for where in ("input", "output"):
            site = Site(layer, where, "all")
            assert largest_change(plain, logits(box, rows, Add(site, vector(box.width), 0.0))) < ROUNDING
            itself = Patch(Site(layer, where, (4,)), box.captured(rows, [Site(layer, where, (4,))])[0, 0, 0])
            assert largest_change(plain, logits(box, rows, itself)) < ROUNDING
            changed = logits(box, rows, Add(site, vector(box.width), 1.0))
            assert largest_change(plain, changed) > 0.01  # the same edit at another scale is seen


@pytest.mark.parametrize("name", EVERY)
def test_patching_every_position_at_the_last_block_reproduces_the_source(name: str) -> None:
    box = box_of(name)
    source = rows_of(8, 8, seed=1, vocabulary=vocabulary_of(box))
    target = rows_of(8, 8, seed=2, vocabulary=vocabulary_of(box))
    site = Site(box.n_layers - 1, "output", "all")
    patch = Patch(site, box.captured(source, [site])[:, 0])
    assert largest_change(log_probs(box, source), log_probs(box, target)) > 0.1
    assert largest_change(log_probs(box, source), log_probs(box, target, patch)) < 1e-5


@pytest.mark.parametrize("name", EVERY)
def test_the_lens_at_the_last_layer_is_the_model(name: str) -> None:
    box = box_of(name)
    rows = rows_of(7, 7, vocabulary=vocabulary_of(box))
    states = box.captured(rows, [Site(box.n_layers - 1)])[:, 0]
    tokens = range(vocabulary_of(box))
    expected = torch.log_softmax(torch.tensor(np.array(own_logits(box, rows))).double(), dim=-1).numpy()
    np.testing.assert_allclose(box.lens(states, tokens), expected, atol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_a_row_gives_the_same_alone_and_among_longer_ones(name: str) -> None:
    box = box_of(name)
    rows = rows_of(3, 11, 6, 11, 2, vocabulary=vocabulary_of(box))
    sites = [Site(layer, "output", "last") for layer in range(box.n_layers)]
    steer = Add(Site(0, "output", "last"), vector(box.width))
    for interventions in ((), (steer,)):
        alone = box.captured(rows, sites, batch_size=1, interventions=interventions)
        together = box.captured(rows, sites, batch_size=5, interventions=interventions)
        np.testing.assert_allclose(alone, together, atol=2e-5)
        one = log_probs(box, rows, *interventions, batch_size=1)
        assert largest_change(one, log_probs(box, rows, *interventions, batch_size=5)) < 2e-5
        assert largest_change(one, log_probs(box, rows, *interventions, batch_size=2)) < 2e-5


@pytest.mark.parametrize("name", EVERY)
def test_log_probs_are_those_of_the_model(name: str) -> None:
    box = box_of(name)
    rows = rows_of(4, 9, 6, vocabulary=vocabulary_of(box))
    for found, raw in zip(log_probs(box, rows), own_logits(box, rows), strict=True):
        np.testing.assert_allclose(
            found, torch.log_softmax(torch.tensor(raw).double(), dim=-1).numpy(), atol=2e-5
        )
    last = box.log_probs(rows, [3, 1])
    np.testing.assert_allclose(
        [row[0] for row in last], [r[-1, [3, 1]] for r in log_probs(box, rows)], atol=1e-6
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_block_returns_what_the_next_is_given_and_tuples_stay_tuples(name: str) -> None:
    box = box_of(name)
    rows = rows_of(6, vocabulary=vocabulary_of(box))
    kinds = []
    with torch.inference_mode():
        handle = box.anatomy.blocks[0].register_forward_hook(lambda _m, _a, out: kinds.append(type(out)))
        box.model(input_ids=torch.tensor(rows.ids))
        handle.remove()
    assert kinds[0] is (tuple if name in TUPLES else torch.Tensor)
    after, before = box.captured(rows, [Site(0, "output"), Site(1, "input")])[0]
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", EVERY)
def test_a_vector_added_after_a_block_is_added_before_the_next(name: str) -> None:
    box = box_of(name)
    rows = rows_of(6, 6, vocabulary=vocabulary_of(box))
    v = vector(box.width)
    at_output = log_probs(box, rows, Add(Site(0, "output", (2, -1)), v, 0.7))
    at_input = log_probs(box, rows, Add(Site(1, "input", (2, -1)), v, 0.7))
    assert largest_change(at_output, at_input) == 0
    plain, steered = (box.captured(rows, [Site(0)], interventions=i) for i in ((), (Add(Site(0), v, 0.7),)))
    np.testing.assert_allclose(steered - plain, np.broadcast_to(0.7 * v, plain.shape), atol=1e-5)


@pytest.mark.parametrize("name", WITH_HEADS)
def test_heads_are_those_of_the_model(name: str) -> None:
    """Without any head a layer's attention adds its bias alone, and each head counts once."""
    box = box_of(name)
    rows = rows_of(6, vocabulary=vocabulary_of(box))
    heads = box.captured(rows, [Site(1, "heads", "last")])[0, 0, 0].reshape(box.n_heads, -1)
    left = box.captured(rows, [Site(1, "heads", "last")], interventions=[Ablate(1, 2, "last")])[0, 0, 0]
    expected = heads.copy()
    expected[2] = 0
    np.testing.assert_array_equal(left.reshape(box.n_heads, -1), expected)
    itself = Ablate(1, 2, "last", heads[2])
    assert largest_change(log_probs(box, rows), log_probs(box, rows, itself)) < ROUNDING
    whole = Patch(Site(1, "heads", "last"), heads.reshape(-1))
    assert largest_change(log_probs(box, rows), log_probs(box, rows, whole)) < ROUNDING
    assert largest_change(log_probs(box, rows), log_probs(box, rows, Ablate(1, 2, "last"))) > 1e-4


@pytest.mark.parametrize("name", EVERY)
def test_an_ablated_block_gives_what_it_is_given(name: str) -> None:
    box = box_of(name)
    rows = rows_of(5, 5, vocabulary=vocabulary_of(box))
    before, after = np.moveaxis(
        box.captured(rows, [Site(1, "input"), Site(1, "output")], interventions=[Ablate(1)]), 1, 0
    )
    np.testing.assert_array_equal(before, after)


def test_interventions_at_one_site_act_in_the_order_listed() -> None:
    box, rows = box_of("llama"), rows_of(5)
    site, v = Site(1, "output", "last"), vector(32)
    add, put = Add(site, v), Patch(site, 2 * v)
    first, second = (
        box.captured(rows, [site], interventions=order)[0, 0, 0] for order in ((add, put), (put, add))
    )
    np.testing.assert_allclose(first, 2 * v, atol=1e-6)
    np.testing.assert_allclose(second, 3 * v, atol=1e-6)


def test_a_patch_by_rows_gives_each_row_its_own_source_in_any_batches() -> None:
    box = box_of("gpt2")
    rows = TokenRows(rows_of(9, 4, 7, 5).ids, {"pair": ((1, 2), (0, 3), (2, 5), (1, 4))})
    source = np.random.default_rng(3).standard_normal((4, 2, 32)).astype(np.float32)
    site = Site(1, "output", "pair")
    for batch_size in (1, 2, 4):
        found = box.captured(rows, [site], interventions=[Patch(site, source)], batch_size=batch_size)
        np.testing.assert_array_equal(found[:, 0], source)


def test_the_mean_over_places_is_the_mean_of_the_places() -> None:
    box, rows = box_of("llama"), rows_of(4, 9, 6)
    mean = box.captured(rows, [Site(2)], reduce="mean")
    for i, row in enumerate(rows.ids):
        alone = box.captured(TokenRows((row,)), [Site(2)])[0, 0]
        np.testing.assert_allclose(mean[i, 0], alone.mean(axis=0), atol=1e-5)


class Breaks(Add):
    """An intervention with a fault of its own."""

    def edit(self, x: object, rows: object, order: object) -> Any:
        del x, rows, order
        raise RuntimeError("broken inside the pass")


@pytest.mark.parametrize("name", ["llama", "bloom"])
def test_hooks_are_gone_after_an_exception(name: str) -> None:
    box, rows = box_of(name), rows_of(5)
    none = hooks_of(box)

    with pytest.raises(RuntimeError, match="broken inside the pass"):
        log_probs(box, rows, Breaks(Site(1), vector(32)))
    assert hooks_of(box) == none
    with box.applied(Add(Site(0), vector(32)), Ablate(1, 0)):
        assert hooks_of(box) == none + 3  # the pass, a block, a projection
    with pytest.raises(KeyError), box.applied(Add(Site(0), vector(32)), Ablate(1, 0)):
        raise KeyError
    with pytest.raises(WhiteBoxError):
        box.captured(rows, [Site(0, "output", (17,))])
    stopped = box.capture(rows_of(4, 4, 4), [Site(0)], batch_size=1)
    next(stopped)
    assert hooks_of(box) == none  # between batches as well
    assert largest_change(own_logits(box, rows), logits(box, rows)) == 0


def test_a_module_of_another_checkpoint_runs_in_the_place_of_ones_own() -> None:
    mine, other, rows = WhiteBox(build("llama")), WhiteBox(build("llama", seed=5)), rows_of(6)
    plain = own_logits(mine, rows)
    name = mine.anatomy.block_names[1]
    v = vector(32)
    into = mine.captured(rows, [Site(1, "input")])[:, 0]
    expected = other.captured(rows, [Site(1)], interventions=[Patch(Site(1, "input"), into)])
    with mine.swapped(name, other):
        np.testing.assert_allclose(mine.captured(rows, [Site(1)]), expected, atol=1e-6)
        steered = mine.captured(rows, [Site(1)], interventions=[Add(Site(1), v)])
        np.testing.assert_allclose(steered - expected, np.broadcast_to(v, expected.shape), atol=1e-5)
        assert largest_change(plain, own_logits(mine, rows)) > 0.01
    assert largest_change(plain, own_logits(mine, rows)) == 0
    np.testing.assert_array_equal(mine.captured(rows, [Site(1, "input")])[:, 0], into)


def test_captures_come_a_batch_at_a_time() -> None:
    """The third batch has not run when the second is read: nothing is collected before it is asked for."""
    box, ran = WhiteBox(build("llama")), []
    handle = box.model.register_forward_pre_hook(lambda _m, _a: ran.append(1))
    parts = box.capture(rows_of(*[4] * 6), [Site(0, "output", "last")], batch_size=2)
    first, second = next(parts), next(parts)
    assert len(ran) == 2
    assert (first.rows, second.rows) == ((0, 1), (2, 3))
    assert first.values.shape == (2, 1, 1, 32)
    handle.remove()
