"""Independent symbols whose probabilities are announced, or to be learned from context.

`probabilities` gives one to each symbol of the set; "dirichlet" draws them anew
for each sequence from the symmetric Dirichlet(alpha). The true law is the
probabilities at every length.

`announced: true` says that the text around the symbols tells the probabilities,
which is for the suite's template to do ("a weighted die with 70% ..."): the
ideal observer, `bayes`, then knows them from the start and learns nothing, and
`unaware` is one who did not read them. Otherwise `bayes` has prior
Dirichlet(alpha) and learns from counts. A symbol that comes although its
announced probability is 0 refutes the announcement: `bayes` is `unaware` from
there on. `unigram_sparse` learns as well which symbols occur at all.

Example: probabilities: dirichlet, rendered with separator ", "

    prompt ' a, a, a, b, c, c, c, a, a, c, a, a,'
    target ' c', p(a) = 0.59, p(b) = 0.14, p(c) = 0.27
"""

import math
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import categorical, dirichlet
from harness.prompts.later import later
from harness.prompts.observers.fallback import unless_refuted
from harness.prompts.observers.sparse import unigrams
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "bayes"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    probabilities: tuple[float, ...] | Literal["dirichlet"] = "dirichlet",
    announced: bool = False,
    alpha: float = 1.0,
    symbols: str | tuple[str, ...] = ("a", "b", "c"),
) -> Sequence:
    """Draw the probabilities, then the symbols."""
    alphabet = alphabet_of(symbols)
    if not (alpha > 0 and math.isfinite(alpha)):
        raise SpecError(f"family 'categorical': alpha={alpha!r} must be finite and > 0")
    given = _given(probabilities, announced, alphabet)
    law = dirichlet(alpha, len(alphabet), rng) if given is None else given
    drawn = categorical(law, length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=np.tile(law, (length + 1, 1)),
        observers=later(
            observe, drawn, alphabet, probabilities=probabilities, announced=announced, alpha=alpha
        ),
        ideal=IDEAL,
        concept=", ".join(f"p({a}) = {p:.2f}" for a, p in zip(alphabet, law, strict=True)),
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    probabilities: tuple[float, ...] | Literal["dirichlet"],
    announced: bool,
    alpha: float,
) -> dict[str, Floats]:
    """Predict from what was announced, and from the counts."""
    m = len(alphabet)
    unaware = observers.dirichlet(symbols, m, alpha)
    law = _given(probabilities, announced, alphabet)
    if not announced or law is None:
        return {"bayes": unaware, **unigrams(symbols, m)}
    told = unless_refuted(np.tile(law, (symbols.size + 1, 1)), symbols, unaware)
    return {"bayes": told, "unaware": unaware, **unigrams(symbols, m)}


def _given(
    probabilities: tuple[float, ...] | Literal["dirichlet"], announced: bool, alphabet: tuple[str, ...]
) -> Floats | None:
    """Return the probabilities that are given, scaled to sum to 1, or None where they are to be drawn."""
    if probabilities == "dirichlet":
        if announced:
            raise SpecError(
                "family 'categorical': announced: true needs probabilities to announce, one for each symbol"
            )
        return None
    p = np.array(probabilities, np.float64)
    if p.size != len(alphabet) or not (np.all(p >= 0) and abs(p.sum() - 1) < 1e-6):
        raise SpecError(
            f"family 'categorical': probabilities={probabilities!r} must be {len(alphabet)} numbers >= 0, "
            f"one for each of {', '.join(alphabet)}, that sum to 1; or 'dirichlet'"
        )
    return np.asarray(p / p.sum())
