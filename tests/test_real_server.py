"""The bundled model through llama.cpp's own server gives the numbers and verdicts of the local adapter."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.analysis import transition
from harness.cli import cli
from harness.conditions import expand
from harness.curves import Measured, measure
from harness.execute import probe_symbols
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.gguf_export import export_gguf
from harness.plan import plan_model
from harness.registry import load_model, load_reader
from harness.runner import Limits, Tally, run_model
from harness.spec import SuiteSpec
from harness.store import write_store
from harness.suite_files import parse_suite, suite_digest
from harness.types import Model
from tests.agreement import largest_difference, run_both
from tests.servers import llama_cpp_server

SUITE = """\
name: served
seed: 5
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {period: 3, symbols: letters}
    context_lengths: {from: 0, to: 40, step: 2}
    sequences: 12
  - family: bernoulli
    params: {p: 0.5}
    context_lengths: [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
    sequences: 12
"""


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "icl-mixture.gguf"
    checkpoint = resolve_checkpoint("icl-mixture").directory
    assert checkpoint is not None
    export_gguf(checkpoint, path)
    return path


@pytest.mark.parametrize(("exact", "tolerance"), [(True, 1e-4), (False, 2e-2)])
def test_log_probabilities_and_verdicts_agree_with_the_local_adapter(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: bool, tolerance: float
) -> None:
    """In float32 without fused attention the two differ by rounding (5e-6 nat was measured), well within
    the 5e-3 that is asked; llama.cpp's defaults bring up to 6e-3 on p(target)."""
    with llama_cpp_server(gguf, n_ctx=512, slots=4, exact=exact) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        suite = parse_suite(SUITE, "served")
        local, served = run_both(suite, ("local/icl-mixture", "openai-api/llama/icl"), tmp_path / "run")
    for ours, theirs in zip(local, served, strict=True):
        assert (ours.way, theirs.way) == ("prefixes", "next_token")
        assert largest_difference(ours, theirs) < tolerance
        verdicts = [transition(curve).verdict for m in (ours, theirs) if (curve := m.curve("c")) is not None]
        assert len(verdicts) == 2
        assert verdicts[0] == verdicts[1]


def test_the_doctor_says_what_llama_cpp_ignores(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with llama_cpp_server(gguf, n_ctx=512, slots=2) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        result = CliRunner().invoke(cli, ["doctor", "openai-api/llama/icl"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "echo is not honoured" in result.output
    assert "n is honoured up to 2" in result.output
    assert "measured by next_token" in result.output


def test_drawn_symbols_agree_with_the_exact_probabilities(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shares of drawn symbols lie within 4.5 standard errors of the mean p(target) of the same sequences."""
    with llama_cpp_server(gguf, n_ctx=512, slots=4, exact=True) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        model = load_model("openai-api/llama/icl")
        suite = parse_suite(SUITE.replace("sequences: 12", "sequences: 12\n    samples: 4"), "served")
        measured = asyncio.run(_drawn(model, suite, tmp_path / "run"))
    exact, _ = run_both(suite, ("local/icl-mixture", "mock/flat"), tmp_path / "exact")
    for drawn, ours in zip(measured, exact, strict=True):
        assert drawn.trials is not None
        p, n = np.nanmean(ours.p, axis=0), drawn.trials
        assert np.all(
            n[1:] >= 46
        )  # at context length 0 most draws are of other kinds' symbols: in neither k nor n
        assert n[0] < 48
        np.testing.assert_array_less(
            np.abs(np.nanmean(drawn.p, axis=0) - p), 4.5 * np.sqrt(p * (1 - p) / n) + 0.01
        )


async def _drawn(model: Model, suite: SuiteSpec, out: Path) -> list[Measured]:
    """Measure by drawn symbols what could be had exactly."""
    conditions = expand(suite)
    found = await model.probe(*probe_symbols(conditions))
    capabilities = replace(found, top_logprobs=0, full=False, prefixes=False)
    plan = plan_model(model, capabilities, conditions, None)
    with write_store(out, suite.name, suite_digest(suite)) as store:
        await run_model(model, plan, store, Tally(), Limits(), lambda: None)
        await model.close()
        return [measure(plan, item, store, load_reader(model.name)) for item in plan.items]
