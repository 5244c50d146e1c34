"""The chat request: the context is one user message and the answer's first token is the next symbol."""

from harness.adapters._dialect import Dialect
from harness.adapters._transport import Json
from harness.types import Request

PATH = "/chat/completions"


def chat_body(request: Request, model: str, dialect: Dialect) -> Json:
    """Return the JSON to send. A chat has no echo: way "prefixes" is refused by the model's check."""
    assert request.way != "prefixes", "checked before anything is sent"
    text = request.prompt.text(request.context_lengths[0])
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        dialect.chat_limit: 1,
        "temperature": 1,
    }
    if request.way == "next_token":
        return body | {"logprobs": True, "top_logprobs": request.top_logprobs}
    return body | {"n": request.n} | dialect.sampling(request.seed)
