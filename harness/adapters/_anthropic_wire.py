"""Anthropic's Messages format: requests written. Reading is in `_anthropic_reading`. Pure.

Sources: the types of the `anthropic` package 2.12.0 and the errors its users
report. The format has no log-probabilities, no n and no seed.
"""

from collections.abc import Sequence as Seq

from harness.adapters._anthropic_reading import answers, counted, judge, limited, listing, reported, spent
from harness.adapters._service_wire import Manner
from harness.adapters._transport import Json
from harness.types import Request

__all__ = [
    "MOST_LOGPROBS",
    "MOST_SAMPLES",
    "PATH",
    "VERSION",
    "about",
    "answers",
    "call",
    "count_call",
    "counted",
    "impossible",
    "judge",
    "limited",
    "listing",
    "manners",
    "refusal",
    "reported",
    "spent",
]

VERSION = "2023-06-01"  # the value of header anthropic-version
PATH = "/v1/messages"
MOST_SAMPLES = 1
MOST_LOGPROBS = 0

_LEAST_BUDGET = 1024  # of thinking type "enabled"


def manners(room: int, effort: str) -> Seq[Manner]:
    """Return the fields to try: newer models refuse temperature (1 is their only value), some refuse thinking.

    Thinking is switched off first, since some models think when nothing is said
    of it; then it is allowed `room` tokens, adaptively or, for older models, by
    a budget.
    """
    off: list[tuple[dict[str, object], str]] = [
        ({"thinking": {"type": "disabled"}}, "thinking switched off"),
        ({}, "nothing said of thinking"),
    ]
    on: list[tuple[dict[str, object], str]] = [
        ({"thinking": {"type": "adaptive"}}, f"adaptive thinking in {room} tokens"),
        ({}, f"nothing said of thinking, {room} tokens for it"),
    ]
    if room >= _LEAST_BUDGET:
        budget = {"type": "enabled", "budget_tokens": room}
        on.insert(1, ({"thinking": budget}, f"thinking within {room} tokens"))
    if effort:
        on = [(f | {"output_config": {"effort": effort}}, f"{w}, effort {effort}") for f, w in on]
    said: list[tuple[dict[str, object], str]] = [
        ({"temperature": 1}, "temperature=1"),
        ({}, "the only temperature"),
    ]
    plain = [] if effort else [Manner({**t, **f}, f"{s}, {w}") for f, w in off for t, s in said]
    return plain + (
        [Manner({**t, **f}, f"{s}, {w}", hidden=room) for f, w in on for t, s in said] if room else []
    )


def impossible(request: Request) -> str:
    """Return what this request wants that the format does not have, "" if nothing."""
    if request.prompt.form == "completion":
        return "the Messages API has no completions; set render: {form: chat} or {form: prefill, instruction: ...}"
    if request.way not in ("samples", "generation") or request.restricted:
        return (
            "the Messages API reports no log-probabilities and has no logit_bias; only free draws can be had"
        )
    if request.n > MOST_SAMPLES:
        return f"the Messages API draws one answer a request, not {request.n}"
    return ""


def refusal(request: Request) -> str:
    """Return why this request cannot be said as messages, "" if it can."""
    text = request.prompt.text(request.context_lengths[0])
    if request.prompt.form == "chat" and not text.strip():
        return (
            "an empty user message is refused by the service; give a template, or start at a longer context"
        )
    if request.prompt.form == "prefill" and text != text.rstrip():
        return (
            "an answer begun for the model may not end in white space; choose another separator or template"
        )
    return impossible(request)


def call(request: Request, model: str, manner: Manner, *, limit: int) -> tuple[str, Json]:
    """Return path and body. An answer begun with nothing is no answer begun: its message is left out."""
    prompt = request.prompt
    text = prompt.text(request.context_lengths[0])
    messages = [{"role": "user", "content": prompt.instruction if prompt.form == "prefill" else text}]
    if prompt.form == "prefill" and text:
        messages.append({"role": "assistant", "content": text})
    return PATH, {"model": model, "max_tokens": limit + manner.hidden, "messages": messages, **manner.fields}


def about(model: str) -> str:
    """Return the path of the model's description."""
    return f"/v1/models/{model}"


def count_call(model: str, text: str) -> tuple[str, Json]:
    """Return path and body of the token count, which is free."""
    return f"{PATH}/count_tokens", {"model": model, "messages": [{"role": "user", "content": text}]}
