"""A small suite is run against the stubs of Anthropic and Google, from the probe to stored counts."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.execute import Outcome, RunOptions, execute
from harness.spec import SuiteSpec
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.google_stub import GoogleStub
from tests.adapters.service_stub import ServiceStub

RENDER: dict[str, dict[str, Any]] = {
    "chat": {"separator": ",", "form": "chat", "template": "Next?\n{sequence}"},
    "prefill": {"separator": ", ", "form": "prefill", "instruction": "Toss a coin."},
}
STUBS: dict[str, Callable[[], ServiceStub]] = {
    "anthropic/c": AnthropicStub,
    "anthropic/c?hidden_tokens=64": lambda: AnthropicStub(thinks="always", refuse=("temperature",)),
    "google/g": GoogleStub,
    "google/g?hidden_tokens=64": lambda: GoogleStub(thinks="always"),
}
EXACT = {"google/exact": lambda: GoogleStub(logprobs=20)}


def suite(model: str, form: str) -> SuiteSpec:
    task = {
        "family": "bernoulli",
        "context_lengths": [0, 1, 2, 5],
        "sequences": 3,
        "samples": 4,
        "render": {"symbols": ["0", "1"], **RENDER[form]},
    }
    return SuiteSpec.model_validate({"name": "small", "seed": 1, "models": [model], "tasks": [task]})


def run(
    stub: ServiceStub, spec: SuiteSpec, out: Path, monkeypatch: pytest.MonkeyPatch, *batch: bool
) -> list[tuple[Outcome, int]]:
    """Run once for every entry of `batch`; return the outcomes, each with the answers asked for so far."""

    async def main() -> list[tuple[Outcome, int]]:
        async with stub:
            for service in ("ANTHROPIC", "GOOGLE"):
                monkeypatch.setenv(f"{service}_BASE_URL", stub.url)
                monkeypatch.setenv(f"{service}_API_KEY", "key-of-the-test")
            done = []
            for one in batch:
                outcome = await asyncio.to_thread(execute, spec, RunOptions(out=out, batch=one))
                done.append((outcome, len(stub.sent)))
            return done

    return asyncio.run(main())


@pytest.mark.parametrize("form", RENDER)
@pytest.mark.parametrize("model", [*STUBS, *EXACT])
def test_a_run_ends_without_failures_and_the_same_command_asks_nothing_again(
    model: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = (STUBS | EXACT)[model]()
    (first, asked), (second, asked_again) = run(stub, suite(model, form), tmp_path, monkeypatch, False, False)
    for outcome in (first, second):
        assert (outcome.exit_status, outcome.tally.failed) == (0, {})
    assert first.tally.answered == first.tally.total == second.tally.stored
    assert asked_again == asked
    (plan,) = first.plans
    assert {item.way for item in plan.items} == {"next_token" if model in EXACT else "samples"}


@pytest.mark.parametrize("model", ["anthropic/c", "google/g", "google/exact"])
def test_a_run_in_batches_is_handed_in_and_collected_later(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = (STUBS | EXACT)[model]()
    (first, asked), (second, asked_again) = run(stub, suite(model, "chat"), tmp_path, monkeypatch, True, True)
    assert first.exit_status == 5
    assert (
        first.tally.batched == first.tally.total - 1
    )  # one is asked directly, to see that the model answers
    assert (second.exit_status, second.tally.failed) == (0, {})
    assert asked_again == asked
