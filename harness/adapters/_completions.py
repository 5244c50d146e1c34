"""The legacy completions request: text in, echoed where every context length is scored at once."""

from harness.adapters._dialect import Dialect
from harness.adapters._echo import echoed_text
from harness.adapters._transport import Json
from harness.types import Request

PATH = "/completions"


def completion_body(request: Request, model: str, dialect: Dialect) -> Json:
    """Return the JSON to send.

    `max_tokens` is 1 and never 0, which servers take for 1, for no limit or for an error.
    """
    body: dict[str, object] = {"model": model, "max_tokens": 1, "temperature": 1}
    match request.way:
        case "prefixes":
            # The token generated after the echo is dropped when the reply is read.
            return body | {"prompt": echoed_text(request), "echo": True, "logprobs": request.top_logprobs}
        case "next_token":
            return body | {"prompt": _context(request), "logprobs": request.top_logprobs}
        case "samples":
            return body | {"prompt": _context(request), "n": request.n} | dialect.sampling(request.seed)


def _context(request: Request) -> str:
    return request.prompt.text(request.context_lengths[0])
