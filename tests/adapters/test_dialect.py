"""What is sent: each dialect's own fields, and a refusal in place of a request that would ask something else."""

from dataclasses import replace
from typing import Any

import pytest

from harness.adapters._chat import chat_body
from harness.adapters._dialect import BIAS, Dialect, spread_seed, variants
from harness.adapters._responses import responses_body
from harness.adapters._usage import Usage
from harness.types import Failure, Prompt, Request, Way

CHAT = Prompt("", (" H", " T"), "", (0, 1, 0), "chat")
BEGUN = replace(CHAT, form="prefill", instruction="Write the next outcome.")
BIASED = Dialect(bias=((" H", 7), (" T", 9), (" X", 11)))


def body(request: Request, dialect: Dialect) -> dict[str, Any]:
    found = chat_body(request, "m", dialect)
    assert not isinstance(found, Failure), found
    return dict(found)


def test_a_begun_answer_is_marked_as_the_dialect_says() -> None:
    request = Request("samples", BEGUN, (2,), n=1)
    asked = [{"role": "user", "content": "Write the next outcome."}]
    last = {"role": "assistant", "content": " H T"}
    plain, prefix, goes_on = (
        body(request, Dialect(begun=begun)) for begun in ("message", "prefix", "continue")
    )
    assert plain["messages"] == goes_on["messages"] == [*asked, last]
    assert prefix["messages"] == [*asked, {**last, "prefix": True}]
    assert (goes_on["continue_final_message"], goes_on["add_generation_prompt"]) == (True, False)
    assert not {"continue_final_message", "add_generation_prompt"} & (plain.keys() | prefix.keys())


def test_draws_are_restricted_to_the_symbols_of_their_prompt_or_not_asked_for() -> None:
    request = Request("samples", CHAT, (1,), n=2, restricted=True)
    assert body(request, BIASED)["logit_bias"] == {"7": BIAS, "9": BIAS}
    refused = chat_body(request, "m", replace(BIASED, bias=((" H", 7),)))
    assert isinstance(refused, Failure)
    assert "draws cannot be restricted" in refused.detail
    assert "logit_bias" not in body(replace(request, restricted=False), BIASED)


@pytest.mark.parametrize("prompt", [CHAT, BEGUN])
def test_a_chat_is_never_asked_for_an_echo(prompt: Prompt) -> None:
    refused = chat_body(Request("prefixes", prompt, (0, 1), top_logprobs=5), "m", Dialect())
    assert isinstance(refused, Failure)
    assert refused.kind == "request"


@pytest.mark.parametrize("way", ["next_token", "samples"])
def test_fixed_fields_room_and_effort_go_with_every_chat(way: Way) -> None:
    dialect = Dialect(fixed={"plugins": []}, hidden_tokens=100, reasoning_effort="low")
    sent = body(Request(way, CHAT, (1,), top_logprobs=5, n=1), dialect)
    assert (sent["plugins"], sent["max_tokens"], sent["reasoning_effort"]) == ([], 101, "low")
    assert sent["temperature"] == 1


def test_the_seed_goes_under_the_name_of_the_service_and_is_the_same() -> None:
    request = Request("samples", CHAT, (1,), n=1, seed=5)
    assert body(request, Dialect())["seed"] == spread_seed(5)
    assert body(request, Dialect(seed_field="random_seed"))["random_seed"] == spread_seed(5)
    assert not {"seed", "random_seed"} & body(request, Dialect(seed=False)).keys()


def test_what_an_established_dialect_says_survives_its_variants() -> None:
    known = Dialect(temperature=False, hidden_tokens=9, route="responses", fixed={"a": 1}, begun="continue")
    for variant in variants(known, strict=False):
        assert replace(variant, untruncated=known.untruncated, seed=known.seed) == known


def test_a_response_is_asked_for_room_and_its_effort_in_its_own_words() -> None:
    dialect = Dialect(answer_tokens=16, hidden_tokens=100, reasoning_effort="high", temperature=False)
    sent = responses_body(Request("samples", CHAT, (2,), n=1, seed=3), "m", dialect)
    assert sent == {
        "model": "m",
        "input": " H T",
        "max_output_tokens": 116,
        "store": False,
        "truncation": "disabled",
        "reasoning": {"effort": "high"},
    }


@pytest.mark.parametrize(
    ("usage", "completed", "hidden", "cached"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, 7, 0, 0),
        ({"input_tokens": 5, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 4}}, 7, 4, 0),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 12,
                "completion_tokens_details": {"reasoning_tokens": 4},
                "prompt_tokens_details": {"cached_tokens": 3},
            },
            7,
            4,
            3,
        ),
        (  # xAI counts reasoning apart: the total is larger than the two together
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 16,
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            11,
            4,
            0,
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_cache_hit_tokens": 2}, 7, 0, 2),
        ({"prompt_tokens": 5, "completion_tokens": 7, "cached_tokens": 2, "reasoning_tokens": 1}, 7, 1, 2),
        ({"prompt_tokens": None, "completion_tokens": 7.0, "prompt_tokens_details": None}, 7, 0, 0),
        ({}, None, 0, 0),
    ],
)
def test_tokens_are_counted_in_every_spelling(
    usage: dict[str, Any], completed: int | None, hidden: int, cached: int
) -> None:
    found = Usage.model_validate(usage)
    assert (found.completed, found.hidden, found.cached) == (completed, hidden, cached)
