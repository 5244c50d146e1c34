"""Whether a model reasons out of sight before it answers: seen in what came back, never in its name."""

from harness.adapters._payload import parse
from harness.adapters._wire import Payload
from harness.types import Failure

_FRAME = 16  # tokens that services count around an answer beside its own


def spent(raw: bytes) -> bool:
    """Return whether a reply holds no answer because its tokens went into reasoning."""
    payload = parse(raw)
    if isinstance(payload, Failure) or not reasons(payload):
        return False
    return not any(choice.answer.strip() for choice in payload.choices)


def mute(raw: bytes) -> bool:
    """Return whether a reply was cut off before anything was to be seen, with no word of reasoning."""
    payload = parse(raw)
    if isinstance(payload, Failure) or reasons(payload):
        return False
    # A blank is something to be seen: it is a token that was drawn.
    return all(not choice.answer and choice.finish_reason == "length" for choice in payload.choices)


def reasons(payload: Payload) -> bool:
    """Return whether a reply shows reasoning, says that there was some, or bills more than can be seen."""
    usage = payload.usage
    if any(choice.thought for choice in payload.choices) or (usage and usage.hidden):
        return True
    seen = sum(len(choice.answer.encode()) for choice in payload.choices)  # no token is shorter than a byte
    return bool(usage and usage.completed and usage.completed > seen + _FRAME * len(payload.choices))


def reasoned(raw: bytes) -> bool:
    """Return whether the bytes of a reply show that the model reasons."""
    payload = parse(raw)
    return not isinstance(payload, Failure) and reasons(payload)
