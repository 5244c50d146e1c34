"""The small deterministic model that stub servers hold, and its log-probabilities in the shapes of real servers.

One character is one token; pairs in `merges` are one token too.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

VOCABULARY = ("0", "1", "a", "b", ",", " ")
FIRST_ID = 100  # id of the first token of the vocabulary; merged pairs follow

Law = dict[str, float]  # token -> log-probability


def law(text: str) -> Law:
    """The log-probability of every token after a text."""
    return _normalised({t: math.log(1 + 40 * uniform(text, t) ** 4) for t in VOCABULARY})


def biased(known: Law, bias: Mapping[str, float], merges: Sequence[str]) -> Law:
    """A law with a bias on the logits of some tokens, by their ids."""
    ids = {token: str(token_id(token, merges)) for token in known}
    return _normalised({t: v + bias.get(ids[t], 0) for t, v in known.items()})


def token_id(token: str, merges: Sequence[str]) -> int:
    """The id of a token; one that is in no list has the id 0."""
    known = [*VOCABULARY, *merges]
    return FIRST_ID + known.index(token) if token in known else 0


def split(text: str, merges: Sequence[str]) -> list[str]:
    """The tokens of a text: merges first, else characters."""
    tokens: list[str] = []
    while text:
        size = next((len(m) for m in merges if text.startswith(m)), 1)
        tokens.append(text[:size])
        text = text[size:]
    return tokens


def draw(known: Law, u: float) -> str:
    """The token at the point u in [0, 1) of the cumulative law."""
    for token, logprob in known.items():
        u -= math.exp(logprob)
        if u < 0:
            return token
    return VOCABULARY[-1]


def uniform(*key: str) -> float:
    """A number in [0, 1) that depends on the key alone."""
    return int.from_bytes(hashlib.sha256("\0".join(key).encode()).digest()[:8], "big") / 2**64


def best(known: Law, top: int) -> Law:
    """The most probable tokens, best first."""
    return dict(sorted(known.items(), key=lambda item: -item[1])[:top])


Row = tuple[
    str, float | None, Law | None, int
]  # token, its own log-probability, the best in its place, offset


def rows(tokens: Sequence[str], before: str, top: int) -> list[Row]:
    """What is known of each token that follows a text; nothing precedes the first token of all."""
    found: list[Row] = []
    for token in tokens:
        known = law(before)
        known.setdefault(token, -3.0)  # a merged pair
        scored = (known[token], best(known, top) | {token: known[token]}) if before else (None, None)
        found.append((token, *scored, len(before)))
        before += token
    return found


def legacy(found: Sequence[Row], *, offsets: bool = True) -> dict[str, Any]:
    """The shape of OpenAI's completions; SGLang's offsets are all -1."""
    return {
        "tokens": [row[0] for row in found],
        "token_logprobs": [row[1] for row in found],
        "top_logprobs": [row[2] for row in found],
        "text_offset": [row[3] if offsets else -1 for row in found],
    }


def content(prompt: str, text: str, top: int) -> dict[str, Any]:
    """The shape of chats, of the first generated token alone."""
    known = law(prompt)
    listed = [{"token": t, "logprob": v, "bytes": None} for t, v in best(known, top).items()]
    first = {"token": text[:1], "logprob": known.get(text[:1], -9.0), "bytes": None, "top_logprobs": listed}
    return {"content": [first]}


def by_id(found: Sequence[Row], merges: Sequence[str]) -> list[dict[str, Any] | None]:
    """The shape of vLLM's `prompt_logprobs`: candidates by id in the order of their rank."""
    entries: list[dict[str, Any] | None] = []
    for _, _, top, _ in found:
        ranked = sorted((top or {}).items(), key=lambda item: -item[1])
        entry = {
            str(token_id(token, merges)): {"logprob": value, "rank": rank, "decoded_token": token}
            for rank, (token, value) in enumerate(ranked, start=1)
        }
        entries.append(entry or None)
    return entries


def tokenized(body: Mapping[str, Any], vllm: bool, merges: Sequence[str]) -> dict[str, Any]:
    """What /tokenize answers: llama.cpp gives ids with pieces, vLLM ids and strings of the vocabulary apart."""
    pieces = split(body["prompt"] if vllm else body["content"], merges)
    ids = [token_id(piece, merges) for piece in pieces]
    if not vllm:
        return {"tokens": [{"id": i, "piece": piece} for i, piece in zip(ids, pieces, strict=True)]}
    strings = pieces if body.get("return_token_strs") else None
    return {"count": len(ids), "max_model_len": 1000, "tokens": ids, "token_strs": strings}


def _normalised(logits: Mapping[str, float]) -> Law:
    most = max(logits.values())
    total = most + math.log(sum(math.exp(v - most) for v in logits.values()))
    return {t: v - total for t, v in logits.items()}
