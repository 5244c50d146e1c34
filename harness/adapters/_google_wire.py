"""Google's generateContent format: requests written. Reading is in `_google_reading`. Pure.

Sources: the types of the `google-genai` package 3.4.0 and the errors its users
report.
"""

from collections.abc import Sequence as Seq

from harness.adapters._dialect import spread_seed
from harness.adapters._google_reading import answers, counted, judge, limited, listing, reported, spent
from harness.adapters._service_wire import Manner
from harness.adapters._transport import Json
from harness.types import Request

__all__ = [
    "MOST_LOGPROBS",
    "MOST_SAMPLES",
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

MOST_SAMPLES = 8  # candidateCount
MOST_LOGPROBS = 20
VERSION = "v1beta"


def manners(room: int, effort: str) -> Seq[Manner]:
    """Return the fields to try: models without thinking refuse thinkingConfig, some cannot switch it off.

    Thinking is switched off first; then it is allowed `room` tokens, by a
    budget or, for newer models, by a level, which the token limit bounds.
    """
    off: list[tuple[dict[str, object], str]] = [
        ({"thinkingBudget": 0}, "thinking switched off"),
        ({}, "nothing said of thinking"),
    ]
    level = (effort or "low").upper()
    on: list[tuple[dict[str, object], str]] = [
        ({"thinkingLevel": level}, f"thinking level {level} in {room} tokens")
    ]
    if not effort:
        on.insert(0, ({"thinkingBudget": room}, f"thinking within {room} tokens"))
        on.append(({}, f"nothing said of thinking, {room} tokens for it"))
    tried = [] if effort else [(config, words, 0) for config, words in off]
    tried += [(config, words, room) for config, words in on] if room else []
    return [
        Manner(
            {"thinkingConfig": config} if config else {},
            f"temperature=1, topP=1, {words}, {'with' if seed else 'without'} seed",
            seed=seed,
            hidden=hidden,
        )
        for config, words, hidden in tried
        for seed in (True, False)
    ]


def impossible(request: Request) -> str:
    """Return what this request wants that the format does not have, "" if nothing."""
    if request.prompt.form == "completion":
        return "generateContent has no completions; set render: {form: chat} or {form: prefill, instruction: ...}"
    if request.way == "prefixes" or request.restricted:
        return "generateContent echoes no prompts and has no logit_bias"
    return ""


def refusal(request: Request) -> str:
    """Return why this request cannot be said as contents, "" if it can."""
    if request.prompt.form == "chat" and not request.prompt.text(request.context_lengths[0]):
        return (
            "an empty user message is refused by the service; give a template, or start at a longer context"
        )
    return impossible(request)


def call(request: Request, model: str, manner: Manner, *, limit: int) -> tuple[str, Json]:
    """Return path and body. An answer begun with nothing is no answer begun: its turn is left out."""
    prompt = request.prompt
    text = prompt.text(request.context_lengths[0])
    contents = [_turn("user", prompt.instruction if prompt.form == "prefill" else text)]
    if prompt.form == "prefill" and text:
        contents.append(_turn("model", text))
    config: dict[str, object] = {
        "temperature": 1,
        "topP": 1,  # models are served with 0.95 unless told otherwise
        "maxOutputTokens": limit + manner.hidden,
        **manner.fields,
    }
    if request.way == "next_token":
        config |= {"responseLogprobs": True, "logprobs": request.top_logprobs}
    elif request.n > 1:
        config["candidateCount"] = request.n
    if request.way != "next_token" and manner.seed and request.seed is not None:
        config["seed"] = spread_seed(request.seed)
    return f"{about(model)}:generateContent", {"contents": contents, "generationConfig": config}


def about(model: str) -> str:
    """Return the path of the model's description."""
    return f"/{VERSION}/models/{model}"


def count_call(model: str, text: str) -> tuple[str, Json]:
    """Return path and body of the token count, which is free."""
    return f"{about(model)}:countTokens", {"contents": [_turn("user", text)]}


def _turn(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"text": text}]}
