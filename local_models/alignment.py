"""Where the symbols of a prompt are among the tokens of a model, or why they cannot be told apart."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import ContextTooLong, RenderError, SpecError, TokenizationError
from harness.local_models.tokens import names, seen, tokenize
from harness.types import Prompt, Request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_ADVICE = "render with a separator (render: {separator: ...}) or choose other symbols"


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of one forward pass and the positions read from it."""

    tokens: tuple[int, ...]
    positions: tuple[int, ...]  # index of the token whose successor is predicted; -1: there is none
    context_lengths: tuple[int, ...]  # in symbols, one per position


@dataclass(frozen=True, slots=True)
class Aligned:
    """A request as tokens: the rows to run and the token of each declared symbol."""

    rows: tuple[Row, ...]
    symbol_ids: tuple[int, ...]


class Aligner:
    """Turns requests into token rows for one model; remembers the tokens of symbols it has checked."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", max_tokens: int | None) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._ids: dict[tuple[str, ...], tuple[int, ...]] = {}

    def align(self, request: Request) -> Aligned:
        """Return the token rows of a request.

        A completion prompt is one row, read at every context length, and so is an
        answer begun for the model, behind the template's words. A chat prompt
        closes each context with the template's own words, and a question with its
        footer, so they are one row per context length. Raises TokenizationError
        unless every symbol is one token, the same wherever it stands;
        ContextTooLong, never truncating; RenderError for a chat prompt without a
        chat template.
        """
        if request.prompt.form == "prefill":
            request = replace(request, prompt=_opened(self._tokenizer, request.prompt))
        prompt = request.prompt
        lengths = request.context_lengths
        if not lengths or not 0 <= min(lengths) <= max(lengths) <= len(prompt.symbols):
            raise SpecError(
                f"context lengths {lengths!r} are not in 0..{len(prompt.symbols)}, the symbols there are"
            )
        key = (prompt.form, prompt.header, prompt.between, prompt.footer, *prompt.surfaces)
        if key not in self._ids:
            self._ids[key] = self._answers(prompt)
        if prompt.form == "chat":
            rows = tuple(_chat_row(self._tokenizer, prompt, n, self._max_tokens) for n in lengths)
        elif prompt.footer:
            ids = self._ids[key]
            rows = tuple(_question_row(self._tokenizer, prompt, n, ids, self._max_tokens) for n in lengths)
        else:
            rows = (_completion_row(self._tokenizer, request, self._ids[key], self._max_tokens),)
        return Aligned(rows=rows, symbol_ids=self._ids[key])

    def context(self, request: Request) -> tuple[int, ...]:
        """Return the tokens that a text of many symbols is written behind.

        Symbols need not be single tokens here: what is written is read as text.
        Raises TokenizationError for a prompt of which this model lacks a part,
        ContextTooLong where the symbols that are wanted cannot fit, RenderError
        for a chat prompt without a chat template.
        """
        prompt = request.prompt
        (n,) = request.context_lengths
        if prompt.form == "chat":
            tokens = _chat_row(self._tokenizer, prompt, n, self._max_tokens).tokens
        else:
            opened = _opened(self._tokenizer, prompt) if prompt.form == "prefill" else prompt
            tokens = tuple(tokenize(self._tokenizer, opened, opened.text(n))[0])
        unknown = self._tokenizer.unk_token_id
        if unknown is not None and unknown in tokens:
            raise TokenizationError(
                f"the prompt {prompt.text(n)[:60]!r} has characters that this model has no token for; a model of "
                'symbols alone is given no words: render: {template: "{sequence}"}'
            )
        least = min(
            len(
                self._tokenizer(
                    (surface + prompt.between) * request.length, add_special_tokens=False
                ).input_ids
            )
            for surface in prompt.surfaces
        )
        if self._max_tokens is not None and len(tokens) + least > self._max_tokens:
            raise ContextTooLong(
                f"a context of {n} symbols is {len(tokens)} tokens, and {request.length} symbols behind it are at "
                f"least {least}; this model was made for {self._max_tokens}: set a smaller length or shorter "
                "context_lengths"
            )
        return tokens

    def _answers(self, prompt: Prompt) -> tuple[int, ...]:
        """Return the token of each symbol, or of each option of a question."""
        if prompt.form == "chat":
            return _answer_ids(self._tokenizer, prompt)
        if prompt.footer:
            return _symbol_ids(self._tokenizer, prompt, [prompt.text(0)])
        pairs = [prompt.header + surface + prompt.between for surface in prompt.surfaces]
        return _symbol_ids(self._tokenizer, prompt, [prompt.header, *pairs])


def _completion_row(
    tokenizer: "PreTrainedTokenizerFast", request: Request, ids: tuple[int, ...], max_tokens: int | None
) -> Row:
    """Tokenise the longest context with its target and find every context's last token in it."""
    prompt, context_lengths = request.prompt, request.context_lengths
    longest = max(context_lengths)
    through = min(longest + 1, len(prompt.symbols))  # symbols in the text, the last target included
    text = prompt.text(longest) + (prompt.surfaces[prompt.symbols[longest]] if through > longest else "")
    tokens, ends = tokenize(tokenizer, prompt, text)
    index = {end: i for i, end in enumerate(ends)}  # the last token that ends there; BOS ends at 0
    starts = prompt.starts(longest)
    before = [index.get(start, -1) for start in starts]
    for i, symbol in enumerate(prompt.symbols[:through]):
        surface = prompt.surfaces[symbol]
        begins = before[i] >= 0 or starts[i] == 0
        found = index.get(starts[i] + len(surface))
        if not begins or found != before[i] + 1 or tokens[found] != ids[symbol]:
            there = seen(tokenizer, tokens, ends, starts[i], starts[i] + len(surface))
            raise TokenizationError(
                f"symbol {i} of the prompt, {surface!r}, is not token {ids[symbol]} on its own: it falls in "
                f"{there}; {_ADVICE}"
            )
    _check_length(len(tokens[: before[longest] + 1]), longest, before, max_tokens)
    for n in {min(context_lengths), longest}:  # a context alone must be the start of the whole
        alone, _ = tokenize(tokenizer, prompt, prompt.text(n))
        if alone != tokens[: before[n] + 1]:
            raise TokenizationError(
                f"the context of {n} symbols, ending in {prompt.text(n)[-12:]!r}, is tokenised differently "
                f"when more text follows; {_ADVICE}"
            )
    return Row(
        tokens=tuple(tokens[: before[longest] + 1]),
        positions=tuple(before[n] for n in context_lengths),
        context_lengths=tuple(context_lengths),
    )


def _symbol_ids(tokenizer: "PreTrainedTokenizerFast", prompt: Prompt, contexts: Seq[str]) -> tuple[int, ...]:
    """Return the one token each symbol adds to each of these contexts: the header alone, and a symbol after it.

    A pair of symbols that byte-pair encoding leaves apart is apart in every
    longer text too, since longer merges are built of shorter ones.
    """
    found: dict[str, int] = {}
    for context in contexts:
        before, _ = tokenize(tokenizer, prompt, context)
        for surface in prompt.surfaces:
            tokens, _ = tokenize(tokenizer, prompt, context + surface)
            if tokens[:-1] != before:
                raise TokenizationError(
                    f"symbol {surface!r} after {context[-12:]!r} does not add one token: "
                    f"{names(tokenizer, before[-4:])} becomes {names(tokenizer, tokens[-5:])}; {_ADVICE}"
                )
            if found.setdefault(surface, tokens[-1]) != tokens[-1]:
                raise TokenizationError(
                    f"symbol {surface!r} is token {found[surface]} at the start and {tokens[-1]} after "
                    f"{context[-12:]!r}; begin the prompt with a header, or {_ADVICE}"
                )
    return _distinct(tokenizer, prompt, tuple(found[surface] for surface in prompt.surfaces))


def _question_row(
    tokenizer: "PreTrainedTokenizerFast",
    prompt: Prompt,
    context_length: int,
    ids: tuple[int, ...],
    max_tokens: int | None,
) -> Row:
    """Tokenise a question about one context. What ends it and an option after it must be tokens of their own."""
    text = prompt.text(context_length)
    tokens, _ = tokenize(tokenizer, prompt, text)
    for surface, token in zip(prompt.surfaces, ids, strict=True):
        answered, _ = tokenize(tokenizer, prompt, text + surface)
        if answered != [*tokens, token]:
            raise TokenizationError(
                f"option {surface!r} after {text[-12:]!r} is {names(tokenizer, answered[len(tokens) :])} at a "
                f"context of {context_length} symbols and token {token} elsewhere; word the question otherwise"
            )
    _check_length(len(tokens), context_length, (), max_tokens)
    return Row(tuple(tokens), (len(tokens) - 1,), (context_length,))


def _distinct(tokenizer: "PreTrainedTokenizerFast", prompt: Prompt, ids: tuple[int, ...]) -> tuple[int, ...]:
    unknown = [s for s, i in zip(prompt.surfaces, ids, strict=True) if i == tokenizer.unk_token_id]
    if unknown:
        raise TokenizationError(
            f"symbol(s) {unknown!r} are not in the vocabulary of this model (token {tokenizer.unk_token!r}); "
            "choose other symbols"
        )
    if len(set(ids)) < len(ids):
        raise TokenizationError(
            f"symbols {list(prompt.surfaces)!r} are not different tokens: {list(ids)}; choose other symbols"
        )
    return ids


def _chat_row(
    tokenizer: "PreTrainedTokenizerFast", prompt: Prompt, context_length: int, max_tokens: int | None
) -> Row:
    if not tokenizer.chat_template:
        raise RenderError("this model has no chat template; write the prompt with form: completion")
    tokens = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt.text(context_length)}],
        add_generation_prompt=True,
        return_dict=True,
    )["input_ids"]
    _check_length(len(tokens), context_length, (), max_tokens)
    return Row(tuple(tokens), (len(tokens) - 1,), (context_length,))


def _answer_ids(tokenizer: "PreTrainedTokenizerFast", prompt: Prompt) -> tuple[int, ...]:
    """Return the token of each symbol when it opens the answer of a chat."""
    ids = [tokenizer(surface, add_special_tokens=False)["input_ids"] for surface in prompt.surfaces]
    for surface, tokens in zip(prompt.surfaces, ids, strict=True):
        if len(tokens) != 1:
            raise TokenizationError(
                f"symbol {surface!r} is {len(tokens)} tokens as an answer: {names(tokenizer, tokens)}; "
                f"{_ADVICE}"
            )
    return _distinct(tokenizer, prompt, tuple(tokens[0] for tokens in ids))


def _opened(tokenizer: "PreTrainedTokenizerFast", prompt: Prompt) -> Prompt:
    """Return the prompt with all that the template puts before the model's own answer as part of its header."""
    if not tokenizer.chat_template:
        raise RenderError("this model has no chat template; write the prompt with form: completion")
    opening = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt.instruction}], add_generation_prompt=True, tokenize=False
    )
    return replace(prompt, header=str(opening) + prompt.header)


def _check_length(tokens: int, context_length: int, before: Seq[int], max_tokens: int | None) -> None:
    """Refuse a context of too many tokens; `before[n]` is the last token of the first n symbols."""
    if max_tokens is None or tokens <= max_tokens:
        return
    fit = max((n for n, last in enumerate(before) if last < max_tokens), default=None)
    advice = (
        f"the longest context that fits here is {fit} symbols" if fit is not None else "ask for a shorter one"
    )
    raise ContextTooLong(
        f"a context of {context_length} symbols is {tokens} tokens; this model was made for {max_tokens}, "
        f"special tokens included: {advice}"
    )
