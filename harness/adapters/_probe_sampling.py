"""Probing for draws: are they random, does a seed repeat them, how many come with one request."""

from dataclasses import dataclass

from harness.adapters._payload import parse
from harness.adapters._probe_record import Record
from harness.types import Failure, Form, Prompt, Request

_NS = (128, 32, 8, 4, 2)
_DEAR_NS = (4, 2)  # where each draw may cost hundreds of tokens of hidden reasoning
TOKENS = 16  # one token of a confident model could repeat by chance; sixteen do not
_CONTEXTS = (1, 4, 8)
_ENOUGH = 2
_NOT_RANDOM = "draws are not random: different seeds give the same text at temperature 1, every time"


@dataclass(frozen=True, slots=True)
class Draws:
    """Whether different seeds give different texts, and the same seed the same."""

    random: bool
    seed: bool
    finding: str


@dataclass(frozen=True, slots=True)
class Several:
    """How many independent draws one request gives."""

    count: int
    finding: str


async def draw_texts(
    record: Record,
    prompt: Prompt,
    context: int,
    *,
    n: int = 1,
    seed: int = 11,
    tokens: int = TOKENS,
    **changes: object,
) -> list[str] | Failure:
    """Return n drawn texts of some tokens, of one token beside the hidden ones where a model reasons."""
    limit = {} if record.calls.dialect.hidden_tokens else {_limit(record, prompt.form): tokens}
    request = Request("samples", prompt, (context,), n=n, seed=seed)
    reply = await record.send(request, **{**limit, **changes})
    payload = reply if isinstance(reply, Failure) else parse(reply.raw)
    if isinstance(payload, Failure):
        return payload
    begun = prompt.text(context).lstrip() if prompt.form == "prefill" else ""
    return [_beyond(begun, choice.answer) for choice in payload.choices]


def _beyond(begun: str, answer: str) -> str:
    """Return what was generated of an answer: some servers put the beginning that was given before it."""
    written = answer.lstrip()
    return written.removeprefix(begun) if begun and written.startswith(begun) else answer


async def probe_randomness(record: Record, prompt: Prompt) -> Draws:
    """Draw 16 tokens after three contexts with the seeds 11, 11 and 12, at temperature 1, and compare.

    One after another: calls that a server computes in one batch differ in the
    last digits, which now and then turns a draw. For the same reason two of
    three repetitions are enough to call a seed honoured. Of a model that
    reasons, one context is drawn after: its draws are dear and a symbol long.
    """
    dear = record.calls.dialect.hidden_tokens > 0
    rows: list[list[str]] = []
    for context in _CONTEXTS[:1] if dear else _CONTEXTS:
        rows.append([])
        for seed in (11, 11, 12):
            texts = await draw_texts(record, prompt, context, seed=seed)
            if isinstance(texts, Failure):
                return Draws(False, False, f"nothing can be drawn: {texts.detail}")
            rows[-1].append(texts[0])
    if dear:
        same = "the same answer" if len(set(rows[0])) == 1 else "different answers"
        return Draws(
            True, False, f"three draws gave {same}; more were too dear to see whether a seed repeats them"
        )
    repeated = sum(first == again for first, again, _ in rows)
    changed = sum(first != other for first, _, other in rows)
    if not changed and repeated == len(rows):
        return Draws(False, False, _NOT_RANDOM)
    if not record.calls.dialect.seed:
        return Draws(True, False, "draws are random; a seed is refused")
    if changed and repeated >= _ENOUGH:
        return Draws(
            True, True, f"draws are random and a seed repeats them ({repeated} of {len(rows)} times)"
        )
    return Draws(True, False, "draws are random; the seed is accepted and ignored")


async def probe_n(record: Record, prompt: Prompt) -> Several:
    """Ask for fewer and fewer draws in one request until they come, and see that they are no copies."""
    refused = ""
    dear = record.calls.dialect.hidden_tokens > 0
    for asked in _DEAR_NS if dear else _NS:
        reply = await record.send(Request("samples", prompt, (4,), n=asked, seed=11))
        if isinstance(reply, Failure):
            refused = f"; {asked} are refused: {reply.detail}"
            continue
        payload = parse(reply.raw)
        came = 0 if isinstance(payload, Failure) else len(payload.choices)
        if came <= 1:
            return Several(
                1, f"n is ignored: {came} of {asked} draws came back, so each is a request of its own"
            )
        count = min(asked, came)
        if not dear and await _copies(record, prompt, min(count, 4)):
            return Several(1, f"n gives {count} copies of one draw, so each is a request of its own")
        return Several(count, f"n is honoured up to {count} draws a request{refused}")
    return Several(1, f"one draw a request{refused}")


async def _copies(record: Record, prompt: Prompt, n: int) -> bool:
    for context in _CONTEXTS:
        texts = await draw_texts(record, prompt, context, n=n)
        if isinstance(texts, Failure) or len(set(texts)) > 1:
            return False
    return True


def _limit(record: Record, form: Form) -> str:
    """Return the name of the field that bounds what is generated."""
    if form == "completion":
        return "max_tokens"
    return (
        "max_output_tokens" if record.calls.dialect.route == "responses" else record.calls.dialect.chat_limit
    )
