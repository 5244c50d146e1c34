"""The chat request: the context is a user message, or an answer begun, and the next token is the next symbol."""

from harness.adapters._dialect import Dialect
from harness.adapters._transport import Json
from harness.types import Failure, Prompt, Request

PATH = "/chat/completions"
UNBIASED = Failure(
    "request", "draws cannot be restricted to the symbols: their tokens are not known by id; probe first"
)


def chat_body(request: Request, model: str, dialect: Dialect) -> Json | Failure:
    """Return the JSON to send, or why a chat cannot be asked that: it has no echo."""
    if request.way == "prefixes":
        return Failure(
            "request", f"a {request.prompt.form} prompt cannot be echoed; measure it by next_token"
        )
    n, prompt = request.context_lengths[0], request.prompt
    body: dict[str, object] = {
        "model": model,
        "messages": _messages(prompt, n, dialect),
        dialect.chat_limit: dialect.limit_of(request),
        **dialect.effort(),
        **dialect.fixed,
    }
    if dialect.temperature:
        body["temperature"] = 1
    if prompt.form == "prefill" and dialect.begun == "continue":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    if request.way == "next_token":
        return body | _logprobs(request.top_logprobs, dialect)
    only = dialect.biased(prompt.surfaces) if request.restricted else {}
    if only is None:
        return UNBIASED
    return body | {"n": request.n} | dialect.sampling(request.seed) | only


def _messages(prompt: Prompt, n: int, dialect: Dialect) -> list[dict[str, object]]:
    text = prompt.text(n)
    if prompt.form == "chat":
        return [{"role": "user", "content": text}]
    asked: dict[str, object] = {"role": "user", "content": prompt.instruction}
    begun: dict[str, object] = {"role": "assistant", "content": text}
    return [asked, begun | {"prefix": True} if dialect.begun == "prefix" else begun]


def _logprobs(top: int, dialect: Dialect) -> dict[str, object]:
    if dialect.chat_logprobs == "count":
        return {"logprobs": top}
    return {"logprobs": True, "top_logprobs": top}
