"""A completion that a server wraps in a template is told by its tokens."""

import pytest

from harness.adapters._probe_pair import wrapped
from harness.types import Reply


def reply(prompt_tokens: int | None) -> Reply:
    return Reply(b"{}", prompt_tokens, 1, "m", 1, 0.0)


@pytest.mark.parametrize("tokens", [None, 1, 4, 5, 6, 8])
def test_a_text_has_at_most_a_token_a_byte_and_what_marks_its_ends(tokens: int | None) -> None:
    assert wrapped("0110", reply(tokens)) is None


def test_a_completion_with_more_tokens_than_bytes_is_said_to_be_wrapped() -> None:
    """As Ollama's are: "<|user|>", a line break, the text, "<|end|>", a line break and so on."""
    finding = wrapped("0110", reply(15))
    assert finding is not None
    assert "a completion of 4 bytes has 15 prompt tokens" in finding
