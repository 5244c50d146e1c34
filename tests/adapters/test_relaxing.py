"""What is said otherwise after a refusal: read from the words in which services refuse."""

from dataclasses import replace

import pytest

from harness.adapters._dialect import Dialect
from harness.adapters._relaxing import last_resort, relaxed
from harness.types import Failure
from tests.adapters.openai_service import FIXED_TEMPERATURE, NO_ROOM, OTHER_LIMIT, RESPONSES_ONLY, TOO_FEW

PLAIN = Dialect()
OPENAI = Dialect(chat_limit="max_completion_tokens")
LEAST = TOO_FEW.format(1)
BEHIND = f'Provider returned error: {{\n  "error": {{\n    "message": "{LEAST}"'


@pytest.mark.parametrize(
    ("known", "words", "expected"),
    [
        (OPENAI, RESPONSES_ONLY, replace(OPENAI, route="responses", answer_tokens=16)),
        (OPENAI, NO_ROOM, replace(OPENAI, hidden_tokens=512)),
        (OPENAI, FIXED_TEMPERATURE, replace(OPENAI, temperature=False)),
        (
            OPENAI,
            "Unsupported parameter: 'top_p' is not supported with this model.",
            replace(OPENAI, temperature=False),
        ),
        (PLAIN, OTHER_LIMIT, OPENAI),
        (OPENAI, "body.max_completion_tokens: Extra inputs are not permitted", PLAIN),
        (PLAIN, LEAST, replace(PLAIN, answer_tokens=16)),
        (
            replace(PLAIN, untruncated=(("top_k", 0), ("min_p", 0))),
            "Unrecognized request argument supplied: min_p",
            replace(PLAIN, untruncated=(("top_k", 0), ("min_p", 0)), omitted=("min_p",)),
        ),
        (PLAIN, BEHIND, replace(PLAIN, answer_tokens=16)),
    ],
)
def test_a_refusal_that_names_its_reason_is_met(known: Dialect, words: str, expected: Dialect) -> None:
    assert relaxed(known, words, 512) == expected


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (replace(PLAIN, route="responses"), RESPONSES_ONLY),
        (replace(PLAIN, hidden_tokens=512), NO_ROOM),
        (replace(PLAIN, temperature=False), FIXED_TEMPERATURE),
        (replace(PLAIN, answer_tokens=16), LEAST),
        (PLAIN, "The model `gpt-9` does not exist or you do not have access to it."),
        (PLAIN, "Unrecognized request argument supplied: min_p"),  # not sent
        (replace(PLAIN, untruncated=(("top_k", 0),)), "top_k must be -1 (disable), or at least 1, got 0"),
        (PLAIN, "n must be at most 2"),
        (PLAIN, ""),
    ],
)
def test_a_refusal_that_stays_or_names_nothing_stands(known: Dialect, words: str) -> None:
    assert relaxed(known, words, 512) is None


def test_no_room_is_made_where_none_is_given() -> None:
    assert relaxed(OPENAI, NO_ROOM, 0) is None


def test_the_last_resort_is_for_a_router_that_does_not_say_which_field_was_too_many() -> None:
    words = "HTTP 404: No endpoints found that can handle the requested parameters. To learn more ..."
    refusal = Failure("request", words)
    assert last_resort(PLAIN, refusal) == replace(PLAIN, temperature=False)
    assert last_resort(replace(PLAIN, temperature=False), refusal) is None
    assert last_resort(PLAIN, Failure("request", "HTTP 404: no such model")) is None
