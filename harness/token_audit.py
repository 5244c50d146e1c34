"""An audit of what a tokenizer makes of a rendered prompt: what would be read from the wrong token, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, combinations

from harness.conditions import Condition
from harness.errors import TokenizationError
from harness.types import Model, Prompt, Tokenizing

_SHOWN = 3  # examples of one kind in a sentence


@dataclass(frozen=True, slots=True)
class SurfaceAudit:
    """One symbol, or one option of a question, and the tokens of its forms."""

    surface: str
    predicted: tuple[str, ...] | None  # that it adds to a context, None where that is not known
    apart: bool  # whether the tokens before it stay as they are
    forms: Mapping[str, tuple[str, ...] | None]  # bare, with a blank, other case: each alone


@dataclass(frozen=True, slots=True)
class Audit:
    """The tokens of one way of writing symbols."""

    surfaces: tuple[SurfaceAudit, ...]
    context_length: int  # symbols of the longest context
    context_tokens: int
    merged: tuple[str, ...]  # tokens that hold more than one symbol, or parts of two
    wrong: tuple[str, ...]  # why it would be measured wrongly, a sentence each; empty where it is sound
    cautions: tuple[str, ...]  # what a reader of a result should know


Audited = tuple[Prompt, Audit | None]
"""One way of writing symbols, with what was seen of it: None where the model cannot tell."""


async def audit_prompt(model: Tokenizing, prompt: Prompt, context_length: int) -> Audit | None:
    """Ask a model how it tokenizes a prompt, every two of its symbols side by side, and each symbol alone.

    Returns None where the model cannot tell. A completion is read at the next
    symbol after every context: each symbol must be one token, of its own,
    whatever stands beside it. A chat and a question are read at the answer
    alone, so that merged symbols of the context are a caution: they change what
    the model sees of a sequence, not what is read of it.
    """
    text = prompt.text(context_length)
    context = await model.tokens(text)
    if context is None:
        return None
    surfaces = [await _surface(model, prompt, text, context, surface) for surface in prompt.surfaces]
    pairs = replace(prompt, symbols=_every_pair(len(prompt.written or prompt.surfaces)))
    beside = await model.tokens(pairs.text(len(pairs.symbols)))
    places = [_boundaries(prompt, context_length, context), _boundaries(pairs, len(pairs.symbols), beside)]
    split = {name: held for place in places if place for name, held in place[0].items()}
    merged = tuple(dict.fromkeys(token for place in places if place for token in place[1]))
    at_answer = prompt.form == "chat" or bool(prompt.footer)
    said = () if at_answer else prompt.surfaces  # where those are predicted, it is said of them there
    inside = [*_splits({name: held for name, held in split.items() if name not in said}), *_merges(merged)]
    return Audit(
        surfaces=tuple(surfaces),
        context_length=context_length,
        context_tokens=len(context),
        merged=merged,
        wrong=(*_answers(surfaces), *(() if at_answer else inside)),
        cautions=(*(inside if at_answer else ()), *_cases(surfaces), *_untold(surfaces, None in places)),
    )


async def audit_conditions(model: Model, conditions: Sequence[Condition]) -> dict[object, Audited]:
    """Return an audit of each way in which these conditions write symbols, by `way_written`.

    Empty for a model that shows no tokens at all. Of each way the condition with
    the longest context is looked at.
    """
    found: dict[object, Audited] = {}
    if not isinstance(model, Tokenizing):
        return found
    for condition in sorted(conditions, key=lambda c: -c.context_lengths[-1]):
        prompt = condition.prompt(condition.sequence(0))
        if way_written(prompt) not in found:
            seen = await audit_prompt(model, prompt, condition.context_lengths[-1])
            found[way_written(prompt)] = prompt, seen
    return found


def way_written(prompt: Prompt) -> object:
    """Return what decides how the symbols of a prompt fall into tokens."""
    return (prompt.form, prompt.header, prompt.surfaces, prompt.between, prompt.footer, prompt.written)


def refusal(condition: Condition, audits: dict[object, Audited]) -> TokenizationError | None:
    """Return why a condition would be measured wrongly, None if nothing says so.

    Texts that a model writes are read as text, whatever their tokens.
    """
    if condition.readout == "generation":
        return None
    prompt = condition.prompt(condition.sequence(0))
    _, seen = audits.get(way_written(prompt), (prompt, None))
    if seen is None or not seen.wrong:
        return None
    return TokenizationError(
        f"{'; '.join(seen.wrong)}; choose other symbols or a separator under render: {{symbols: ..., separator: ...}}"
    )


async def _surface(
    model: Tokenizing, prompt: Prompt, text: str, context: Sequence[str], surface: str
) -> SurfaceAudit:
    bare = surface.strip() or surface
    forms: dict[str, tuple[str, ...] | None] = {}
    for form in (bare, " " + bare, bare.lower(), bare.upper()):
        if form not in forms:
            forms[form] = _known(await model.tokens(form))
    if prompt.form == "chat":  # the answer starts anew
        return SurfaceAudit(surface, _known(await model.tokens(surface)), True, forms)
    whole = _known(await model.tokens(text + surface))
    if whole is None:
        return SurfaceAudit(surface, None, True, forms)
    apart = whole[: len(context)] == tuple(context)
    return SurfaceAudit(surface, whole[len(context) :] if apart else None, apart, forms)


def _known(tokens: list[str] | None) -> tuple[str, ...] | None:
    return None if tokens is None else tuple(tokens)


def _answers(surfaces: Sequence[SurfaceAudit]) -> list[str]:
    """Return what is wrong where a symbol is predicted: the first token must say which symbol it is."""
    wrong = []
    for s in surfaces:
        if not s.apart:
            wrong.append(f"{s.surface!r} changes the tokens before it: it is never the next one of a context")
        elif s.predicted is None:
            continue
        elif "".join(s.predicted) != s.surface:
            wrong.append(f"{s.surface!r} is not in the vocabulary: it is {_listed(s.predicted)}")
        elif len(s.predicted) != 1:
            wrong.append(f"{s.surface!r} is {len(s.predicted)} tokens, {_listed(s.predicted)}: one is read")
    for a, b in combinations(surfaces, 2):
        if a.predicted and b.predicted and a.predicted[0] == b.predicted[0]:
            wrong.append(f"{a.surface!r} and {b.surface!r} begin with the same token, {a.predicted[0]!r}")
    return wrong


def _cases(surfaces: Sequence[SurfaceAudit]) -> list[str]:
    return [
        f"{a.surface!r} and {b.surface!r} differ in case or blanks alone"
        for a, b in combinations(surfaces, 2)
        if a.surface.strip().casefold() == b.surface.strip().casefold()
    ]


def _untold(surfaces: Sequence[SurfaceAudit], unplaced: bool) -> list[str]:
    names = [repr(s.surface) for s in surfaces if s.apart and s.predicted is None]
    untold = [f"the tokens of {', '.join(names)} are not told"] if names else []
    return [
        *untold,
        *(["the tokens do not spell the context: merges are not looked for"] if unplaced else []),
    ]


def _boundaries(
    prompt: Prompt, context_length: int, tokens: Sequence[str] | None
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]] | None:
    """Return the symbols of a context that are several tokens, with those, and the tokens across symbols.

    None where the tokens do not spell the context: one is outside the vocabulary, or none are told.
    """
    if tokens is None or "".join(tokens) != prompt.text(context_length):
        return None
    ends = list(accumulate(map(len, tokens)))
    names = prompt.written or prompt.surfaces
    split: dict[str, tuple[str, ...]] = {}
    merged: dict[str, None] = {}
    first = 0
    for symbol, start in zip(prompt.symbols[:context_length], prompt.starts(context_length), strict=False):
        name, stop = names[symbol], start + len(names[symbol])
        while ends[first] <= start:
            first += 1
        last = first
        while ends[last] < stop:
            last += 1
        if ends[first] - len(tokens[first]) < start:
            merged[tokens[first]] = None
        if ends[last] > stop:
            merged[tokens[last]] = None
        held = tuple(tokens[first : last + 1])
        if "".join(held) == name and len(held) > 1:
            split[name] = held
    return split, tuple(merged)


def _splits(split: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"{name!r} is {len(held)} tokens in a context, {_listed(held)}" for name, held in split.items()]


def _merges(merged: Sequence[str]) -> list[str]:
    if not merged:
        return []
    what = "digits are merged" if all(token.strip().isdigit() for token in merged) else "symbols are merged"
    return [
        f"{what} with what stands beside them: {_listed(merged)} {'are' if len(merged) > 1 else 'is'} one token"
    ]


def _listed(tokens: Sequence[str]) -> str:
    more = f" and {len(tokens) - _SHOWN} more" if len(tokens) > _SHOWN else ""
    return " ".join(map(repr, tokens[:_SHOWN])) + more


def _every_pair(n: int) -> tuple[int, ...]:
    """Return symbols 0..n-1 such that each stands beside each, itself included: n**2 + 1 of them.

    Lyndon words of one and two symbols in their order, and the first once more:
    the cyclic de Bruijn word, cut open (Fredricksen & Maiorana 1978).
    """
    return (*(s for i in range(n) for s in (i, *(x for j in range(i + 1, n) for x in (i, j)))), 0)
