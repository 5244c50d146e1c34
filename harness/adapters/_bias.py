"""Probing for draws restricted to the symbols, by a logit bias on their tokens.

The same bias on every symbol leaves their odds among each other as they are
and takes e^100 from everything else: what is drawn then follows the
distribution renormalised over the symbols, which is the one that is measured.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.adapters._dialect import BIAS
from harness.adapters._probe_record import Record
from harness.adapters._probe_sampling import TOKENS, draw_texts
from harness.types import Failure, Prompt

_ALONE = 2  # symbols that are each asked for alone
_CONTEXT = 4


@dataclass(frozen=True, slots=True)
class Bias:
    """Whether a bias on the tokens of the symbols decides what is drawn."""

    honoured: bool
    finding: str


async def probe_bias(record: Record, prompt: Prompt, ids: Mapping[str, int]) -> Bias:
    """Ask for two of the symbols alone, 16 times each after the same context, then for all of them.

    A bias on a symbol that would have been drawn anyway proves nothing. Two
    different symbols cannot both be what 16 free draws give.
    """
    surfaces = tuple(dict.fromkeys(prompt.surfaces))
    if not set(surfaces) <= ids.keys():
        return Bias(False, "logit_bias is not probed: the tokens of the symbols are not known by id")
    if len(surfaces) < _ALONE:
        return Bias(False, "logit_bias is not probed: there is one symbol only")
    if prompt.form == "chat" and any(surface != surface.strip() for surface in surfaces):
        return Bias(
            False, "logit_bias is not probed: a chat's answer starts without the blank of the symbols"
        )
    for surface in surfaces[:_ALONE]:
        text = await _drawn(record, prompt, [ids[surface]])
        if isinstance(text, Failure):
            return Bias(False, f"logit_bias is refused: {text.detail}")
        name = _bare(surface)
        if text != name * (len(text) // len(name)) or len(text) < TOKENS * len(name) // 2:
            return Bias(
                False, f"logit_bias is ignored: {surface!r} alone was asked for and {text[:12]!r} came"
            )
    text = await _drawn(record, prompt, [ids[surface] for surface in surfaces])
    if isinstance(text, Failure):
        return Bias(False, f"logit_bias on all {len(surfaces)} symbols is refused: {text.detail}")
    if not re.fullmatch("|".join(map(re.escape, map(_bare, surfaces))).join(("(?:", ")+")), text):
        return Bias(False, f"logit_bias on all symbols does not restrict draws to them: {text[:12]!r} came")
    return Bias(True, "logit_bias is honoured: draws can be restricted to the symbols")


async def _drawn(record: Record, prompt: Prompt, ids: list[int]) -> str | Failure:
    bias = {str(token): BIAS for token in ids}
    texts = await draw_texts(record, prompt, _CONTEXT, logit_bias=bias)
    if isinstance(texts, Failure):
        return texts
    begun = prompt.text(_CONTEXT) if prompt.form == "prefill" else ""
    return _bare(texts[0].removeprefix(begun))  # llama.cpp repeats what was begun


def _bare(text: str) -> str:
    return "".join(text.split())
