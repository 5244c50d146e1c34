"""Every context length of a prompt read from one reply: echoed tokens aligned with the symbols they write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.adapters._payload import Position
from harness.adapters._symbols import Symbols, decoded
from harness.types import Failure, Prompt, Request, Response

_MAX_SPECIAL = 2  # tokens a server may put before the prompt: <s>, or two where a template adds its own


class Placed(NamedTuple):
    """A token and the characters of the prompt that it stands for."""

    position: Position
    written: str
    place: int  # 0-based, among all tokens of the reply


@dataclass(frozen=True, slots=True)
class Alignment:
    """Tokens of a prompt by the character they start at; tokens generated after it are left out."""

    by_start: Mapping[int, Placed]
    end: int  # characters of the prompt that the tokens cover without a gap


def echoed_text(request: Request) -> str:
    """Return the prompt to send: the longest context and its target, so that the target has a probability."""
    return through_target(request.prompt, request.context_lengths[-1])


def through_target(prompt: Prompt, context_length: int) -> str:
    """Return the text of the first `context_length` symbols and the one after them."""
    return prompt.text(context_length) + prompt.surfaces[prompt.symbols[context_length]]


def align(text: str, positions: Sequence[Position]) -> Alignment:
    """Place each token by its text, and check that place against the offset where one is reported.

    Both must agree: offsets alone count special tokens on some servers, texts
    alone could be shifted by a repeated symbol. Tokens that stand before the
    prompt (a BOS token) are skipped, with the characters their text adds to
    the offsets. Placing stops at the first token that does not continue the
    prompt, so that nothing behind a gap is ever read.
    """
    best = Alignment({}, 0)
    for special in range(min(_MAX_SPECIAL, len(positions)) + 1):
        found = _place(text, positions, special)
        if found.end > best.end:
            best = found
    return best


def symbol_at(prompt: Prompt, context_length: int, start: int, aligned: Alignment) -> Position | Failure:
    """Return the token that writes the symbol after a context, or why no single token does.

    `start` is the character that the symbol starts at.
    """
    target = prompt.surfaces[prompt.symbols[context_length]]
    placed = aligned.by_start.get(start)
    what = f"symbol {context_length} is {target!r} at character {start}"
    if placed is None:
        return Failure("tokenization", f"{what}, where no token starts")
    if placed.written != target:
        return Failure("tokenization", f"{what}, where the token is {placed.written!r}")
    return placed.position


def read_prefixes(request: Request, positions: Sequence[Position]) -> Response | Failure:
    """Return the distribution of the next symbol at every context length of the request.

    A reply that does not cover the prompt from end to end is no answer at all:
    servers that ignore `echo` return the generated token alone with HTTP 200.
    """
    text, prompt, longest = echoed_text(request), request.prompt, request.context_lengths[-1]
    aligned = align(text, positions)
    if aligned.end < len(text) and len(positions) <= longest:
        detail = f"{len(positions)} log-probabilities for a prompt of {longest + 1} symbols; is echo ignored?"
        return Failure("truncated", detail)
    if aligned.end < len(text):
        rest = text[aligned.end : aligned.end + 12]
        where = f"character {aligned.end} of {len(text)}, before {rest!r}"
        return Failure("tokenization", f"the echoed tokens leave the prompt at {where}")
    symbols, starts = Symbols(prompt), prompt.starts(longest)
    levels = np.array(request.context_lengths, dtype=np.int64)
    logprob = np.full((len(levels), symbols.count), np.nan)
    covered = np.full(len(levels), np.nan)
    failures: list[tuple[int, Failure]] = []
    for row, n in enumerate(request.context_lengths):
        position = symbol_at(prompt, n, starts[n], aligned)
        if isinstance(position, Failure):
            failures.append((n, position))
        elif position.logprob is None:
            failures.append((n, Failure("uncovered", "the first token of a prompt has no prediction")))
        else:
            logprob[row], covered[row] = symbols.row(position)
    return Response(levels, logprob=logprob, covered=covered, failures=tuple(failures))


def _place(text: str, positions: Sequence[Position], first: int) -> Alignment:
    by_start: dict[int, Placed] = {}
    at = shown = 0  # characters so far: of the prompt, and of the tokens as they are spelled
    base: int | None = None
    for index in range(first, len(positions)):
        position = positions[index]
        if at >= len(text):
            break  # generated, not echoed
        written = written_at(text, at, position.token)
        if written is None:
            break
        if position.offset is not None and position.offset >= 0:  # SGLang says -1 where it does not know
            base = position.offset if base is None else base
            # Servers count one or the other; a token that lost its space may be reported behind that space.
            lost = max(0, len(written) - len(position.token))
            if not min(at, shown) <= position.offset - base <= max(at, shown) + lost:
                break
        if written:
            by_start[at] = Placed(_respelled(position, written), written, index)
        at += len(written)
        shown += len(position.token)
    return Alignment(by_start, at)


def written_at(text: str, at: int, token: str) -> str | None:
    """Return what a token stands for in the text at `at`: itself, or a spelling with or without its space."""
    plain = decoded(token)
    # SentencePiece puts a space before the first word of a text; it belongs to no character of the prompt.
    spellings = (token, plain, " " + token, *([plain.removeprefix(" ")] if at == 0 else []))
    return next((spelling for spelling in spellings if text.startswith(spelling, at)), None)


def _respelled(position: Position, written: str) -> Position:
    """Return a position with the tokens in its place spelled like the one that stands there."""
    if written == position.token:
        return position
    plain = decoded(position.token)
    gained, dropped = written == " " + position.token != plain, written == plain[1:]

    def spelled(token: str) -> str:
        as_text = decoded(token)
        if dropped:
            return as_text.removeprefix(" ")
        return " " + token if gained and not as_text.startswith(" ") else as_text

    return position._replace(token=written, top=[(spelled(token), value) for token, value in position.top])
