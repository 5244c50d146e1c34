"""Log-probabilities of a prompt that stand beside the answer: vLLM's `prompt_logprobs`, Together's `prompt`.

vLLM lists at every position the prompt's own token and the most probable ones
by token id, the first position null, and names the own token by
`prompt_token_ids` alone. Together lists tokens with their own log-probability
and no alternatives. Sources: vllm/entrypoints/openai/completion/protocol.py,
together 3.1.1 types/completion.py.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.adapters._echo import written_at
from harness.adapters._payload import Position, positions
from harness.adapters._wire import Logprobs, Payload, PromptToken
from harness.types import Failure

_LONGEST_TOKEN = 32  # characters of a prompt's first token, whose text vLLM does not report
_Entry = Mapping[str, PromptToken]  # by token id


def prompt_positions(payload: Payload, text: str) -> list[Position] | Failure | None:
    """Return the tokens of the prompt `text`, or why they cannot be read; None if the reply holds none."""
    choice = payload.choices[0]
    if choice.prompt_logprobs:
        return _by_id(choice.prompt_logprobs, choice.prompt_token_ids, text)
    if payload.prompt and payload.prompt[0].logprobs is not None:
        return positions(payload.prompt[0].logprobs)
    return None


def _by_id(
    entries: Sequence[_Entry | None], ids: Sequence[int] | None, text: str
) -> list[Position] | Failure:
    if ids is not None and len(ids) != len(entries):
        return Failure("malformed", f"{len(entries)} prompt_logprobs for {len(ids)} prompt_token_ids")
    scored = [entry for entry in entries[1:] if entry is not None]
    if len(scored) < len(entries) - 1:
        return Failure("truncated", "some prompt_logprobs are null: part of the prompt was not scored")
    own = None if ids is None else [str(token) for token in ids[1:]]
    # The first token has no entry and so no text: it is a BOS, or what the others leave of the prompt.
    for size in range(min(len(text), _LONGEST_TOKEN) + 1):
        spelled = _spelled(text, size, scored, own)
        if spelled is not None:
            tops = [_summed(entry) for entry in scored]
            return positions(
                Logprobs(
                    tokens=[text[:size], *spelled],
                    token_logprobs=[None, *(top[token] for top, token in zip(tops, spelled, strict=True))],
                    top_logprobs=[None, *tops],
                )
            )
    unnamed = "" if ids else "; without prompt_token_ids a token must be the only one listed that fits"
    return Failure("tokenization", f"the tokens of prompt_logprobs do not spell the prompt{unnamed}")


def _spelled(text: str, start: int, scored: Sequence[_Entry], own: Sequence[str] | None) -> list[str] | None:
    """Return the prompt's own token of every entry, None if they do not spell `text` from `start` to its end."""
    at, tokens = start, []
    for i, entry in enumerate(scored):
        keys = entry.keys() if own is None else {own[i]} & entry.keys()
        candidates = {entry[key].decoded_token or "" for key in keys}
        fitting = {token: written for token in candidates if (written := written_at(text, at, token))}
        if len(fitting) != 1:
            return None
        ((token, written),) = fitting.items()
        tokens.append(token)
        at += len(written)
    return tokens if at == len(text) else None


def _summed(entry: _Entry) -> dict[str, float]:
    """Return log-probabilities by text; ids that are decoded to the same text are summed."""
    top: dict[str, float] = {}
    for candidate in entry.values():
        text, value = candidate.decoded_token or "", candidate.logprob
        top[text] = float(np.logaddexp(top[text], value)) if text in top else value
    return top
