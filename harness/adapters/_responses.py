"""The Responses API of OpenAI, for models that answer only there: the request, and its reply as a choice.

It has no n, no seed and no bias, and its limit is 16 tokens at least, so where
one symbol is wanted the first token of the answer is read and the rest is paid
for and dropped.
Source: openai 3.54.0, types/responses.
"""

from harness.adapters._dialect import Dialect
from harness.adapters._transport import Json
from harness.adapters._wire import Choice, Item, Logprobs, Message, Payload
from harness.types import Failure, Request

PATH = "/responses"
LEAST_TOKENS = 16  # "integer below minimum value. Expected a value >= 16"
_REASONS = {"max_output_tokens": "length"}  # the others are named as chats name them


def responses_body(request: Request, model: str, dialect: Dialect) -> Json | Failure:
    """Return the JSON to send, or why this route cannot be asked that."""
    if request.prompt.form != "chat":
        return Failure("request", f"the Responses API does not answer {request.prompt.form} prompts")
    if request.n > 1:
        return Failure("request", f"the Responses API has no n: one draw a request, not {request.n}")
    if request.restricted:
        return Failure("request", "the Responses API has no logit_bias: draws cannot be restricted")
    body: dict[str, object] = {
        "model": model,
        "input": request.prompt.text(request.context_lengths[0]),
        "max_output_tokens": dialect.limit_of(request),
        "store": False,
        "truncation": "disabled",  # a context that is too long is refused, never cut
        **dialect.flat(),
        **dialect.fixed,
    }
    if dialect.reasoning_effort:
        body["reasoning"] = {"effort": dialect.reasoning_effort}
    if request.way == "next_token":
        body |= {"include": ["message.output_text.logprobs"], "top_logprobs": request.top_logprobs}
    return body


def as_choice(payload: Payload) -> Choice:
    """Return the output as the one choice of a chat that says the same; reasoning items count as thought."""
    items = payload.output or []
    parts = [part for item in items if item.type == "message" for part in item.content or []]
    texts = [part.text or "" for part in parts if part.type == "output_text"]
    logprobs = [token for part in parts for token in part.logprobs or []]
    refusals = [part.refusal for part in parts if part.refusal]
    reason = payload.incomplete_details.reason if payload.incomplete_details else None
    return Choice(
        message=Message(
            content="".join(texts),
            refusal=" ".join(refusals) or None,
            reasoning="reasoning" if any(map(_reasoned, items)) else None,
        ),
        logprobs=Logprobs(content=logprobs) if logprobs else None,
        finish_reason=_REASONS.get(reason, reason) if reason else "stop" if parts else None,
    )


def _reasoned(item: Item) -> bool:
    return item.type == "reasoning"
