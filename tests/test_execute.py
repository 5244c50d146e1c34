"""How a run ends, and what is refused before anything is asked."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.batches import Collected, Submitted
from harness.errors import SpecError
from harness.execute import BatchReport, Outcome, RunOptions, execute
from harness.runner import Tally
from harness.types import Failure
from tests.adapters.stub_server import Stub
from tests.synthetic import small_suite

MODEL = "mock/logistic?location=8&width=4"


def ended(tally: Tally, submitted: Submitted | None = None) -> int:
    reports = () if submitted is None else (BatchReport("m", Collected(), submitted),)
    return Outcome(Path("run"), tally, (), reports).exit_status


def test_each_end_has_its_status() -> None:
    refused = Submitted(problem=Failure("request", "no batch API here"))
    assert ended(Tally()) == 0
    assert (
        ended(Tally(failed={"server": 1}))
        == ended(Tally(), refused)
        == ended(Tally(stopped="refused", failed={"auth": 5}))
        == 3
    )
    assert ended(Tally(stopped="budget", batched=4)) == 4
    assert ended(Tally(batched=4, failed={"server": 1})) == 5
    assert ended(Tally(stopped="interrupted")) == 130


def test_a_batch_is_refused_before_any_model_is_asked_if_one_has_none(tmp_path: Path) -> None:
    options = RunOptions(models=(MODEL,), out=tmp_path / "run", batch=True)
    with pytest.raises(SpecError, match="has no batch API"):
        execute(small_suite(), options)
    assert not (tmp_path / "run").exists()


def test_a_dry_run_of_a_run_that_exists_asks_the_server_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions(models=("openai-api/stub/stub",), out=tmp_path / "run", limit=1)

    async def main() -> tuple[int, int, int]:
        async with Stub() as stub:
            monkeypatch.setenv("STUB_BASE_URL", stub.url)
            first = await asyncio.to_thread(execute, small_suite(), replace(options, dry_run=True))
            probed = len(stub.log)
            await asyncio.to_thread(execute, small_suite(), options)
            asked = len(stub.log)
            again = await asyncio.to_thread(execute, small_suite(), replace(options, dry_run=True))
            assert again.plans[0].capabilities.prefixes == first.plans[0].capabilities.prefixes
            return probed, asked, len(stub.log)

    probed, asked, after = asyncio.run(main())
    assert 0 < probed < asked == after
