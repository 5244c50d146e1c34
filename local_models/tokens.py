"""How a tokenizer splits a text: its tokens, where they end, and what to call them."""

from collections.abc import Sequence as Seq
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.types import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def tokenize(tokenizer: "PreTrainedTokenizerFast", prompt: Prompt, text: str) -> tuple[list[int], list[int]]:
    """Return the tokens of a text and the character at which each ends.

    What the tokenizer puts before a text (BOS) is included and ends at 0; what it
    puts after one (EOS) is left out, because the text goes on. A chat template
    writes such tokens itself.
    """
    encoded = tokenizer(
        text or "0",
        add_special_tokens=prompt.form != "prefill",
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        verbose=False,
    )
    own = [i for i, special in enumerate(encoded["special_tokens_mask"]) if not special]
    stop = own[-1] + 1 if text else own[0]
    return list(encoded["input_ids"])[:stop], [end for _, end in encoded["offset_mapping"]][:stop]


def token_texts(tokenizer: "PreTrainedTokenizerFast", text: str) -> list[str]:
    """Return what each token of a text stands for, without BOS; one outside the vocabulary by its name.

    A token reaches from the end of the one before it: tokenizers leave its blank
    out of the characters that they say it starts at.
    """
    if not text:
        return []
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    spans = pairwise([0, *(end for _, end in encoded["offset_mapping"])])
    return [
        str(tokenizer.unk_token) if token == tokenizer.unk_token_id else text[start:end]
        for (start, end), token in zip(spans, encoded["input_ids"], strict=True)
    ]


def seen(
    tokenizer: "PreTrainedTokenizerFast", tokens: list[int], ends: list[int], low: int, high: int
) -> str:
    """Return the names of the tokens that hold the characters from `low` up to `high`."""
    first = next((i for i, end in enumerate(ends) if end > low), len(ends))
    last = next((i for i, end in enumerate(ends) if end >= high), len(ends))
    return names(tokenizer, tokens[first : last + 1])


def names(tokenizer: "PreTrainedTokenizerFast", tokens: Seq[int]) -> str:
    """Return tokens by their names in the vocabulary, for a person."""
    return " ".join(repr(t) for t in tokenizer.convert_ids_to_tokens(list(tokens))) or "nothing"
