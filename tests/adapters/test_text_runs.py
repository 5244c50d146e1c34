"""Runs that ask for sequences: from the probe to the statistics, direct and in batches, real servers too."""

import math
from pathlib import Path
from typing import Any

import pytest

from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.gguf_export import export_gguf
from harness.runs import open_run
from harness.runs import run as run_here
from harness.spec import SuiteSpec
from tests.adapters.test_service_runs import STUBS, run
from tests.servers import llama_cpp_server


def suite(model: str, render: dict[str, Any], **changes: Any) -> SuiteSpec:
    task = {
        "family": "bernoulli",
        "params": {"p": 0.5, "symbols": "coin"},
        "context_lengths": [2],
        "length": 20,
        "sequences": 6,
        "readout": "generation",
        "render": render,
    }
    return SuiteSpec.model_validate(
        {"name": "texts", "seed": 1, "models": [model], "tasks": [{**task, **changes}]}
    )


CHAT = {"symbols": ["0", "1"], "separator": "", "form": "chat"}


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("model", STUBS)
def test_texts_are_asked_for_once_and_read_as_far_as_they_are_symbols(
    model: str, batch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stubs write "x" as often as a symbol: each sequence is what stands before the first of them."""
    stub = STUBS[model]()
    done = run(stub, suite(model, CHAT), tmp_path, monkeypatch, batch, batch)
    (first, asked), (second, asked_again) = done
    assert first.exit_status == (5 if batch else 0)
    assert (second.exit_status, second.tally.failed, asked_again) == (0, {}, asked)
    assert {item.way for item in first.plans[0].items} == {"generation"}
    (found,) = open_run(tmp_path).result.generations
    assert (found.read, found.asked, sum(found.endings.values())) == (6, 6, 6)
    written = [text for text in stub.given if len(text) > 12]  # the others answered the probe
    assert sorted(found.lengths) == sorted(len(text.partition("x")[0][:20]) for text in set(written))


@pytest.mark.slow
def test_a_real_server_writes_what_the_checkpoint_does_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp with the bundled model, 40 texts behind 40 flips of a biased coin, beside 40 by the local adapter.

    Shares and alternation rates agree within four standard errors of their difference, which chance alone
    exceeds 1 time in 8,000.
    """
    gguf = tmp_path / "model.gguf"
    checkpoint = resolve_checkpoint("icl-mixture").directory
    assert checkpoint is not None
    export_gguf(checkpoint, gguf)
    of: dict[str, Any] = {"params": {"p": 0.8, "symbols": "coin"}, "context_lengths": [40], "sequences": 40}
    render = {"template": "{sequence}"}
    local = run_here(suite("local/icl-mixture", render, **of), out=tmp_path / "local").result.generations[0]
    with llama_cpp_server(gguf, n_ctx=288) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        served = run_here(
            suite("openai-api/llama/icl", render, **of), out=tmp_path / "served"
        ).result.generations[0]
    assert served.read == local.read == 40
    for column in (0, 2):
        here, there = local.statistics[column], served.statistics[column]
        errors = [(s.high - s.low) / 2 / 2.02 for s in (here, there)]
        assert abs(here.mean - there.mean) < 4 * math.hypot(*errors), here.name
