"""Induction diagnostics on a head that is an induction head by its weights, on one that looks back, on none."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
import torch

from harness.errors import WhiteBoxError
from harness.local_models.character_tokenizer import save_character_tokenizer
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.whitebox.attention import (
    attention_patterns,
    draw_blocks,
    followers,
    prefix_matching,
    raised_share,
)
from harness.local_models.whitebox.induction import measure
from harness.types import Prompt
from harness.types.whitebox import Arrays, Job, Json, WhiteBoxStudy, WhiteBoxTrial
from tests.local_models.whitebox.tiny_models import HEADS, LAYERS, box_of, rows_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Kind = Literal["induction", "look back", "reads later"]
Part = tuple[slice, torch.Tensor]  # of the stream, and what is read of it
ALPHABET, POSITIONS = "abcdefghijkl", 32
VOCABULARY = 2 + len(ALPHABET)
BLOCK = 8
SHARP = 400.0  # of attention logits: the wanted token gets all weight but 1e-9


def study(alphabet: str = ALPHABET, seed: int = 0, between: str = "") -> WhiteBoxStudy:
    trials = tuple(
        WhiteBoxTrial(f"t{i}", "c", i % 2, i, Prompt("", tuple(alphabet), between, (0, 1, 2, 0)))
        for i in range(4)
    )
    return WhiteBoxStudy("toy", "half", ("a", "b"), (1, 2, 3), trials, seed=seed, digest="toy")


def job(**settings: Json) -> Job:
    return {"what": "scores", "rows": 24, "block": BLOCK, "copies": 2, **settings}


def by_hand(kind: Kind) -> "PreTrainedModel":
    """Build a GPT-2 whose head 1.0 is an induction head, copies from one block back, or reads what followed later.

    The stream has one place a token, one a position, and two for tokens further
    back, which heads of layer 0 write. All other heads and the feed-forward layers are zero.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    width = 3 * VOCABULARY + POSITIONS  # even, for two heads, each wider than there are positions
    token, place = slice(0, VOCABULARY), slice(VOCABULARY, VOCABULARY + POSITIONS)
    before = slice(place.stop, place.stop + VOCABULARY)
    after = slice(before.stop, before.stop + VOCABULARY)
    config = GPT2Config(vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=width, n_layer=2, n_head=2)
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "ln_" not in name:
                parameter.zero_()
        model.transformer.wte.weight[:, token] = torch.eye(VOCABULARY)
        model.transformer.wpe.weight[:, place] = torch.eye(POSITIONS)
        first, second = (block.attn for block in model.transformer.h)
        tokens, places = torch.eye(VOCABULARY), torch.eye(POSITIONS)

        def head(
            k: int, attention: Any, query: Part, key: Part, value: tuple[slice, slice], gain: float
        ) -> None:
            own = k * width // 2  # first column of this head
            n = query[1].shape[1]
            attention.c_attn.weight[query[0], own : own + n] = SHARP * query[1]
            attention.c_attn.weight[key[0], width + own : width + own + n] = key[1]
            attention.c_attn.weight[value[0], 2 * width + own : 2 * width + own + VOCABULARY] = tokens
            attention.c_proj.weight[own : own + VOCABULARY, value[1]] = gain * tokens

        def looking_back(k: int, attention: Any, by: int, value: tuple[slice, slice], gain: float) -> None:
            shift = torch.diag(torch.ones(POSITIONS - by), by).T  # position p asks for p - by
            head(k, attention, (place, shift), (place, places), value, gain)

        if kind == "look back":
            looking_back(0, second, BLOCK - 1, (token, token), 6.0)
        else:
            later = kind == "reads later"
            looking_back(0, first, 3 if later else 1, (token, before), 1.0)
            if later:
                looking_back(1, first, 2, (token, after), 1.0)
            head(0, second, (token, tokens), (before, tokens), (after if later else token, token), 6.0)
    return model.eval()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    torch.set_num_threads(1)
    found: dict[str, LoadedModel] = {}
    kinds: tuple[Kind, ...] = ("induction", "look back")
    for kind in kinds:
        directory: Path = tmp_path_factory.mktemp("by-hand")
        by_hand(kind).save_pretrained(directory)
        save_character_tokenizer(directory, ALPHABET, POSITIONS)
        found[kind] = load_checkpoint(str(directory), device="cpu")
    return found


@pytest.fixture(scope="module")
def scores(models: dict[str, LoadedModel]) -> dict[str, Arrays]:
    return {kind: measure(model, study(), job()) for kind, model in models.items()}


def test_an_induction_head_matches_prefixes_and_copies_in_any_order(scores: dict[str, Arrays]) -> None:
    found = scores["induction"]
    assert found["repeated"][1, 0] > 0.999
    assert found["reordered"][1, 0] > 0.999
    assert found["control"][1, 0] < 0.05  # the same places, where other symbols stand
    assert found["distance"][1, 0] < 0.05
    assert found["copying"][1, 0] == pytest.approx(1.0, abs=1e-6)
    assert found["last"].mean() > 0.9 > 0.2 > found["first"].mean()


def test_a_head_that_looks_back_one_block_is_told_from_one_that_matches(scores: dict[str, Arrays]) -> None:
    found = scores["look back"]
    assert found["repeated"][1, 0] > 0.999
    assert found["distance"][1, 0] > 0.999
    assert abs(found["reordered"][1, 0] - found["control"][1, 0]) <= 4 * found["error"][1, 0]
    assert found["reordered"][1, 0] < 0.3
    assert found["copying"][1, 0] == pytest.approx(1.0, abs=1e-6)


def test_a_head_without_weights_attends_evenly_and_copies_nothing(scores: dict[str, Arrays]) -> None:
    for found in scores.values():
        assert found["repeated"][1, 1] == pytest.approx(float(found["uniform"]), rel=1e-6)
        assert np.isnan(found["copying"][1, 1])  # it raises no symbol at all
        queries = np.arange(BLOCK + 1, 2 * BLOCK)  # BOS and n symbols: n + 1 tokens to attend to
        assert float(found["uniform"]) == pytest.approx(np.mean(1 / (queries + 1)), rel=1e-12)


def test_a_circuit_that_reads_later_than_the_follower_is_found_there(tmp_path: Path) -> None:
    """Heads of layer 0 look 3 and 2 back, so that what followed stands 2 places after it."""
    shifted = by_hand("reads later")
    shifted.save_pretrained(tmp_path)
    save_character_tokenizer(tmp_path, ALPHABET, POSITIONS)
    found = measure(load_checkpoint(str(tmp_path), device="cpu"), study(), job())
    best = found["offsets"][np.nanargmax(found["around"][:, 1, 0])]
    assert best == 2
    assert np.nanmax(found["around"][:, 1, 0]) > 0.8
    assert found["reordered"][1, 0] < 0.3  # nothing to be seen at the follower itself
    assert np.nanmax(np.abs(found["around"][:, 0])) < 0.3
    assert found["last"].mean() > 3 * found["first"].mean()


def test_ablating_the_induction_head_takes_the_second_copy_away_and_others_do_not(
    models: dict[str, LoadedModel],
) -> None:
    settings: dict[str, Json] = {
        "what": "ablation",
        "instead": "zero",
        "counts": [0, 1, 4],
        "ranked_by": "prefix",
    }
    ranked = measure(models["induction"], study(), job(**settings, draw=-1))
    assert ranked["heads"][0].tolist() == [1, 0]
    p = ranked["p"].mean(axis=1)
    assert p[0] > 0.9
    assert p[1] < 0.2  # the first head alone is enough
    orders = [measure(models["induction"], study(), job(**settings, draw=d)) for d in range(4)]
    for order in orders:
        needed = {(0, 0), (1, 0)}  # the head that writes the token before is part of the circuit
        harmless = tuple(order["heads"][0]) not in needed
        assert (order["p"].mean(axis=1)[1] > 0.9) == harmless
        np.testing.assert_array_equal(order["p"][0], ranked["p"][0])
        np.testing.assert_allclose(order["p"][2], ranked["p"][2], atol=1e-6)


def test_prefix_matching_is_the_sum_written_out() -> None:
    rng = np.random.default_rng(0)
    symbols, block = np.array([3, 1, 4, 2, 3, 1, 4, 2, 2, 4, 3, 1]), 4
    taken = rng.random((2, block - 1, len(symbols) - 1))
    total = np.zeros(2)
    for i, n in enumerate(range(9, 12)):
        for m in range(1, 8):
            if symbols[m - 1] == symbols[n - 1]:
                total += taken[:, i, m]
    np.testing.assert_allclose(prefix_matching(taken, followers(symbols, block)), total / 3)


def test_copying_is_one_for_a_copier_and_even_for_what_ignores_its_symbols() -> None:
    taken = np.eye(5)[[0, 3]] * 0.4
    assert raised_share(7 * np.eye(5)[[0, 3]], taken) == pytest.approx(1.0)
    assert raised_share(-7 * np.eye(5)[[0, 3]], taken) == pytest.approx(0.0)
    rng = np.random.default_rng(1)
    drawn = raised_share(rng.standard_normal((20000, 5)), np.eye(5)[rng.integers(0, 5, 20000)])
    assert drawn.mean() == pytest.approx(1 / 5, abs=5 * drawn.std() / np.sqrt(20000))


def test_blocks_are_of_different_symbols_repeated_or_reordered() -> None:
    repeated, reordered = draw_blocks(50, 6, 3, 9, np.random.default_rng(0))
    np.testing.assert_array_equal(repeated[:, :6], repeated[:, 12:])
    np.testing.assert_array_equal(repeated[:, :12], reordered[:, :12])
    np.testing.assert_array_equal(np.sort(reordered[:, 12:]), np.sort(repeated[:, :6]))
    assert all(len(set(row)) == 6 for row in repeated[:, :6].tolist())
    assert (reordered[:, 12:] != repeated[:, 12:]).any()
    for block, copies in ((2, 2), (10, 2), (4, 1)):
        with pytest.raises(WhiteBoxError, match="at least 2 copies of 3 to 9"):
            draw_blocks(5, block, copies, 9, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3", "gemma2"])
def test_patterns_are_causal_sum_to_one_and_leave_the_model_as_it_was(name: str) -> None:
    box, rows = box_of(name), rows_of(5, 9, 3)
    before, own = box.model.config._attn_implementation, box.log_probs(rows, [1, 2])
    found = list(attention_patterns(box, rows, batch_size=2))
    assert [row for row, _, _ in found] == [0, 1, 2]
    for (_, layers, weights), ids in zip(found, rows.ids, strict=True):
        assert layers == tuple(range(LAYERS))
        assert weights.shape == (LAYERS, HEADS, len(ids), len(ids))
        np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-5)
        assert not np.triu(weights, 1).any()
    assert box.model.config._attn_implementation == before
    for mine, again in zip(own, box.log_probs(rows, [1, 2]), strict=True):
        np.testing.assert_array_equal(mine, again)


def test_a_model_without_attention_has_no_patterns() -> None:
    with pytest.raises(WhiteBoxError, match="no attention heads"):
        next(attention_patterns(box_of("mamba"), rows_of(4)))


def test_symbols_with_a_separator_are_scored_alike(tmp_path: Path) -> None:
    """The tokens of a separator belong to its symbol: even attention then gives two tokens of 2n + 1."""
    from tests.local_models.conftest import SYMBOLS, save_llama

    loaded = load_checkpoint(str(save_llama(tmp_path)), device="cpu")
    assert set("01ab,") < set(SYMBOLS)
    found = measure(loaded, study("01ab", between=","), job(block=4, copies=3, rows=4))
    expected = np.mean([4 / (2 * n + 1) for n in range(9, 12)])  # two earlier copies, two tokens each
    assert float(found["uniform"]) == pytest.approx(expected, rel=1e-12)


def test_the_bundled_model_has_no_induction_head_for_letters() -> None:
    """Neither with two copies, of which it predicts little, nor with nine, of which it predicts the last.

    Heads of layer 0 look back by the period there, and pass for induction heads on repeated blocks alone.
    """
    loaded = load_checkpoint("icl-mixture", device="cpu")
    for copies in (2, 9):
        found = measure(loaded, study("abcdefghijklmnop"), job(copies=copies, rows=16))
        excess = found["reordered"] - found["control"]
        assert excess[1].max() < 0.05  # 0.95 and more of the head built by hand
        assert excess[0].max() < 0.15  # no symbol before another is known there: what competition makes
    assert found["repeated"].max() > 0.8
    assert found["last"].mean() > 0.9


def test_the_same_job_gives_the_same_numbers_and_another_seed_other_ones(
    models: dict[str, LoadedModel],
) -> None:
    found = [measure(models["induction"], replace(study(), seed=seed), job(rows=4)) for seed in (0, 0, 1)]
    for mine, again in pairwise(found[:2]):
        assert all(np.array_equal(mine[name], again[name], equal_nan=True) for name in mine)
    assert not np.array_equal(found[0]["first"], found[2]["first"])
