"""What a server's model list says of its context window."""

import json

from harness.adapters._calls import Calls
from harness.adapters._transport import HttpReply
from harness.types import Failure

_UNKNOWN = "its context window is not reported"


async def probe_window(calls: Calls) -> tuple[int | None, str] | Failure:
    """Return the prompt tokens accepted, None if unknown, and the sentence about it.

    Asked first and once: the Failure of a server that is down is returned
    without retries.
    """
    reply = await calls.endpoint.get("/models")
    if isinstance(reply, Failure) and reply.transient:
        return reply
    if not isinstance(reply, HttpReply) or reply.status != 200:
        return None, _UNKNOWN
    try:
        models = json.loads(reply.body)["data"]
        mine = next((m for m in models if m.get("id") == calls.model), models[0] if len(models) == 1 else {})
        window = _reported(mine)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        window = None
    if not isinstance(window, int) or window < 2:
        return None, _UNKNOWN
    return window - 1, f"its context window is {window} tokens"  # one is left for the answer


def _reported(entry: dict[str, object]) -> object:
    """Return the window in the spelling of llama.cpp, vLLM, OpenRouter and Together, or Mistral."""
    meta = entry.get("meta")
    in_meta = meta.get("n_ctx") if isinstance(meta, dict) else None
    names = ("max_model_len", "context_length", "max_context_length")
    return in_meta or next((entry[name] for name in names if entry.get(name)), None)
