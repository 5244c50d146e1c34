"""Announcing: a prompt that asks for a sequence of random draws and says what law they should have.

The task is that of Bigelow et al. (2024): flips of a coin whose bias is told.
The wording is ours, see `data/wordings.yaml`.
"""

from harness.types import Floats

LAW = "{law}"  # the slot that tells the probabilities


def announce(text: str, *, names: tuple[str, ...], law: Floats, length: int, separator: str) -> str:
    """Return a template or an instruction with its slots for the draws filled in.

    "{length}" is how many are wanted, "{symbols}" what they may be, "{law}" that
    with the probability of each in per cent, "{example}" how they are written.
    `law` has shape (n_symbols,) and the order of `names`.
    """
    told = [f"{name} with {100 * p:.10g}% probability" for name, p in zip(names, law, strict=True)]
    slots = {
        "{length}": str(length),
        "{symbols}": _alternatives(list(names)),
        LAW: _alternatives(told),
        "{example}": separator.join(names),
    }
    for slot, words in slots.items():
        text = text.replace(slot, words)
    return text


def _alternatives(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
