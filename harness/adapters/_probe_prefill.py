"""Probing for prefill: whether an answer begun for the model is gone on with, rather than a new one started."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.adapters._probe_record import Record
from harness.adapters._probe_sampling import draw_texts
from harness.adapters._reading import read_reply
from harness.types import Failure, Floats, Prompt, Request

# Words that nobody knows by heart in this order, cut within a word: an answer of the model's own, even one that
# picks up what was begun, does not start there. What was begun is longer than the few tokens that are drawn, so
# that an answer which starts with all of it repeats it (llama.cpp's and Mistral's do) and did not write it.
_LINE = "marble lantern orchid window copper thimble garden violin harbor pepper"
_INSTRUCTION = "Write out the line below exactly as it stands, and nothing else.\n" + _LINE
_CUTS = (
    ("marble lantern orchid window copper thim", "ble"),
    ("marble lantern orchid window copper thimble garden vio", "lin"),
)
_DRAWN = 4  # tokens
_WORD = "yes"
_WORDS_BEGUN = (8, 16)
_SPARE = (
    1.5  # tokens; a first word may be another token than the next, and templates close with three or more
)
_SAME = 0.02  # nat; llama.cpp's float16 cache brings up to 6e-3 between two ways to the same context
_DIFFERENT = 0.2  # nat, by which the contexts must differ for their likeness to prove anything
_LENGTHS = (16, 17)  # of two symbols in turn: each context calls for another one

Begun = Literal["message", "prefix", "continue"]
_WORDS: dict[Begun, str] = {
    "message": "a last message by the assistant",
    "prefix": "prefix: true in it",
    "continue": "continue_final_message: true",
}


@dataclass(frozen=True, slots=True)
class Prefill:
    """Whether a begun answer is gone on with."""

    honoured: bool
    finding: str


async def probe_prefill(record: Record, prompt: Prompt) -> Prefill:
    """Dictate a line, begin it up to the middle of a word, and see that the rest of the word comes, twice.

    A service that drops the beginning, or closes it and lets an answer of its
    own begin, gives something else, unless the model picks up what it reads of
    itself: then the tokens billed show what stands between. A model that
    cannot copy a line fails here. For it the law after a begun answer is
    compared with that of a completion of instruction and answer: equal where
    the server's template adds nothing, which is how models that know no chat
    are served. The spelling that works stays in the dialect.
    """
    calls = record.calls
    seen: dict[str, list[str]] = {}  # what came instead -> the spellings it came with
    if calls.dialect.hidden_tokens or calls.dialect.route == "responses":
        return Prefill(False, "prefill is not probed: this model starts its answers itself")
    known = calls.dialect.begun
    ways: list[Begun] = [known, *(way for way in _WORDS if way != known and not calls.strict)]
    for begun in ways:
        calls.dialect = replace(calls.dialect, begun=begun)
        failing = await _failing(record) or await _closed(record)
        if failing is None:
            return Prefill(True, f"a begun answer is gone on with ({_WORDS[begun]})")
        seen.setdefault(failing, []).append(_WORDS[begun])
    calls.dialect = replace(calls.dialect, begun=known)
    if await _as_completion(record, prompt):
        return Prefill(True, f"a begun answer is gone on with as in a completion ({_WORDS[known]})")
    reasons = "; ".join(f"{failing} with {', '.join(spellings)}" for failing, spellings in seen.items())
    return Prefill(False, f"a begun answer is not seen to be gone on with: {reasons}")


async def _failing(record: Record) -> str | None:
    """Return what came instead of the rest of the word, None if it came both times."""
    for begun, expected in _CUTS:
        # The symbols matter to nothing here: the text is all in the header.
        prompt = Prompt(begun, ("0", "1"), "", (0,), "prefill", _INSTRUCTION)
        texts = await draw_texts(record, prompt, 0, tokens=_DRAWN)
        if isinstance(texts, Failure):
            return texts.detail
        if not texts[0].startswith(expected):
            return f"{texts[0][:20]!r} came instead of {expected!r} after '... {begun[-11:]}'"
    return None


async def _closed(record: Record) -> str | None:
    """Return what shows that a begun answer is closed before the model goes on, None if nothing does.

    Eight and sixteen times the same word give the tokens of a word, and so
    those of the rest: as many as without any answer, unless it is closed.
    """
    without = Prompt(_INSTRUCTION, ("0", "1"), "", (0,), "chat")
    counts = [await _prompt_tokens(record, without)]
    for words in _WORDS_BEGUN:
        begun = Prompt(" ".join([_WORD] * words), ("0", "1"), "", (0,), "prefill", _INSTRUCTION)
        counts.append(await _prompt_tokens(record, begun))
    bare, few, many = counts
    if bare is None or few is None or many is None:
        return None  # not counted: what was drawn is all there is to go by
    low, high = _WORDS_BEGUN
    more = few - (many - few) * low / (high - low) - bare
    if more <= _SPARE:
        return None
    return f"the model picks it up, but {more:.0f} tokens stand between, which close it"


async def _prompt_tokens(record: Record, prompt: Prompt) -> int | None:
    reply = await record.send(Request("samples", prompt, (0,), n=1, seed=1))
    return None if isinstance(reply, Failure) else reply.prompt_tokens


async def _as_completion(record: Record, prompt: Prompt) -> bool:
    """Whether the next-symbol law is that of a completion, after contexts that call for different symbols."""
    instruction = prompt.surfaces[0].strip() or prompt.surfaces[0]
    symbols = tuple(i % 2 for i in range(_LENGTHS[-1] + 1))
    begun = Prompt("", prompt.surfaces, prompt.between, symbols, "prefill", instruction)
    whole = Prompt(instruction, prompt.surfaces, prompt.between, symbols)
    laws: list[Floats] = []
    for n in _LENGTHS:
        answer, completion = [await _law(record, p, n) for p in (begun, whole)]
        if answer is None or completion is None or not _apart(answer, completion) <= _SAME:
            return False
        laws.append(answer)
    return _apart(*laws) > _DIFFERENT


async def _law(record: Record, prompt: Prompt, n: int) -> Floats | None:
    request = Request("next_token", prompt, (n,), top_logprobs=5)
    reply = await record.send(request)
    response = reply if isinstance(reply, Failure) else read_reply(request, reply.raw)
    return None if isinstance(response, Failure) or response.logprob is None else response.logprob[0]


def _apart(first: Floats, second: Floats) -> float:
    """Return the largest difference in nat between two laws, NaN where they share no symbol."""
    both = np.isfinite(first) & np.isfinite(second)
    return float(np.abs(first - second)[both].max()) if both.any() else float("nan")
