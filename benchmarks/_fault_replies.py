"""The bytes that the fault campaign's stub answers with: a right reply, and what each fault makes of it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks._fault_kinds import Kind, Way
from benchmarks._fault_law import TOKENS, chat_logprobs, draws, logprobs, uniform

Reply = dict[str, object]
SORRY = "I'm sorry, but I can't help with that."
_STATUS = {"429": 429, "429 with Retry-After": 429, "500": 500, "502": 502, "503": 503, "529": 529}
_MESSAGES = {
    429: "Rate limit reached for requests",
    500: "The server had an error while processing your request",
    502: "Bad gateway",
    503: "The engine is currently overloaded, please try again later",
    529: "Overloaded",
}
_OVERFLOW = (
    "This model's maximum context length is 64 tokens, however you requested more. Please reduce the length"
)


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for, in the terms of the stub."""

    way: Way
    model: str
    text: str
    n: int
    seed: int
    top: int | None  # log-probabilities asked for, None if not
    echo: bool
    length: int  # tokens to generate

    @property
    def content(self) -> str:
        """The identity of the call: equal for the same call asked again, by whatever process."""
        return f"{self.model}|{self.n}|{self.seed if self.way == 'draw' else ''}|{self.text}"


def read_call(body: Mapping[str, object], *, chat: bool) -> Call:
    """Return the call that the JSON of a request makes."""
    model = str(body["model"])
    messages = body.get("messages")
    text = str(messages[-1]["content"]) if isinstance(messages, list) else str(body["prompt"])
    top = body.get("top_logprobs") if chat else body.get("logprobs")
    ways: dict[str, Way] = {"echo": "echo", "draw": "draw"}
    return Call(
        way="chat" if chat and model != "draw" else ways.get(model, "top"),
        model=model,
        text=text,
        n=_whole(body.get("n"), 1),
        seed=_whole(body.get("seed"), 0),
        top=_whole(top, 0) if top is not None and model != "draw" else None,
        echo=bool(body.get("echo")) and model == "echo",
        length=_whole(body.get("max_tokens") or body.get("max_completion_tokens"), 1),
    )


def right_reply(call: Call, *, chat: bool, serial: int) -> Reply:
    """Return the reply that a sound server gives; no two have the same serial number."""
    texts = draws(call.text, call.n, call.seed, call.length)
    choices = [_choice(call, i, text, chat=chat) for i, text in enumerate(texts)]
    identity = f"{serial:06d}{uniform('id', serial):.17f}".replace(".", "")
    usage = {"prompt_tokens": len(call.text), "completion_tokens": sum(map(len, texts))}
    usage["total_tokens"] = sum(usage.values())
    return {
        "id": f"{'chatcmpl' if chat else 'cmpl'}-{identity}",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1_700_000_000,
        "model": f"{call.model}-1",
        "choices": choices,
        "usage": usage,
    }


def spoilt(kind: Kind, call: Call, reply: Reply, *, chat: bool) -> Reply | bytes:
    """Return what a fault that answers with HTTP 200 makes of the right reply."""
    choices = reply["choices"]
    assert isinstance(choices, list)
    match kind.name:
        case "truncated JSON":
            return json.dumps(reply).encode()[: len(json.dumps(reply)) // 2]
        case "wrong JSON":
            return b'{"status": "ok", "result": ["0", "1"]}'
        case "missing logprobs":
            return reply | {"choices": [c | {"logprobs": None} for c in choices]}
        case "fewer choices":
            return reply | {"choices": choices[:-1]}
        case "a choice twice":
            return reply | {"choices": [*choices[:-1], choices[0]] if len(choices) > 1 else choices * 2}
        case "changed model id":
            return reply | {"model": f"{call.model}-2"}
        case "content filter":
            return reply | {"choices": [c | {"finish_reason": "content_filter"} for c in choices]}
        case "NaN":
            return reply | {"choices": [c | {"logprobs": _with_nan(c["logprobs"])} for c in choices]}
        case "empty text" | "empty text drawn":
            return reply | {"choices": [_saying(c, "", None, chat=chat) for c in choices]}
        case "refusal" | "refusal drawn":
            return reply | {"choices": [_saying(c, SORRY, SORRY, chat=chat) for c in choices]}
    return reply


def status_of(kind: Kind) -> tuple[int, dict[str, str], bytes] | None:
    """Return status, headers and body of a fault that answers with an HTTP error, None for any other."""
    if kind.name == "context-length 400":
        return 400, {}, _error("invalid_request_error", _OVERFLOW)
    status = 429 if kind.name == "throttled" else _STATUS.get(kind.name)
    if status is None:
        return None
    headers = {"Retry-After": "1"} if kind.name in ("429 with Retry-After", "throttled") else {}
    return status, headers, _error("server_error" if status >= 500 else "requests", _MESSAGES[status])


def billed_tokens(call: Call) -> tuple[int, int]:
    """Return the prompt and completion tokens that an answer to this call is charged for."""
    return len(call.text), call.n * call.length


def _choice(call: Call, index: int, text: str, *, chat: bool) -> Reply:
    scored: object = None
    if call.top is not None:
        asked = max(1, min(call.top, len(TOKENS)))
        scored = (
            chat_logprobs(call.text, text, asked)
            if chat
            else logprobs(call.text, text, asked, echo=call.echo)
        )
    said: Reply = (
        {"message": {"role": "assistant", "content": text, "refusal": None}}
        if chat
        else {"text": call.text + text if call.echo else text}
    )
    return {"index": index, **said, "logprobs": scored, "finish_reason": "length"}


def _saying(choice: Reply, text: str, refusal: str | None, *, chat: bool) -> Reply:
    """Return a choice whose answer is another text, with the log-probabilities that go with it."""
    if chat and refusal:
        # The log-probabilities stay: a reader that looks at them alone scores the refusal.
        message = {"role": "assistant", "content": None, "refusal": refusal}
        return choice | {"message": message, "finish_reason": "stop"}
    said: Reply = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return choice | said | {"logprobs": _of_other_text(text, chat=chat), "finish_reason": "stop"}


def _of_other_text(text: str, *, chat: bool) -> Reply | None:
    if not text:
        return {"content": []} if chat else {"tokens": [], "token_logprobs": [], "top_logprobs": []}
    # A refusal in words: none of the symbols is among the tokens reported.
    first, top = text.split()[0], {text.split()[0]: -0.01, "Sorry": -5.0}
    if chat:
        return {"content": [{"token": first, "logprob": -0.01, "top_logprobs": []}]}
    return {"tokens": [first], "token_logprobs": [-0.01], "top_logprobs": [top], "text_offset": [0]}


def _with_nan(scored: object) -> object:
    """Return log-probabilities with every number of the last token NaN."""
    if not isinstance(scored, dict):
        return scored  # a server that reports no numbers cannot report NaN
    if "content" in scored:
        best = [entry | {"logprob": math.nan} for entry in scored["content"][0]["top_logprobs"]]
        return {"content": [scored["content"][0] | {"logprob": math.nan, "top_logprobs": best}]}
    middle = len(scored["tokens"]) // 2
    own, tops = list(scored["token_logprobs"]), list(scored["top_logprobs"])
    own[middle], tops[middle] = math.nan, dict.fromkeys(tops[middle], math.nan)
    return scored | {"token_logprobs": own, "top_logprobs": tops}


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "code": None}}).encode()


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
