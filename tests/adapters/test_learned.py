"""What a probe taught about a server is known again by another process, without asking."""

import asyncio
import json

import pytest

from harness.adapters._compatible import CompatibleModel
from harness.adapters.openai_api import open_model
from harness.errors import SpecError
from harness.types import Learner, Prompt, Reply, Request
from tests.adapters.probing import QUICK, bodies, probe
from tests.adapters.stub_server import Stub

PROMPT = Prompt("", ("0", "1"), "", (0, 1, 1))
BEGUN = Prompt("", ("0", "1"), "", (0, 1, 1), "prefill", "go on")
REQUESTS = (
    Request("prefixes", PROMPT, (0, 1, 2), top_logprobs=6),
    Request("samples", PROMPT, (2,), n=4, seed=3, restricted=True),
    Request("samples", BEGUN, (2,), n=4, seed=3),
)


def opened(url: str) -> CompatibleModel:
    model = open_model("stub/stub", environ={"STUB_BASE_URL": url}, policy=QUICK)
    assert isinstance(model, CompatibleModel)
    assert isinstance(model, Learner)
    return model


def test_a_resumed_run_asks_in_the_same_words() -> None:
    stub = Stub(
        echo=False, prompt_logprobs=True, tokenize="vllm", prefill="continue", refuse=("repeat_penalty",)
    )
    texts: list[str] = []

    async def use(model: CompatibleModel) -> None:
        assert all(isinstance(reply, Reply) for reply in await model.send(REQUESTS))
        texts.append(model.learned)

    async def resumed() -> None:
        async with stub:
            model = opened(stub.url)
            model.recall(texts[0])
            assert model.learned == texts[0]
            assert all(isinstance(reply, Reply) for reply in await model.send(REQUESTS))
            await model.close()

    probe(stub, "completion", "prefill", use=use)
    first = bodies(stub)[-len(REQUESTS) :]
    stub.log.clear()
    asyncio.run(resumed())
    assert len(bodies(stub)) == len(REQUESTS)  # nothing was tried and refused
    key = json.dumps
    assert sorted(map(key, bodies(stub))) == sorted(map(key, first))
    assert "prompt_logprobs" in texts[0]


@pytest.mark.parametrize("dialect", ['{"begun": "shouted"}', '{"bias": 3}', '{"volume": 11}', "["])
def test_what_another_version_learned_is_refused(dialect: str) -> None:
    """Asked in other words than before, the model could answer otherwise than the run's first half says."""
    model = opened("http://127.0.0.1:9/v1")
    with pytest.raises(SpecError, match="not describe a dialect of this version"):
        model.recall(json.dumps({"dialect": dialect, "forms": "chat"}))
    assert model.learned == ""
