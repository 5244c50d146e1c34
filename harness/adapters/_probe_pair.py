"""Comparing a chat with the same text as a completion: templates drop and add tokens without a word.

And a completion with its own text: Ollama's /v1/completions puts the model's chat template around it
(github.com/ollama/ollama/issues/12636).
"""

import numpy as np

from harness.adapters._probe_record import Record
from harness.adapters._reading import read_reply
from harness.types import Failure, Floats, Prompt, Reply, Request

_SPECIAL = 4  # tokens that servers put around a text of their own: its beginning, perhaps its end and a blank
_SAME = 1e-3  # nat; servers repeat a log-probability to about this


async def probe_pair(record: Record, prompt: Prompt, reply: Reply | None, top: int) -> str | None:
    """Return the sentence about a chat prompt beside its text as a completion, or about a completion that is none.

    `reply` is the next-token reply after four symbols. None where one of the
    two is not answered, its tokens are not counted, or nothing is to be said.
    """
    if reply is None:
        return None
    if prompt.form == "completion":
        return wrapped(prompt.text(4), reply)
    if prompt.form != "chat":
        return None
    raw = Prompt(prompt.header, prompt.surfaces, prompt.between, prompt.symbols)
    other = await record.send(Request("next_token", raw, (4,), top_logprobs=top))
    if isinstance(other, Failure) or reply.prompt_tokens is None or other.prompt_tokens is None:
        return None
    laws = [_law(Request("next_token", p, (4,)), r) for p, r in ((prompt, reply), (raw, other))]
    apart = _apart(*laws)
    more = reply.prompt_tokens - other.prompt_tokens
    if more < 0:
        return (
            f"a chat drops the first token: it has {reply.prompt_tokens} prompt tokens where the same text as a "
            f"completion has {other.prompt_tokens}{apart}; completions are what the model was made to read"
        )
    if more == 0:
        return f"a chat has as many prompt tokens as its text alone: the server has no chat template{apart}"
    return f"the chat template adds {more} tokens to a message"


def wrapped(text: str, reply: Reply) -> str | None:
    """Return the sentence about a completion that has more tokens than bytes, which no text alone can have."""
    length = len(text.encode())
    if reply.prompt_tokens is None or reply.prompt_tokens <= length + _SPECIAL:
        return None
    return (
        f"a completion of {length} bytes has {reply.prompt_tokens} prompt tokens: the server puts a template around "
        "it, so that what is measured is a chat"
    )


def _law(request: Request, reply: Reply) -> Floats | None:
    response = read_reply(request, reply.raw)
    return None if isinstance(response, Failure) else response.logprob


def _apart(chat: Floats | None, raw: Floats | None) -> str:
    if chat is None or raw is None:
        return ""
    both = np.isfinite(chat) & np.isfinite(raw)
    most = float(np.abs(chat - raw)[both].max(initial=0.0))
    return (
        f", and its symbols differ by up to {most:.3f} nat" if most > _SAME else ", and its law is the same"
    )
