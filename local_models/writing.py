"""Texts that a local model writes freely: token after token with its keys and values kept, many rows at once."""

import inspect
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_LOOK = 16  # tokens between two looks at whether a text is long enough


@dataclass(frozen=True, slots=True)
class TextJob:
    """One text to be written."""

    tokens: tuple[int, ...]  # of the context, at least one
    seed: int
    characters: int  # a text of as many is long enough
    most_tokens: int  # to be written, at least 1


@dataclass(frozen=True, slots=True)
class Text:
    """What was written behind a context."""

    text: str
    tokens: int
    ended: bool  # by the model's own end of text


def write_texts(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", jobs: Seq[TextJob]
) -> list[Text]:
    """Write on from each context until the text is long enough, the model ends it, or its tokens are used up.

    The contexts must have one number of tokens. Every token is drawn on the CPU
    from the float64 probabilities of the whole vocabulary at temperature 1, by a
    generator of the row's own seed: which rows run together decides nothing but
    the rounding of the logits.
    """
    import torch

    ends = _end_tokens(model)
    generators = [torch.Generator().manual_seed(job.seed) for job in jobs]
    written: list[list[int]] = [[] for _ in jobs]
    texts = [_reader(tokenizer, job.tokens) for job in jobs]
    going = set(range(len(jobs)))
    rows = torch.tensor([job.tokens for job in jobs])
    step = _stepper(model)
    while going:
        p = torch.softmax(step(rows).double(), dim=-1).cpu()
        # A row that is done is drawn for all the same: caches of some models cannot lose a row.
        drawn = [torch.multinomial(row, 1, generator=g) for row, g in zip(p, generators, strict=True)]
        rows = torch.cat([rows, torch.stack(drawn)], dim=1)
        for i in sorted(going):
            written[i].append(int(drawn[i]))
            if _done(jobs[i], written[i], ends, texts[i]):
                going.discard(i)
    return [
        Text(text(_without_end(tokens, ends)), len(tokens), tokens[-1] in ends)
        for tokens, text in zip(written, texts, strict=True)
    ]


def _stepper(model: "PreTrainedModel") -> "Callable[[torch.Tensor], torch.Tensor]":
    """Return what gives the logits after rows that grow by a token a call: (n_rows, vocabulary).

    What was computed of a prefix is kept where the model can; else all is computed anew.
    """
    import torch

    keeps = "past_key_values" in inspect.signature(model.forward).parameters
    cache, seen = None, 0

    def step(rows: "torch.Tensor") -> "torch.Tensor":
        nonlocal cache, seen
        arguments = {"past_key_values": cache, "use_cache": True} if keeps else {"use_cache": False}
        with torch.inference_mode():
            out = model(rows[:, seen if keeps else 0 :].to(model.device), **arguments)
        if keeps:
            cache, seen = out.past_key_values, rows.shape[1]
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    return step


def _reader(tokenizer: "PreTrainedTokenizerFast", context: Seq[int]) -> Callable[[Seq[int]], str]:
    """Return what turns tokens behind a context into text: decoded with it, since tokenizers drop a leading blank."""
    before = _decoded(tokenizer, context)
    return lambda tokens: _decoded(tokenizer, [*context, *tokens])[len(before) :]


def _decoded(tokenizer: "PreTrainedTokenizerFast", tokens: Seq[int]) -> str:
    # Tokens that are no text stay in it by their names: left out, what stands on both sides would run together.
    return str(tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _done(job: TextJob, tokens: list[int], ends: frozenset[int], text: Callable[[Seq[int]], str]) -> bool:
    if tokens[-1] in ends or len(tokens) >= job.most_tokens:
        return True
    return len(tokens) % _LOOK == 0 and len(text(tokens)) >= job.characters


def _without_end(tokens: list[int], ends: frozenset[int]) -> list[int]:
    return tokens[:-1] if tokens[-1] in ends else tokens


def _end_tokens(model: "PreTrainedModel") -> frozenset[int]:
    """Return the tokens by which this model ends a text: what its checkpoint says of generation, else of itself."""
    for config in (model.generation_config, model.config.get_text_config()):
        found = getattr(config, "eos_token_id", None)
        if found is not None:
            return frozenset(found if isinstance(found, list) else [found])
    return frozenset()
