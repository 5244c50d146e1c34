"""Probing for draws: are they random, does a seed repeat them, how many come with one request."""

from dataclasses import dataclass

from harness.adapters._calls import Calls
from harness.adapters._payload import parse
from harness.types import Failure, Prompt, Request

_NS = (128, 32, 8, 4, 2)
_TOKENS = 16  # one token of a confident model could repeat by chance; sixteen do not
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


async def probe_randomness(calls: Calls, prompt: Prompt) -> Draws:
    """Draw 16 tokens after three contexts with the seeds 11, 11 and 12, at temperature 1, and compare.

    One after another: calls that a server computes in one batch differ in the
    last digits, which now and then turns a draw. For the same reason two of
    three repetitions are enough to call a seed honoured.
    """
    texts: list[list[str]] = []
    for n in _CONTEXTS:
        row = [await _draw(calls, prompt, n, seed) for seed in (11, 11, 12)]
        failures = [text for text in row if isinstance(text, Failure)]
        if failures:
            return Draws(False, False, f"nothing can be drawn: {failures[0].detail}")
        texts.append([text for text in row if isinstance(text, str)])
    repeated = sum(first == again for first, again, _ in texts)
    changed = sum(first != other for first, _, other in texts)
    if not changed and repeated == len(texts):
        return Draws(False, False, _NOT_RANDOM)
    if not calls.dialect.seed:
        return Draws(True, False, "draws are random; a seed is refused")
    if changed and repeated >= _ENOUGH:
        return Draws(
            True, True, f"draws are random and a seed repeats them ({repeated} of {len(texts)} times)"
        )
    return Draws(True, False, "draws are random; the seed is accepted and ignored")


async def probe_n(calls: Calls, prompt: Prompt) -> Several:
    """Ask for fewer and fewer draws in one request until they come, and see that they are no copies."""
    refused = ""
    for asked in _NS:
        reply = await calls.send(Request("samples", prompt, (4,), n=asked, seed=11))
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
        if await _copies(calls, prompt, min(count, 4)):
            return Several(1, f"n gives {count} copies of one draw, so each is a request of its own")
        return Several(count, f"n is honoured up to {count} draws a request{refused}")
    return Several(1, f"one draw a request{refused}")


async def _draw(calls: Calls, prompt: Prompt, n: int, seed: int) -> str | Failure:
    limit = calls.dialect.chat_limit if prompt.form == "chat" else "max_tokens"
    reply = await calls.send(Request("samples", prompt, (n,), n=1, seed=seed), **{limit: _TOKENS})
    payload = reply if isinstance(reply, Failure) else parse(reply.raw)
    return payload if isinstance(payload, Failure) else payload.choices[0].answer


async def _copies(calls: Calls, prompt: Prompt, n: int) -> bool:
    limit = calls.dialect.chat_limit if prompt.form == "chat" else "max_tokens"
    for context in _CONTEXTS:
        reply = await calls.send(Request("samples", prompt, (context,), n=n, seed=11), **{limit: _TOKENS})
        payload = reply if isinstance(reply, Failure) else parse(reply.raw)
        if isinstance(payload, Failure) or len({choice.answer for choice in payload.choices}) > 1:
            return False
    return True
