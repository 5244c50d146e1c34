from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.emergence.design import (
    EntityTokens,
    block_states,
    entity_tokens,
    prefix_cross_entropy,
)
from harness.local_models.whitebox.emergence.measuring import Asked, emergence_terms, measure, untrained
from harness.types.whitebox import Json, WhiteBoxStudy
from tests.local_models.conftest import save_gpt2

LETTERS = tuple("abcdef")


@pytest.fixture(scope="module")
def bundled() -> LoadedModel:
    torch.set_num_threads(1)
    return load_checkpoint("icl-mixture")


@pytest.fixture(scope="module")
def box(bundled: LoadedModel) -> WhiteBox:
    return WhiteBox(bundled.model, bundled.tokenizer)


def asked(layer: int, token: int, *estimators: str, shots: int = 2) -> Asked:
    return Asked(layer, token, "trained", LETTERS, "0", shots, 400, estimators or ("plug_in",))


def test_every_prefix_is_written_once() -> None:
    design = EntityTokens(begin=(0,), entities=(5, 6, 7, 8), separator=(9,), shots=3)
    assert (design.n_tokens, design.n_prefixes(0), design.n_prefixes(3), design.n_prefixes(5)) == (
        6,
        4,
        12,
        24,
    )
    rows = design.rows(design.all_orders(3), 3).ids
    assert len(set(rows)) == len(rows) == 12
    assert all(row[0] == 0 and row[2] == row[4] == 9 and row[1] != row[3] for row in rows)
    assert {len(row) for row in design.rows(design.all_orders(4), 4).ids} == {6}


def test_prefixes_are_drawn_uniformly_and_without_repetition() -> None:
    design = EntityTokens((), tuple(range(5)), (), 2)
    orders = design.drawn_orders(1, 40_000, np.random.default_rng(0))
    assert np.all(orders[:, 0] != orders[:, 1])
    counts = np.bincount(orders[:, 0] * 5 + orders[:, 1], minlength=25)
    seen = counts[counts > 0]
    assert len(seen) == 20
    chi2 = ((seen - 2000) ** 2 / 2000).sum()
    assert chi2 < 43.8  # 99.9 % of chi-square with 19 degrees of freedom


def test_the_staircase_of_the_closed_form_rises_with_entities_alone() -> None:
    design = EntityTokens((), tuple(range(16)), (99,), 3)
    bits = [design.macro_bits(1, t) for t in range(6)]
    np.testing.assert_allclose(bits, [4.0, 4.0, 7.907, 7.907, 11.714, 11.714], atol=1e-3)
    assert [design.macro_bits(0, t) for t in range(4)] == [4.0, 0.0, 4.0, 0.0]


def test_tokens_of_the_design_are_those_of_the_tokenizer(box: WhiteBox) -> None:
    design = entity_tokens(box, LETTERS, "0", 3)
    written = box.tokenize(["b0a0f0"]).ids[0]
    assert design.rows(np.array([[1, 0, 5]]), 5).ids == (written,)
    assert design.alone().ids[2] == box.tokenize(["c"]).ids[0]


def test_states_are_those_of_the_written_sequence(box: WhiteBox) -> None:
    design = entity_tokens(box, LETTERS, "", 3)
    x, y = block_states(box, design.rows(design.all_orders(2)[:3], 2), 1)
    again_x, again_y = block_states(box, box.tokenize(["abc", "abd", "abe"]), 1)
    np.testing.assert_allclose(x, again_x, atol=1e-6)
    np.testing.assert_allclose(y, again_y, atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("token", [0, 1, 2])
def test_exact_information_of_every_prefix_is_what_counting_says(
    box: WhiteBox, layer: int, token: int
) -> None:
    found = emergence_terms(box, asked(layer, token), seed=1)
    assert found["plug_in"] == pytest.approx(found["closed_form"], abs=1e-6)
    assert found["micro"] == pytest.approx(0.0 if token == 1 else np.log2(6), abs=1e-6)


def test_an_untrained_network_passes_on_as_much(bundled: LoadedModel) -> None:
    fresh = untrained(bundled.model, 3)
    weights = (next(m.parameters()).detach().numpy() for m in (fresh, bundled.model))
    assert not np.allclose(*weights)
    found = emergence_terms(WhiteBox(fresh, bundled.tokenizer), asked(1, 2), seed=1)
    assert found["plug_in"] == pytest.approx(np.log2(30), abs=1e-6)


def test_an_untrained_network_is_the_same_for_the_same_seed_and_leaves_the_generator_alone(
    bundled: LoadedModel,
) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    one, other = (next(untrained(bundled.model, 5).parameters()) for _ in range(2))
    assert torch.equal(one, other)
    assert torch.equal(torch.rand(3), expected)


def test_held_out_information_of_a_real_block_is_what_counting_says(box: WhiteBox) -> None:
    job = Asked(1, 2, "trained", LETTERS, "0", 2, 3000, ("held_out",))
    found = emergence_terms(box, job, seed=1)
    assert found["held_out"] == pytest.approx(np.log2(30), rel=0.05)
    assert found["info_nce"] <= found["ceiling"]
    assert np.isnan(found["plug_in"])


def test_the_cross_entropy_of_a_prefix_is_the_sum_over_its_tokens(box: WhiteBox) -> None:
    design = entity_tokens(box, LETTERS, "0", 2)
    spent = prefix_cross_entropy(box, design, np.array([[0, 1], [4, 2]]), 2)
    tokens = design.rows(np.array([[0, 1], [4, 2]]), 2).ids
    for row, bits in zip(tokens, spent, strict=True):
        with torch.inference_mode():
            log_p = torch.log_softmax(box.model(torch.tensor([row])).logits[0].double(), -1)
        expected = -sum(float(log_p[p - 1, row[p]]) for p in range(1, len(row))) / np.log(2)
        assert bits == pytest.approx(expected, abs=1e-5)
    assert float(spent.mean()) >= 0


def test_a_tokenizer_without_bos_is_read_from_the_first_entity(tmp_path: Path) -> None:
    loaded = load_checkpoint(str(save_gpt2(tmp_path)))
    box = WhiteBox(loaded.model, loaded.tokenizer)
    design = entity_tokens(box, ("x", "y", "z"), ";", 2)
    assert design.begin == ()
    assert prefix_cross_entropy(box, design, np.array([[0, 1]]), 0)[0] == pytest.approx(np.log2(3))
    found = emergence_terms(box, Asked(1, 2, "trained", ("x", "y", "z"), ";", 2, 400, ("plug_in",)), seed=1)
    assert found["plug_in"] == pytest.approx(np.log2(6), abs=1e-6)


@pytest.mark.parametrize(
    ("entities", "separator", "shots", "words"),
    [
        (("a", "b"), "0", 3, "3 different entities are to be drawn from 2"),
        (("a", "a"), "0", 1, "name each once"),
        (("a", "bc"), "0", 2, "'bc0' is 3 tokens of this model where 2 are needed"),
    ],
)
def test_entities_that_do_not_fit_are_refused(
    box: WhiteBox, entities: tuple[str, ...], separator: str, shots: int, words: str
) -> None:
    with pytest.raises(WhiteBoxError, match=words):
        entity_tokens(box, entities, separator, shots)


def test_a_job_gives_the_same_arrays_again_and_refuses_what_it_does_not_know(bundled: LoadedModel) -> None:
    study = WhiteBoxStudy("t", "period", ("2", "3"), (1, 2), (), 11, "d")
    job: dict[str, Json] = {
        "layer": 1, "token": 2, "network": "untrained", "entities": list(LETTERS), "separator": "0", "shots": 2,
        "n": 400, "estimators": ["plug_in", "held_out"], "version": 1,
    }  # fmt: skip
    one, other = measure(bundled, study, job), measure(bundled, study, job)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    with pytest.raises(WhiteBoxError, match="'mine' is not known here; there are plug_in"):
        measure(bundled, study, job | {"estimators": ["mine"]})
    with pytest.raises(WhiteBoxError, match=r"token 4 is not in 0\.\.3"):
        measure(bundled, study, job | {"token": 4})
