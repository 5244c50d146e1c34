"""Examples from one of several hidden Markov models, unknown which, as in GINC (Xie et al. 2022).

A hidden state is an entity and a property. Each state emits one letter, at each
step the entity stays with probability `stay` and else is drawn anew among all,
and the property changes by the law of the model, of which there are `n_models`.
The models differ in that law alone: rows drawn from the symmetric
Dirichlet(`alpha`). All this is drawn once from the seed `library` and is the
same in every sequence; the sizes are parameters, and ours: theirs are 5 models, 10
entities, 10 properties and a vocabulary of 50. What is drawn for each sequence
is the model, uniformly, and examples of exactly `example_length` letters, each
begun in a uniform state and followed by the delimiter "|". A sequence may end
within an example: what follows depends on no total length.
`symbols` are the letters, at most as many as there are states.

The law knows the model, but not its states. The ideal observer `posterior` knows
the library and has Bayes' rule over the models, exact by the forward algorithm.
`one_example` is the same but forgets all examples before the current one: what
`posterior` gains on it is learned across examples. `bigram` counts pairs of
symbols, `kt` symbols. Symbols in a place where they cannot stand tell the first
two nothing; the place alone says where the delimiter comes.

Example: example_length: 5, rendered without a separator

    prompt '34443|69958|36985|93'
    target '9', model 5 of 5
"""

import numpy as np

from harness.errors import SpecError
from harness.prompts import observers
from harness.prompts.draws import integers_below
from harness.prompts.hmm_library import HMMLibrary, hmm_library
from harness.prompts.later import later
from harness.prompts.observers.hmm_library import evidence, one_example, posterior
from harness.prompts.observers.ngram import ngram
from harness.prompts.symbols import alphabet as alphabet_of
from harness.types import Floats, Ints, Sequence

IDEAL = "posterior"
_DELIMITER = "|"


def sample(
    length: int,
    rng: np.random.Generator,
    *,
    n_models: int = 5,
    n_entities: int = 4,
    n_properties: int = 4,
    example_length: int = 8,
    symbols: str | tuple[str, ...] = "digits",
    stay: float = 0.9,
    alpha: float = 1.0,
    library: int = 0,
) -> Sequence:
    """Draw the model, then one example after the other."""
    letters = alphabet_of(symbols)
    if _DELIMITER in letters:
        raise SpecError(
            f"family 'hmm_mixture': symbols={symbols!r} hold {_DELIMITER!r}, which ends an example"
        )
    if example_length < 1:
        raise SpecError(f"family 'hmm_mixture': example_length={example_length!r} must be at least 1")
    alphabet = (*letters, _DELIMITER)
    models = _library(alphabet, library, n_models, n_entities, n_properties, stay, alpha)
    model = int(integers_below(n_models, 1, rng)[0])
    drawn = models.sample(model, length, example_length, rng)
    return Sequence(
        alphabet=alphabet,
        symbols=drawn,
        law=evidence(drawn, models, example_length=example_length).laws[model],
        observers=later(
            observe,
            drawn,
            alphabet,
            n_models=n_models,
            n_entities=n_entities,
            n_properties=n_properties,
            example_length=example_length,
            stay=stay,
            alpha=alpha,
            library=library,
        ),
        ideal=IDEAL,
        concept=f"model {model + 1} of {n_models}",
    )


def observe(
    symbols: Ints,
    alphabet: tuple[str, ...],
    *,
    n_models: int,
    n_entities: int,
    n_properties: int,
    example_length: int,
    stay: float,
    alpha: float,
    library: int,
) -> dict[str, Floats]:
    """Predict from the posterior over the models, from that of one example, and from counts."""
    models = _library(alphabet, library, n_models, n_entities, n_properties, stay, alpha)
    found = evidence(symbols, models, example_length=example_length)
    m = len(alphabet)
    return {
        "posterior": posterior(found),
        "one_example": one_example(found, example_length=example_length),
        "bigram": ngram(symbols, m, k=2),
        "kt": observers.kt(symbols, m),
    }


def _library(
    alphabet: tuple[str, ...],
    seed: int,
    n_models: int,
    n_entities: int,
    n_properties: int,
    stay: float,
    alpha: float,
) -> HMMLibrary:
    return hmm_library(
        seed,
        n_models=n_models,
        n_entities=n_entities,
        n_properties=n_properties,
        n_letters=len(alphabet) - 1,
        stay=stay,
        alpha=alpha,
    )
