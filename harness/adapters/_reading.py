"""A reply read: its bytes and the request in, the distribution of the next symbol out. Pure."""

from collections.abc import Sequence as Seq

import numpy as np

from harness.adapters._echo import echoed_text, read_prefixes
from harness.adapters._payload import Position, parse, positions, stopped
from harness.adapters._prompt_logprobs import prompt_positions
from harness.adapters._symbols import Symbols
from harness.adapters._wire import Choice, Payload
from harness.types import Failure, Request, Response

_CUT = ("length", "model_length")  # the limit of tokens; Mistral's word for the window
_RECOGNISED = 16  # characters of a begun answer that no single token writes: what starts with them repeats it


def read_reply(
    request: Request, raw: bytes, *, repeats: bool = False, numbered: bool = True
) -> Response | Failure:
    """Return what an OpenAI-compatible reply says, in any of its shapes.

    `repeats` is for services whose answer begins with the one that was begun
    for the model (form "prefill"), as Mistral's does; without it, that is
    recognised, since llama.cpp's server does it too. `numbered` says that a
    choice number stands for one choice: two that share it are the same one.
    """
    payload = parse(raw)
    if isinstance(payload, Failure):
        return payload
    failure = _failure(payload, numbered=numbered)
    if failure is not None:
        return failure
    begun = _begun(request)
    if request.way == "generation":
        (choice, *_) = payload.choices
        text = _written(choice.answer, begun, request, repeats=repeats)
        return written(request, text, ended=choice.finish_reason not in _CUT)
    if request.way == "samples":
        answers = _generated(payload.choices, begun, Symbols(request.prompt), repeats=repeats)
        return read_draws(request, answers, tokens=_shown(payload))
    if request.way == "prefixes":
        beside = prompt_positions(payload, echoed_text(request))
        found = positions(payload.choices[0].logprobs) if beside is None else beside
        return found if isinstance(found, Failure) else read_prefixes(request, found)
    if payload.choices[0].thought or (payload.usage and payload.usage.hidden):
        return Failure(
            "malformed",
            "log-probabilities behind hidden reasoning are not those of the context; draw instead",
        )
    found = positions(payload.choices[0].logprobs)
    return found if isinstance(found, Failure) else read_next(request, _first_beyond(begun, found))


def read_next(request: Request, first: Position) -> Response | Failure:
    """Return the distribution that the first generated position reports."""
    if first.logprob is None:
        return Failure("malformed", f"the generated token {first.token!r} has no log-probability")
    logprob, covered = Symbols(request.prompt).row(first)
    (n,) = request.context_lengths
    failures: tuple[tuple[int, Failure], ...] = ()
    if np.isnan(logprob).all():
        shown = ", ".join(repr(token) for token, _ in list(first.top)[:5]) or repr(first.token)
        reason = f"none of the symbols is among the tokens reported ({shown}, ...)"
        failures = ((n, Failure("uncovered", reason)),)
    return Response(
        np.array([n], dtype=np.int64), logprob=logprob[None], covered=np.array([covered]), failures=failures
    )


def read_draws(request: Request, answers: Seq[str], *, tokens: int | None = None) -> Response | Failure:
    """Return how often each symbol was drawn; a failure where fewer answers came than were asked for.

    `tokens` is how many the answers have together, None if unknown. Where they
    have more than one each, an answer is the symbol that it begins with.
    """
    if len(answers) < request.n:
        return Failure("truncated", f"{len(answers)} of {request.n} choices came back")
    symbols = Symbols(request.prompt)
    drawn = symbols.index if tokens is None or tokens <= len(answers) else symbols.first
    counts = np.zeros((1, symbols.count + 1), dtype=np.int64)
    for answer in answers[: request.n]:
        symbol = drawn(answer)
        counts[0, symbols.count if symbol is None else symbol] += 1
    return Response(np.array(request.context_lengths, dtype=np.int64), counts=counts)


def written(request: Request, text: str, *, ended: bool) -> Response:
    """Return a text of many symbols as it came; `ended` says that the model ended it, not the limit of tokens."""
    return Response(np.array(request.context_lengths, dtype=np.int64), text=text, ended=ended)


def _failure(payload: Payload, *, numbered: bool) -> Failure | None:
    """Return why a reply is no answer: one of its choices is none, or two of them are the same one."""
    for choice in payload.choices:
        failure = stopped(choice, payload.usage)
        if failure is not None:
            return failure
    places = [choice.index for choice in payload.choices if isinstance(choice.index, int)]
    if not numbered or len(set(places)) == len(places):
        return None
    return Failure("malformed", f"choice {max(places, key=places.count)} came twice")


def _shown(payload: Payload) -> int | None:
    """Return the tokens of all answers together, reasoning left out, None if not reported."""
    usage = payload.usage
    if usage is None or usage.completed is None:
        return None
    return usage.completed - usage.hidden


def _begun(request: Request) -> str:
    """Return the text that an answer may begin with without having been generated, "" for none."""
    return request.prompt.text(request.context_lengths[0]) if request.prompt.form == "prefill" else ""


def _generated(choices: Seq[Choice], begun: str, symbols: Symbols, *, repeats: bool) -> list[str]:
    """Return what was generated of each answer: what stands behind the beginning, where the service repeats that.

    All answers of such a service begin so. As a short beginning may also be
    what was drawn ("H" after "H"), one of them must be longer than it and no
    symbol. Where none is, an answer that the model ended itself is the
    beginning and nothing drawn.
    """
    answers = [choice.answer for choice in choices]
    given = begun.lstrip()  # templates take off blanks in front
    written = [answer.lstrip() for answer in answers]
    if not given or not all(text.startswith(given) for text in written):
        return answers
    longer = [text for text in written if text != given]
    told = repeats or any(symbols.index(text) is None for text in longer)
    if len(given) >= _RECOGNISED or (longer and told):
        return [text[len(given) :] for text in written]
    ended = [choice.finish_reason == "stop" for choice in choices]
    return [
        "" if end and text == given else answer
        for answer, text, end in zip(answers, written, ended, strict=True)
    ]


def _written(answer: str, begun: str, request: Request, *, repeats: bool) -> str:
    """Return what was written behind an answer that was begun, where the service repeats that.

    Symbols alone may be written again, the words before them are not: those show
    that a service repeats, unless it is known to.
    """
    text, given = answer.lstrip(), begun.lstrip()
    told = repeats or bool(request.prompt.header.strip())
    return text[len(given) :] if given and told and text.startswith(given) else answer


def _first_beyond(begun: str, found: Seq[Position]) -> Position:
    """Return the first token that was generated: behind those that repeat what was begun."""
    at = 0
    for position in found if len(begun) >= _RECOGNISED else ():
        if at == len(begun):
            return position
        if not begun.startswith(position.token, at):
            break
        at += len(position.token)
    return found[0]
