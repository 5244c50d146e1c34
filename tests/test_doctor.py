"""`icl doctor` says what a model can measure, how, for how many tokens, and what it spent to find out."""

import asyncio
import io
import re

import pytest
from click.testing import CliRunner
from rich.console import Console

from harness.adapters import openai_api
from harness.adapters._retry import RetryPolicy
from harness.cli import cli
from harness.commands.doctor import print_examination
from harness.commands.possible_ways import measurable
from harness.expansion import expand
from harness.plan import plan_model
from harness.spec import SuiteSpec
from harness.suite_files import parse_suite
from harness.types import Capabilities
from tests.adapters import service_asking
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.stub_server import Stub
from tests.synthetic import SyntheticModel

SUITE = """\
name: small
seed: 1
models: []
tasks:
  - family: periodic
    params: {period: {sweep: [2, 3]}, symbols: binary}
    context_lengths: [0, 1, 2, 4, 8]
    sequences: 4
    samples: 8
    controls: [shuffle]
    render: {symbols: ["0", "1"], form: FORM}
budget: {prices: {"openai-api/stub/*": {input: 1, output: 10}}}
"""


def suite(form: str = "completion") -> SuiteSpec:
    return parse_suite(SUITE.replace("FORM", form), "small")


def examined(stub: Stub, spec: SuiteSpec) -> str:
    """What the doctor prints of a stub server."""
    out = io.StringIO()

    async def main() -> None:
        async with stub:
            policy = RetryPolicy(attempts=1)
            model = openai_api.open_model("stub/stub", environ={"STUB_BASE_URL": stub.url}, policy=policy)
            await print_examination(model, spec, Console(file=out, width=220))

    asyncio.run(main())
    return out.getvalue()


def columns(output: str, start: str) -> list[str]:
    """The cells of the first line that starts so."""
    line = next(line for line in output.splitlines() if line.startswith(start))
    return re.split(r"\s{2,}", line.strip())


def test_a_server_that_does_everything_is_shown_with_every_way_and_its_price() -> None:
    output = examined(Stub(), suite())
    assert "measured by prefixes: one request scores every context length" in output
    assert "suite small: 4 of 4 conditions can be measured" in output
    # 4 conditions x 4 sequences; 8 symbols at most a prompt, no token shorter than a byte, and 17 for the
    # target and what a server may put before a prompt
    assert columns(output, "one request scores every")[1:5] == [
        "16",
        f"at most {16 * (8 + 17)}",
        "16",
        "at most 0.0006 USD",
    ]
    # 0 + 1 + 2 + 4 + 8 symbols in five prompts a sequence
    tokens = f"{16 * (15 + 5 * 17):,}"
    assert columns(output, "one request per context length")[1:4] == ["80", f"at most {tokens}", "80"]
    assert columns(output, "64 draws per context length")[1:4] == ["80", f"at most {tokens}", "5,120"]
    assert columns(output, "16 draws")[-1] == "up to 0.125; up to 0.062 over 4 sequences"
    assert columns(output, "periodic, period 3, control shuffle")[1:3] == ["prefixes", "4"]


def test_draws_that_come_one_a_request_are_priced_so() -> None:
    output = examined(Stub(logprobs=False, n=1), suite())
    assert "measured by samples" in output
    assert "one request scores" not in output.partition("suite small")[2]
    assert columns(output, "16 draws")[1:4] == ["1,280", f"at most {16 * 16 * 100:,}", "1,280"]
    assert columns(output, "8 draws")[1] == "640"  # the suite's own number
    assert columns(output, "periodic, period 2 ")[1:3] == ["samples", "160"]


def test_what_it_spent_is_said_with_its_price() -> None:
    stub = Stub()
    output = examined(stub, suite())
    calls = sum(path.endswith("completions") for path, _, _ in stub.log)
    assert f"the probe took {calls} calls" in output
    assert re.search(r"finding this out took \d+ prompt and \d+ completion tokens: 0\.00\d\d USD", output)


def test_what_cannot_be_measured_is_named_with_its_reason() -> None:
    output = examined(Stub(merges=("01",), tokenize="llama.cpp"), suite())
    assert "suite small: 0 of 4 conditions can be measured" in output
    assert (
        "cannot be measured: periodic, period 2 and 3 more: openai-api/stub/stub: '0' is not one token"
        in output
    )


def test_a_model_that_answers_chats_alone_is_examined_in_chats() -> None:
    output = examined(Stub(completions=False), suite())
    assert "answers chats; completion prompts are not: HTTP 404" in output
    assert "set render: {form: chat} in the suite; examined here in that form" in output
    assert "suite small: 4 of 4 conditions can be measured" in output
    assert "measured by next_token" in output


def test_a_format_without_completions_is_examined_in_chats() -> None:
    out = io.StringIO()

    async def main() -> None:
        async with AnthropicStub() as stub:
            model = service_asking.open_model(stub)
            await print_examination(model, suite(), Console(file=out, width=220))

    asyncio.run(main())
    assert "examined here in that form" in out.getvalue()
    assert "suite small: 4 of 4 conditions can be measured" in out.getvalue()


def test_a_price_that_is_not_known_is_said_to_be() -> None:
    free_of_prices = suite().model_copy(update={"budget": suite().budget.model_copy(update={"prices": {}})})
    output = examined(Stub(), free_of_prices)
    assert 'no price is known: give it under budget: {prices: {"openai-api/stub/stub"' in output
    assert columns(output, "one request per context length")[4] == "price unknown"


@pytest.mark.parametrize("way", ["prefixes", "next_token", "samples"])
def test_the_numbers_are_those_of_the_plan_of_a_run(way: str) -> None:
    exact = way != "samples"
    capabilities = Capabilities(way == "prefixes", 5 * exact, False, 3, True, None, hidden_tokens=7)
    conditions, model = expand(suite()), SyntheticModel()
    found, _ = measurable(model, capabilities, conditions)
    plan = plan_model(model, capabilities, conditions, None)
    for one, item in zip(found, plan.items, strict=True):
        effort = one.by_way[item.way] if exact else one.by_draws(8, 3)
        assert effort.requests == item.requests
        assert (effort.tokens.prompt, effort.tokens.completion) == (
            item.prompt_tokens,
            item.completion_tokens,
        )


def test_a_mock_is_examined_like_any_model() -> None:
    result = CliRunner().invoke(cli, ["doctor", "mock/step?ways=samples"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "measured by samples" in result.output
    assert "free" in result.output
