"""Probing for symbols that are not single tokens: by the server's /tokenize, else by what it echoed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.adapters._echo import align, symbol_at, through_target
from harness.adapters._endpoint import Endpoint, HttpEndpoint
from harness.adapters._payload import Position
from harness.adapters._transport import HttpReply
from harness.types import Failure, Prompt, Response

Written = tuple[str, str]  # a surface and what stands between symbols


@dataclass(frozen=True, slots=True)
class Tokens:
    """How symbols are tokenized where they stand between other symbols."""

    finding: str
    single: frozenset[Written] = frozenset()  # seen to be one token
    split: dict[Written, str] = field(default_factory=dict)  # seen not to be, and how


async def probe_tokens(endpoint: Endpoint, prompt: Prompt, echoed: Response | None) -> Tokens:
    """Find out which symbols of the probe prompt are one token each; empty where the server cannot tell."""
    longest = len(prompt.symbols) - 1
    pieces = await _tokenize(endpoint, through_target(prompt, longest))
    if pieces is not None:
        return _judge(prompt, dict(_by_pieces(prompt, longest, pieces)), "/tokenize")
    if echoed is not None:
        seen = dict.fromkeys(range(longest + 1), "")
        seen |= {n: f.detail for n, f in echoed.failures if f.kind == "tokenization"}
        return _judge(prompt, seen, "the echoed tokens")
    return Tokens("whether each symbol is one token is not known: the server has no /tokenize")


async def _tokenize(endpoint: Endpoint, text: str) -> list[str] | None:
    """Return the tokens of a text from llama.cpp's server, None from any other."""
    if not isinstance(endpoint, HttpEndpoint):
        return None
    body = {"content": text, "add_special": False, "with_pieces": True}
    reply = await endpoint.at_root().post("/tokenize", body)
    if not isinstance(reply, HttpReply) or reply.status != 200:
        return None
    try:
        pieces = [token["piece"] for token in json.loads(reply.body)["tokens"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    # A piece that is no valid text of its own comes as a list of bytes.
    return [piece if isinstance(piece, str) else "\ufffd" for piece in pieces]


def _by_pieces(prompt: Prompt, longest: int, pieces: list[str]) -> Iterator[tuple[int, str]]:
    """Yield for each symbol of the prompt why it is not one token, "" if it is."""
    text = through_target(prompt, longest)
    aligned = align(text, [Position(piece, None, None, ()) for piece in pieces])
    for n, start in enumerate(prompt.starts(longest)):
        found = symbol_at(prompt, n, start, aligned)
        yield n, found.detail if isinstance(found, Failure) else ""


def _judge(prompt: Prompt, reasons: dict[int, str], source: str) -> Tokens:
    split: dict[Written, str] = {}
    for n, reason in reasons.items():
        if reason:
            split.setdefault((prompt.surfaces[prompt.symbols[n]], prompt.between), reason)
    written = {(prompt.surfaces[s], prompt.between) for s in prompt.symbols}
    single = frozenset(written - split.keys())
    if not split:
        return Tokens(f"every symbol is one token, by {source}", single)
    names = ", ".join(repr(surface) for surface, _ in split)
    return Tokens(f"not one token, by {source}: {names}", single, split)
