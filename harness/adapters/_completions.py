"""The legacy completions request: text in, scored as a whole where every context length is asked for at once."""

from harness.adapters._chat import UNBIASED
from harness.adapters._dialect import Dialect
from harness.adapters._echo import echoed_text
from harness.adapters._transport import Json
from harness.types import Failure, Request

PATH = "/completions"


def completion_body(request: Request, model: str, dialect: Dialect) -> Json | Failure:
    """Return the JSON to send, or why it cannot be asked.

    `max_tokens` is 1 unless a text is wanted, and never 0, which servers take
    for 1, for no limit or for an error; the token generated after a scored
    prompt is dropped when the reply is read.
    """
    body: dict[str, object] = {"model": model, "max_tokens": request.text_tokens}
    body |= {**dialect.flat(), **dialect.fixed}
    match request.way:
        case "prefixes":
            return body | {"prompt": echoed_text(request)} | _scoring(request.top_logprobs, dialect)
        case "next_token":
            return body | {"prompt": _context(request), "logprobs": request.top_logprobs}
        case "samples" | "generation":
            only = dialect.biased(request.prompt.surfaces) if request.restricted else {}
            if only is None:
                return UNBIASED
            return (
                body | {"prompt": _context(request), "n": request.n} | dialect.sampling(request.seed) | only
            )


def _scoring(top_logprobs: int, dialect: Dialect) -> dict[str, object]:
    if dialect.scoring == "echo":
        return {"echo": True, "logprobs": top_logprobs}
    # Without the ids the reply does not say which of the tokens listed stands in the prompt.
    return {"prompt_logprobs": top_logprobs, "return_token_ids": True}


def _context(request: Request) -> str:
    return request.prompt.text(request.context_lengths[0])
