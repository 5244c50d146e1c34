"""Independent flips of a coin whose bias changes at moments that are to be noticed from context.

`changes` lists the positions, 0-based, of the first flips under a new bias;
"hazard" draws them: before each flip but the first the bias changes with
probability `hazard`. `biases` lists the probabilities of the first symbol, one
for each stretch, taken in turn from the start again where changes are drawn;
"uniform" draws each from Beta(1, 1). The coin of Gupta et al. 2025 is
`biases: [0.75, 0.25], changes: [50]`. The true law is the bias in force.

The ideal observer, `change_point`, knows neither biases nor moments: changes
come with probability `hazard`, each bias is uniform before it is seen. For
listed changes `hazard` is what it believes of them. `discounted` forgets:
counts fade by 1 - hazard a flip, so that it looks back about as far as the
bias has lasted on average. `kt` takes all flips for one coin's.

Example: biases: uniform, changes: hazard, rendered with separator ", "

    prompt ' H, T, T, T, T, T, H, T, T, H, H, T,'
    target ' T', p(H) = 0.59, drawn anew now and then
"""

from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import uniforms
from harness.prompts.later import later
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Bools, Floats, Ints, Sequence

IDEAL = "change_point"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    biases: tuple[float, ...] | Literal["uniform"] = "uniform",
    changes: tuple[int, ...] | Literal["hazard"] = "hazard",
    hazard: float = 0.02,
    symbols: str | tuple[str, ...] = "coin",
) -> Sequence:
    """Draw whether the bias changes, the bias and the flip, position by position."""
    alphabet = alphabet_of(symbols)
    if len(alphabet) != 2:
        raise SpecError(
            f"family 'changing_bias': symbols={symbols!r} has {len(alphabet)} symbols; a coin has 2"
        )
    _check(biases, changes, hazard)
    u = uniforms(3 * (length + 1), rng).reshape(-1, 3)  # of the change, of a new bias, of the flip
    stretch = _stretches(changes, u[:, 0] < hazard)
    if biases == "uniform":
        first = np.flatnonzero(np.diff(stretch, prepend=-1))
        bias = u[first, 1][stretch]
    else:
        bias = np.array(biases, np.float64)[stretch % len(biases)]
    drawn = (u[:length, 2] >= bias[:length]).astype(np.int64)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=np.stack([bias, 1 - bias], axis=1),
        observers=later(observe, drawn, alphabet, hazard=hazard),
        ideal=IDEAL,
        concept=_in_words(alphabet[0], biases, changes, float(bias[0])),
    )


def observe(symbols: Ints, alphabet: tuple[str, ...], *, hazard: float) -> dict[str, Floats]:
    """Predict from the flips since the last change, since not too long, and from all flips."""
    m = len(alphabet)
    return {
        "change_point": observers.change_point(symbols, m, hazard=hazard, alpha=1.0),
        "discounted": observers.discounted(symbols, m, 1 - hazard),
        "kt": observers.kt(symbols, m),
    }


def _stretches(changes: tuple[int, ...] | Literal["hazard"], changed: Bools) -> Ints:
    """Return the number of changes up to each position."""
    if changes == "hazard":
        changed = changed.copy()
        changed[0] = False
        return np.cumsum(changed).astype(np.int64)
    return np.searchsorted(np.array(changes), np.arange(changed.size), side="right").astype(np.int64)


def _check(
    biases: tuple[float, ...] | Literal["uniform"],
    changes: tuple[int, ...] | Literal["hazard"],
    hazard: float,
) -> None:
    where = "family 'changing_bias'"
    if not 0 < hazard < 1:
        raise SpecError(f"{where}: hazard={hazard!r} must be above 0 and below 1")
    if biases != "uniform" and not (len(biases) > 1 and all(0 <= p <= 1 for p in biases)):
        raise SpecError(f"{where}: biases={biases!r} must be two or more numbers in 0..1, or 'uniform'")
    if changes == "hazard":
        return
    if not changes or list(changes) != sorted(set(changes)) or changes[0] < 1:
        raise SpecError(f"{where}: changes={changes!r} must be ascending positions from 1 on, or 'hazard'")
    if biases != "uniform" and len(biases) != len(changes) + 1:
        raise SpecError(
            f"{where}: {len(biases)} biases and {len(changes)} changes; there must be one bias more"
        )


def _in_words(
    symbol: str,
    biases: tuple[float, ...] | Literal["uniform"],
    changes: tuple[int, ...] | Literal["hazard"],
    first: float,
) -> str:
    """Return e.g. "p(H) = 0.75, 0.25, changed at 50". Where changes are drawn the first bias stands for all."""
    shown = [first] if biases == "uniform" else list(biases)
    then = "drawn anew" if biases == "uniform" else "changed"
    at = "now and then" if changes == "hazard" else f"at {', '.join(map(str, changes))}"
    return f"p({symbol}) = {', '.join(f'{p:.2f}' for p in shown)}, {then} {at}"
