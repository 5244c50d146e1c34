"""A third of all calls to Anthropic and Google go wrong: no answer is lost, none is made up, no failure is counted."""

import asyncio
import json
import random
import subprocess
import sys

import numpy as np
import pytest

from harness.adapters import anthropic, google
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, Reply
from tests.adapters.anthropic_stub import AnthropicStub
from tests.adapters.google_stub import GoogleStub
from tests.adapters.service_asking import CHAT, draw, no_sleep, open_model
from tests.adapters.service_stub import VOCABULARY, ServiceStub
from tests.adapters.stub_server import Fault, answer, cut_short, reset

POLICY = RetryPolicy(attempts=20, refusals=20, sleep=no_sleep)


def said(**changes: object) -> Fault:
    """An answer of Anthropic's with something wrong about it."""
    usage = {"input_tokens": 5, "output_tokens": 1}
    content = [{"type": "text", "text": "0"}]
    whole = {"type": "message", "content": content, "model": "c", "stop_reason": "end_turn", "usage": usage}
    return answer(200, json.dumps(whole | changes))


def generated(reason: str, text: str, **changes: object) -> Fault:
    """An answer of Google's with something wrong about it."""
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": reason}
    return answer(
        200, json.dumps({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 5}} | changes)
    )


PASSING = [
    answer(429, "{}", {"Retry-After": "0"}),
    answer(500, "{}"),
    answer(503, "<html>"),
    answer(529, "{}"),
    reset,
    cut_short,
    answer(
        200, '{"type": "error", "error": {"type": "overloaded_error", "code": 503, "message": "Overloaded"}}'
    ),
]
LASTING: dict[type[ServiceStub], dict[str, list[Fault]]] = {
    AnthropicStub: {
        "refused": [said(stop_reason="refusal")],
        "truncated": [said(content=[], stop_reason="max_tokens")],
        "overflow": [
            said(stop_reason="model_context_window_exceeded"),
            answer(400, '{"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}'),
        ],
        "malformed": [
            answer(200, "<html>"),
            answer(200, '{"type": "message", "content": [{"type": "text", "text": "0'),
            said(stop_reason="something new"),
            said(content="0"),
            said(content=[], usage={"input_tokens": 5, "output_tokens": 0}),
        ],
    },
    GoogleStub: {
        "filtered": [
            generated("SAFETY", "0"),
            generated("STOP", "0", promptFeedback={"blockReason": "OTHER"}),
        ],
        "truncated": [generated("MAX_TOKENS", "")],
        "overflow": [
            answer(
                400,
                '{"error": {"message": "The input token count (9) exceeds the maximum number of tokens"}}',
            )
        ],
        "malformed": [
            answer(200, "<html>"),
            answer(200, '{"candidates": [{"content": {"parts": [{"text": "0'),
            generated("SOMETHING_NEW", "0"),
            generated("STOP", ""),
            generated("STOP", "0", candidates=[]),
        ],
    },
}


@pytest.mark.parametrize("kind", LASTING)
def test_what_is_counted_is_what_was_answered(kind: type[ServiceStub]) -> None:
    rng, n = random.Random(7), 250
    lasting = [(name, fault) for name, faults in LASTING[kind].items() for fault in faults]
    stub, expected = kind(), dict.fromkeys(LASTING[kind], 0)
    counts = np.zeros(len(VOCABULARY))
    failed = dict.fromkeys(LASTING[kind], 0)

    async def main() -> None:
        async with stub:
            model = open_model(stub, policy=POLICY)
            await model.send([draw()])  # how this model wants to be asked is known from here on
            stub.given.clear()
            for _ in range(n):
                while rng.random() < 0.3:
                    stub.faults.append(rng.choice(PASSING))
                name, fault = rng.choice(lasting) if rng.random() < 0.2 else ("", None)
                stub.faults.append(fault)
                expected.update({name: expected[name] + 1} if name else {})
                await take((await model.send([draw()]))[0])
                assert not stub.faults, "every fault was met"
            await model.close()

    async def take(outcome: Reply | Failure) -> None:
        read = anthropic.read if kind is AnthropicStub else google.read
        response = outcome if isinstance(outcome, Failure) else read(draw(), outcome.raw)
        if isinstance(response, Failure):
            failed[response.kind] += 1
        else:
            assert response.counts is not None
            counts[:] += response.counts[0]

    asyncio.run(main())
    symbols = [*CHAT.surfaces, "x"]
    assert counts.tolist() == [stub.given.count(symbol) for symbol in symbols]
    assert failed == expected
    assert counts.sum() + sum(failed.values()) == n


@pytest.mark.parametrize("kind", LASTING)
def test_calls_made_together_before_the_manner_is_known_are_all_answered(kind: type[ServiceStub]) -> None:
    stub = kind(thinks="always")

    async def main() -> list[Reply | Failure]:
        async with stub:
            model = open_model(stub, policy=POLICY)
            got = await model.send([draw()] * 16)
            await model.close()
            return got

    for outcome in asyncio.run(main()):
        assert isinstance(outcome, Reply)
        assert outcome.hidden_tokens == 7
        assert outcome.doubtful == 1  # the answer that had no room to reason in was billed too


def test_opening_a_model_loads_no_client() -> None:
    code = (
        "import sys; from harness.adapters import anthropic, google; "
        "anthropic.open_model('m', environ={'ANTHROPIC_API_KEY': 'k'}); "
        "google.open_model('m', environ={'GEMINI_API_KEY': 'k'}); "
        "print([m for m in ('anthropic', 'google.genai', 'openai', 'aiohttp') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
