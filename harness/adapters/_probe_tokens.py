"""Probing for symbols that are not single tokens: by the server's /tokenize, else by what it echoed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.adapters._calls import Calls
from harness.adapters._echo import align, symbol_at, through_target
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._payload import Position
from harness.adapters._symbols import decoded
from harness.adapters._transport import HttpReply
from harness.types import Failure, Prompt, Response

Written = tuple[str, str]  # a surface and what stands between symbols


@dataclass(frozen=True, slots=True)
class Tokens:
    """How symbols are tokenized where they stand between other symbols."""

    finding: str
    single: frozenset[Written] = frozenset()  # seen to be one token
    split: Mapping[Written, str] = field(default_factory=dict)  # seen not to be, and how
    ids: Mapping[str, int] = field(default_factory=dict)  # of the surfaces that are one token, where known

    def with_more(self, other: "Tokens") -> "Tokens":
        """Return what is known with another probe's; the other's finding stands."""
        return Tokens(
            other.finding,
            self.single | other.single,
            {**self.split, **other.split},
            {**self.ids, **other.ids},
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    token: int


async def probe_tokens(calls: Calls, prompt: Prompt, echoed: Response | None) -> Tokens:
    """Find out which symbols of the probe prompt are one token each; empty where the server cannot tell."""
    longest = len(prompt.symbols) - 1
    tokenized = await _tokenize(calls, through_target(prompt, longest))
    judged = None if tokenized is None else _by_pieces(prompt, longest, *tokenized)
    if judged is not None:
        return judged
    if echoed is not None:
        seen = dict.fromkeys(range(longest + 1), "")
        seen |= {n: f.detail for n, f in echoed.failures if f.kind == "tokenization"}
        return _judge(prompt, seen, "the echoed tokens")
    return Tokens("whether each symbol is one token is not known: the server has no /tokenize")


async def tokens_of(calls: Calls, text: str) -> list[str] | None:
    """Return what each token of a text stands for; None where the server cannot tell or spells it otherwise."""
    tokenized = await _tokenize(calls, text) if text else ([], True)
    if tokenized is None:
        return None
    found: list[str] = []
    at = 0
    for piece in tokenized[0]:
        plain = decoded(piece.text)
        # SentencePiece puts a space before the first word of a text; it belongs to none of its characters.
        spellings = (piece.text, plain, *([plain.removeprefix(" ")] if at == 0 else []))
        written = next(
            (spelling for spelling in spellings if spelling and text.startswith(spelling, at)), None
        )
        if written is None:  # outside the vocabulary, or a part of a character
            return None
        found.append(written)
        at += len(written)
    return found if at == len(text) else None


async def _tokenize(calls: Calls, text: str) -> tuple[list[_Piece], bool] | None:
    """Return the tokens of a text and whether they are its very characters, None if the server cannot tell.

    llama.cpp gives characters, vLLM strings of the vocabulary. Each reads its own fields of the body and
    ignores the other's.
    """
    if calls.strict or not isinstance(calls.endpoint, HttpEndpoint):
        return None
    llama = {"content": text, "add_special": False, "with_pieces": True}
    vllm = {"model": calls.model, "prompt": text, "add_special_tokens": False, "return_token_strs": True}
    reply = await calls.endpoint.at_root().post("/tokenize", {**llama, **vllm})
    if not isinstance(reply, HttpReply) or reply.status != 200:
        return None
    try:
        said = json.loads(reply.body)
        if said.get("token_strs") is None:
            return [_Piece(_text(token["piece"]), int(token["id"])) for token in said["tokens"]], True
        pairs = zip(said["token_strs"], said["tokens"], strict=True)
        # Byte-level vocabularies write a line break so; leading blanks are known to the alignment.
        return [_Piece(_text(string).replace("Ċ", "\n"), int(token)) for string, token in pairs], False
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _text(piece: object) -> str:
    # A piece that is no valid text of its own comes as a list of bytes.
    return piece if isinstance(piece, str) else "\ufffd"


def _by_pieces(prompt: Prompt, longest: int, pieces: list[_Piece], characters: bool) -> Tokens | None:
    """Judge every symbol of the prompt by the pieces of its text, None where they cannot tell."""
    text = through_target(prompt, longest)
    aligned = align(text, [Position(piece.text, None, None, ()) for piece in pieces])
    if aligned.end < len(text) and not characters:
        return None  # a byte-level vocabulary spells other than ASCII in letters of its own
    reasons: dict[int, str] = {}
    ids: dict[str, int] = {}
    for n, start in enumerate(prompt.starts(longest)):
        found = symbol_at(prompt, n, start, aligned)
        reasons[n] = found.detail if isinstance(found, Failure) else ""
        if n and not reasons[n]:  # at the start of a text some tokenizers take another token
            ids[prompt.surfaces[prompt.symbols[n]]] = pieces[aligned.by_start[start].place].token
    return _judge(prompt, reasons, "/tokenize", ids)


def _judge(
    prompt: Prompt, reasons: dict[int, str], source: str, ids: Mapping[str, int] | None = None
) -> Tokens:
    split: dict[Written, str] = {}
    for n, reason in reasons.items():
        if reason:
            split.setdefault((prompt.surfaces[prompt.symbols[n]], prompt.between), reason)
    written = {(prompt.surfaces[s], prompt.between) for s in prompt.symbols}
    single = frozenset(written - split.keys())
    if not split:
        return Tokens(f"every symbol is one token, by {source}", single, {}, ids or {})
    names = ", ".join(repr(surface) for surface, _ in split)
    return Tokens(f"not one token, by {source}: {names}", single, split)
