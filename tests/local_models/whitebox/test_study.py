"""The states that a study is measured on: those at the last token of each context, and of no other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.reading import context_groups
from harness.local_models.whitebox.reading import measure as decode
from harness.local_models.whitebox.study import measure, states_at, token_rows
from harness.types import Prompt
from harness.types.whitebox import Job, WhiteBoxStudy, WhiteBoxTrial
from tests.local_models.conftest import save_gpt2, save_llama

LABELS = ("alternating", "constant")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    torch.set_num_threads(1)
    return load_checkpoint(str(save_llama(tmp_path_factory.mktemp("llama"))))


def study(
    rows: list[str], labels: list[int], surfaces: tuple[str, ...] = ("0", "1"), header: str = ""
) -> WhiteBoxStudy:
    trials = tuple(
        WhiteBoxTrial(f"t{i}", "c", label, i, Prompt(header, surfaces, "", tuple(map(int, row))))
        for i, (row, label) in enumerate(zip(rows, labels, strict=True))
    )
    return WhiteBoxStudy("toy", "order", LABELS, (1, 2, 4, 8), trials, seed=3, digest="toy")


def strings(rng: np.random.Generator, n: int, length: int = 16) -> list[str]:
    return ["".join(map(str, rng.integers(0, 2, length))) for _ in range(n)]


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_state_is_that_of_the_context_alone(llama: LoadedModel, n: int) -> None:
    rows = strings(np.random.default_rng(0), 3)
    states = states_at(WhiteBox(llama.model, llama.tokenizer), llama, study(rows, [0, 1, 0]), n, [-1, 0, 1])
    for i, row in enumerate(rows):
        ids = llama.tokenizer(row[:n], return_tensors="pt").input_ids
        with torch.inference_mode():
            hidden = llama.model(ids, output_hidden_states=True).hidden_states
        np.testing.assert_allclose(states[i, 0], hidden[0][0, -1], atol=1e-6)  # -1: the embedding
        np.testing.assert_allclose(states[i, 1], hidden[1][0, -1], atol=1e-5)


def test_the_places_of_many_contexts_give_the_states_of_each(llama: LoadedModel) -> None:
    from harness.local_models.whitebox.sites import Site

    trials = study(strings(np.random.default_rng(1), 4), [0, 1, 0, 1])
    box = WhiteBox(llama.model, llama.tokenizer)
    at_once = box.captured(token_rows(llama, trials, (2, 5, 9)), [Site(1, "output", "contexts")])
    for k, n in enumerate((2, 5, 9)):
        np.testing.assert_allclose(at_once[:, 0, k], states_at(box, llama, trials, n, [1])[:, 0], atol=1e-5)


def test_a_context_without_a_token_is_refused(tmp_path: Path) -> None:
    gpt2 = load_checkpoint(str(save_gpt2(tmp_path)))  # adds no BOS
    trials = study(["0101", "1111"], [0, 1], (" red", " blue"))
    with pytest.raises(WhiteBoxError, match="0 symbols has no token"):
        states_at(WhiteBox(gpt2.model, gpt2.tokenizer), gpt2, trials, 0, [0])


def test_equal_contexts_are_one_group_and_so_are_those_of_one_group() -> None:
    trials = study(["0100", "0111", "1000", "1011"], [0, 1, 0, 1])
    assert len(set(context_groups(trials, 0))) == 1
    two = context_groups(trials, 2)
    assert two[0] == two[1] != two[2] == two[3]
    assert len(set(context_groups(trials, 4))) == 4


def job(n: int, probes: list[str] | None = None) -> Job:
    return {
        "context_length": n,
        "layers": [-1, 0, 1],
        "probes": [*(probes or ["knn", "logistic"])],
        "k": 5,
        "shuffles": 50,
    }


def test_a_label_in_the_last_symbol_is_read_before_the_first_block_and_one_in_none_nowhere(
    llama: LoadedModel,
) -> None:
    rng = np.random.default_rng(4)
    rows = strings(rng, 60)
    last = decode(llama, study(rows, [int(row[11]) for row in rows]), job(12))
    assert last["knn_hits"].shape == (3, 60)
    assert last["knn_hits"][0].mean() == 1.0
    assert last["logistic_hits"][0].mean() == 1.0
    unread = decode(llama, study(rows, rng.permutation([0, 1] * 30).tolist()), job(12))
    assert (
        unread["knn_p_value"] > 0.01
    ).all()  # three layers: odds of a false alarm 3 in 100, and the draw is fixed
    assert unread["knn_chance"].max() < 0.5  # leave-one-out of balanced labels is below one half
    assert unread["knn_chance"].min() > 0.4


def test_a_job_gives_the_same_whatever_was_measured_before(llama: LoadedModel) -> None:
    rows = strings(np.random.default_rng(5), 30)
    trials = study(rows, [int(row[3]) for row in rows])
    first = measure(llama, "decodability", trials, job(10, ["knn"]))
    measure(llama, "decodability", trials, job(6, ["knn"]))
    again = measure(llama, "decodability", trials, job(10, ["knn"]))
    assert first.keys() == again.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_too_few_different_contexts_decode_nothing_and_unknown_kinds_are_refused(llama: LoadedModel) -> None:
    rows = strings(np.random.default_rng(5), 12)
    trials = study(rows, [0, 1] * 6)
    assert set(measure(llama, "decodability", trials, job(0))) == {"context_groups"}
    with pytest.raises(WhiteBoxError, match="no white-box measurement 'aura'"):
        measure(llama, "aura", trials, {})
