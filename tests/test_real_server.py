"""The bundled model through llama.cpp's own server gives the numbers and verdicts of the local adapter."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from harness.analysis import transition
from harness.cli import cli
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.gguf_export import export_gguf
from harness.suite_files import parse_suite
from tests.agreement import largest_difference, run_both
from tests.asking import ask_exactly, ask_for_draws, outside_wilson
from tests.servers import llama_cpp_server

LOCAL, SERVED = "local/icl-mixture", "openai-api/llama/icl"
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
# The message and the answer begun for the model, one after the other and nothing around them: what a chat
# or an answer begun means can then be told to the local adapter as plain text.
PLAIN_TEMPLATE = "{%- for message in messages -%}{{- message.content -}}{%- endfor -%}"
DRAWN = """\
name: drawn
seed: 6
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {{period: 3, symbols: letters}}
    context_lengths: {{from: 0, to: 40, step: 5}}
    sequences: 1
    samples: 64
    render: {render}
  - family: bernoulli
    params: {{p: 0.8}}
    context_lengths: [0, 1, 2, 4, 8, 16, 32, 64, 128, 250]
    sequences: 1
    samples: 64
    render: {render}
"""
RARE = """\
name: rare
seed: 6
models: [local/icl-mixture]
tasks:
  - family: bernoulli
    params: {p: 0.98}
    context_lengths: [24, 32, 40, 48, 56, 64, 72, 80]
    sequences: 1
    samples: 80
"""
FORMS = {  # how the server is asked, and the plain text that the local adapter reads
    "completion": ("{form: completion}", "{form: completion}"),
    "chat": ("{form: chat}", "{form: completion}"),
    "prefill": ("{form: prefill, instruction: HT}", "{form: completion, template: 'HT{sequence}'}"),
}


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "icl-mixture.gguf"
    checkpoint = resolve_checkpoint("icl-mixture").directory
    assert checkpoint is not None
    export_gguf(checkpoint, path)
    return path


@pytest.fixture(scope="module")
def served(gguf: Path) -> Iterator[None]:
    """Serve the model in float32, with a template that adds nothing."""
    with (
        llama_cpp_server(gguf, n_ctx=2048, slots=8, exact=True, template=PLAIN_TEMPLATE) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("LLAMA_BASE_URL", url)
        yield


@pytest.mark.parametrize(("exact", "tolerance"), [(True, 1e-4), (False, 2e-2)])
def test_log_probabilities_and_verdicts_agree_with_the_local_adapter(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: bool, tolerance: float
) -> None:
    """In float32 without fused attention the two differ by rounding (5e-6 nat was measured), well within
    the 5e-3 that is asked; llama.cpp's defaults bring up to 6e-3 on p(target)."""
    with llama_cpp_server(gguf, n_ctx=512, slots=4, exact=exact) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        suite = parse_suite(SUITE, "served")
        local, served = run_both(suite, (LOCAL, SERVED), tmp_path / "run")
    for ours, theirs in zip(local, served, strict=True):
        assert (ours.way, theirs.way) == ("prefixes", "next_token")
        assert largest_difference(ours, theirs) < tolerance
        verdicts = [transition(curve).verdict for m in (ours, theirs) if (curve := m.curve("c")) is not None]
        assert len(verdicts) == 2
        assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("served")
def test_every_form_of_prompt_reports_what_the_local_adapter_computes(form: str) -> None:
    asked, as_text = (DRAWN.format(render=render) for render in FORMS[form])
    theirs, ours = ask_exactly(SERVED, asked), ask_exactly(LOCAL, as_text)
    assert not theirs.capabilities.prefixes
    np.testing.assert_allclose(np.log(theirs.raw), np.log(ours.raw), atol=1e-4)


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("served")
def test_exact_probabilities_lie_in_the_wilson_intervals_of_the_draws(form: str, restricted: bool) -> None:
    """19 intervals of 64 draws each.

    At 95 % no more miss than chance lets miss once in a thousand times; at a
    level raised for there being 19 of them, none does.
    """
    asked, as_text = (DRAWN.format(render=render) for render in FORMS[form])
    drawn, exact = ask_for_draws(SERVED, asked, restricted=restricted), ask_exactly(LOCAL, as_text)
    assert (drawn.draws == 64).all()
    if restricted:
        assert (drawn.trials == 64).all()
    else:  # a symbol of another family is in neither k nor n; most of them come before the context says which
        mass = np.exp(np.log(exact.raw) - np.log(exact.p))
        assert np.all(np.abs(drawn.trials - 64 * mass) <= 4.5 * np.sqrt(64 * mass * (1 - mass)) + 1)
    missed = outside_wilson(exact.p, drawn, confidence=0.95)
    assert missed.sum() <= stats.binom.ppf(0.999, missed.size, 0.05)
    assert not outside_wilson(exact.p, drawn, confidence=1 - 0.001 / missed.size).any()


@pytest.mark.usefixtures("served")
def test_a_symbol_that_the_server_would_cut_off_is_drawn_as_often_as_it_should() -> None:
    """A zero after many ones has less than 5 % of the probability of a one, and min_p, by this server's
    default 0.05, leaves such tokens out: none of 640 draws would be one."""
    drawn, exact = ask_for_draws(SERVED, RARE), ask_exactly(LOCAL, RARE)
    p = 1 - exact.p  # of a zero
    assert np.all((p > 0.01) & (p < 0.05 * exact.p))
    zeros = (drawn.trials - drawn.hits).sum()
    mean, variance = (drawn.trials * p).sum(), (drawn.trials * p * (1 - p)).sum()
    assert mean - 4.5 * np.sqrt(variance) > 0
    assert abs(zeros - mean) < 4.5 * np.sqrt(variance)


def test_the_doctor_says_what_llama_cpp_ignores(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with llama_cpp_server(gguf, n_ctx=512, slots=2) as url:
        monkeypatch.setenv("LLAMA_BASE_URL", url)
        result = CliRunner().invoke(cli, ["doctor", SERVED], catch_exceptions=False)
    assert result.exit_code == 0
    assert "echo is not honoured" in result.output
    assert "n is honoured up to 2" in result.output
    assert "a seed repeats them" in result.output
    assert "measured by next_token" in result.output
