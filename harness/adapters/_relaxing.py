"""What to say otherwise when a service refuses a request: read from its words, since names of models tell nothing.

Each change is one that leaves the question as it is: a field under another
name, another route, a value left out that is the service's own anyway, or room
for tokens that are not shown. Messages as the services write them stand in the
tests.
"""

import re
from dataclasses import replace

from harness.adapters._dialect import Dialect
from harness.adapters._responses import LEAST_TOKENS
from harness.adapters._transport import HttpReply
from harness.types import Failure

_RESPONSES_ONLY = re.compile(r"v1/responses", re.IGNORECASE)
_NO_ROOM = re.compile(r"could not finish the message because max_tokens", re.IGNORECASE)
_LEAST = re.compile(r"max_\w*tokens\W.*(below minimum|>= ?16\b|at least 16\b)", re.IGNORECASE)
_LIMIT = re.compile(r"max_tokens|max_completion_tokens")
_NO_TEMPERATURE = re.compile(r"\b(temperature|top_p)\b", re.IGNORECASE)
# OpenRouter's, where no provider takes all fields; it does not say which one was too many.
_NO_PROVIDER = re.compile(r"no endpoints found that can handle the requested parameters", re.IGNORECASE)


def relaxed(dialect: Dialect, refusal: str, room: int) -> Dialect | None:
    """Return the dialect to try after a refusal in these words, None if they name nothing to change.

    `room` is the number of tokens that may be spent on hidden reasoning, 0 for
    none.
    """
    if _RESPONSES_ONLY.search(refusal) and dialect.route == "chat":
        return replace(dialect, route="responses", answer_tokens=LEAST_TOKENS)
    if _NO_ROOM.search(refusal):
        return replace(dialect, hidden_tokens=room) if room and not dialect.hidden_tokens else None
    if _LEAST.search(refusal):
        return replace(dialect, answer_tokens=LEAST_TOKENS) if dialect.limit < LEAST_TOKENS else None
    if dialect.chat_limit in _LIMIT.findall(refusal):
        if dialect.chat_limit == "max_tokens":
            return replace(dialect, chat_limit="max_completion_tokens")
        return replace(dialect, chat_limit="max_tokens")
    if _NO_TEMPERATURE.search(refusal) and dialect.temperature:
        return replace(dialect, temperature=False)
    unknown = [name for name, _ in dialect.untruncated if name != "top_k" and name in refusal]
    # A server that does not know a truncation does not truncate by it; top_k has other values to be tried.
    return replace(dialect, omitted=(*dialect.omitted, *unknown)) if unknown else None


def last_resort(dialect: Dialect, outcome: HttpReply | Failure) -> Dialect | None:
    """Return the dialect to try where a request is refused with every optional field left out."""
    if isinstance(outcome, Failure) and _NO_PROVIDER.search(outcome.detail) and dialect.temperature:
        return replace(dialect, temperature=False)
    return None
