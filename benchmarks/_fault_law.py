"""The model behind the fault campaign's stub server: what it answers to any text, computed from the text alone.

One character is one token. After any text the next token is "0", "1" or, with
probability 0.05, "x", which is no symbol of the suites. Everything follows from
a hash, so that the campaign knows what every reply should have said.
"""

import hashlib
import math
from collections import Counter

TOKENS = ("0", "1", "x")
_OTHER = 0.05  # probability of "x": draws then hold something that is no symbol
_UNLIKELY = -7.0  # log-probability of an echoed token that is not in TOKENS (the header of a prompt)


def uniform(*key: object) -> float:
    """Return a number in [0, 1) that follows from the key."""
    text = "\0".join(map(str, key)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64


def law(text: str) -> dict[str, float]:
    """Return the probability of every token after a text: p(1) lies between 0.1 and 0.8."""
    one = 0.1 + 0.7 * uniform("law", text)
    return {"0": 1 - _OTHER - one, "1": one, "x": _OTHER}


def p_target(text: str, target: str) -> float:
    """Return what a right measurement finds: the probability of the target among the symbols "0" and "1"."""
    p = law(text)
    return p[target] / (p["0"] + p["1"])


def draws(text: str, n: int, seed: int, length: int = 1) -> list[str]:
    """Return n texts of `length` tokens; choice i is drawn with seed + i, as llama.cpp and vLLM do."""
    return [_draw(text, seed + i, length) for i in range(n)]


def counts(drawn: list[str]) -> dict[str, int]:
    """Return how often each symbol and the other token was drawn."""
    found = Counter(drawn)
    return {token: found[token] for token in TOKENS}


def logprobs(text: str, generated: str, top: int, *, echo: bool) -> dict[str, list[object]]:
    """Return log-probabilities in the shape of the legacy completions, prompt included where echoed."""
    tokens, start = (list(text) + list(generated), 0) if echo else (list(generated), len(text))
    whole = text + generated
    own: list[object] = []
    tops: list[object] = []
    for i in range(len(tokens)):
        at = start + i
        if at == 0:  # nothing precedes the first token
            own.append(None)
            tops.append(None)
            continue
        best = {token: math.log(p) for token, p in law(whole[:at]).items()}
        own.append(best.get(tokens[i], _UNLIKELY))
        tops.append(dict(sorted(best.items(), key=lambda item: -item[1])[:top]))
    offsets: list[object] = list(range(start, start + len(tokens)))
    return {"tokens": list(tokens), "token_logprobs": own, "top_logprobs": tops, "text_offset": offsets}


def chat_logprobs(text: str, generated: str, top: int) -> dict[str, list[object]]:
    """Return log-probabilities of the first token in the shape of the chat completions."""
    found = sorted(law(text).items(), key=lambda item: -item[1])
    best = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in found]
    first = next(entry for entry in best if entry["token"] == generated[0])
    return {"content": [{**first, "top_logprobs": best[:top]}]}


def _draw(text: str, seed: int, length: int) -> str:
    drawn = ""
    for step in range(length):
        u = uniform("draw", seed, step, text)
        p = law(text + drawn)
        drawn += "0" if u < p["0"] else "1" if u < p["0"] + p["1"] else "x"
    return drawn
