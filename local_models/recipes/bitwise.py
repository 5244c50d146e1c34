"""A hidden bitwise operation, to be found from examples: Han et al. 2024, at one bit, with exact Bayes beside it.

A sequence is ten examples, each a query (one letter for each pair of bits) and
the bit that the hidden operation makes of it. One of six operations is hidden,
all equally likely. It is the task family `bitwise` in `form: letters`.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np

from harness.local_models.recipe import BOS, Batch, Predict, Recipe
from harness.local_models.training_loop import log_steps
from harness.types import Floats, Ints

OPERATIONS: Mapping[str, tuple[int, int, int, int]] = {  # results of 00, 01, 10, 11
    "AND": (0, 0, 0, 1),
    "NAND": (1, 1, 1, 0),
    "OR": (0, 1, 1, 1),
    "NOR": (1, 0, 0, 0),
    "XOR": (0, 1, 1, 0),
    "XNOR": (1, 0, 0, 1),
}
SYMBOLS = "abcd01"  # the pairs 00, 01, 10, 11, then the bits
EXAMPLES = 10
LAW = """\
Every sequence is BOS and ten examples "query, result". A query is one of the letters `a b c d`, which stand for
the pairs of bits 00, 01, 10 and 11, drawn independently and uniformly; the result is the bit that one operation
makes of the pair. The operation is hidden and uniform on AND, NAND, OR, NOR, XOR and XNOR in each sequence
(Han, Song, Gore & Agrawal 2024, arXiv 2412.12276, at one bit). Queries and results count in the loss.
"""
_TABLES = np.array(list(OPERATIONS.values()))
_MEASURED = 2048  # sequences


def draw(rng: np.random.Generator, batch: int) -> tuple[Ints, Ints]:
    """Return sequences (batch, 2 EXAMPLES), as indices into SYMBOLS, and the operation of each (batch,)."""
    operation = rng.integers(len(_TABLES), size=batch)
    query = rng.integers(4, size=(batch, EXAMPLES))
    result = 4 + _TABLES[operation[:, None], query]
    return np.stack([query, result], axis=-1).reshape(batch, -1), operation


def tokens(sequences: Ints) -> Ints:
    """Return sequences as tokens, BOS first."""
    return np.hstack([np.full((len(sequences), 1), BOS), 2 + sequences])


def sample_batch(rng: np.random.Generator, batch: int) -> Batch:
    """Draw the sequences of one step."""
    sequences, _ = draw(rng, batch)
    return Batch(tokens(sequences), np.ones((batch, 2 * EXAMPLES), dtype=np.bool_))


def bayes_curves(examples: int = EXAMPLES) -> tuple[Floats, Floats]:
    """Return exact Bayes after k = 0..examples - 1 examples: (mean p of the right bit, accuracy).

    All that k examples tell is the set of queries seen, S, and their results:
    p(right bit of q) = (operations that agree with the hidden one on S and q) /
    (those that agree on S), averaged over operations, q and the law of S, which
    grows by a uniform query an example. Where both bits are equally probable
    the accuracy counts a half.
    """
    agree = _TABLES[:, None, :] == _TABLES[None, :, :]  # (operation, other, query)
    probability, accuracy = np.empty(16), np.empty(16)
    for s, seen in enumerate(product((False, True), repeat=4)):
        left = agree[:, :, np.array(seen)].all(axis=2)
        right = (left[:, :, None] & agree).sum(axis=1) / left.sum(axis=1)[:, None]
        probability[s] = right.mean()
        accuracy[s] = ((right > 0.5) + 0.5 * (right == 0.5)).mean()
    grow = np.zeros((16, 16))
    for s, query in product(range(16), range(4)):
        grow[s, s | 8 >> query] += 1 / 4
    law = np.eye(16)[0]
    rows = []
    for _ in range(examples):
        rows.append((law @ probability, law @ accuracy))
        law = law @ grow
    p, right_bit = np.array(rows).T
    return p, right_bit


def p_right(predict: Predict, sequences: Ints) -> Floats:
    """Return the probability of each example's right bit, of the two bits: (batch, EXAMPLES)."""
    logp = predict(tokens(sequences)[:, :-1]).astype(np.float64)[:, 1::2, [2 + 4, 2 + 5]]
    right = (sequences[:, 1::2] - 4)[..., None]
    chosen = np.take_along_axis(logp, right, axis=-1)[..., 0]
    return np.asarray(np.exp(chosen - np.logaddexp(logp[..., 0], logp[..., 1])))


def measure(predict: Predict, rng: np.random.Generator) -> Mapping[str, Floats]:
    """Return p of the right bit and accuracy after each number of examples, of the model and of exact Bayes."""
    sequences, _ = draw(rng, _MEASURED)
    p = p_right(predict, sequences)
    bayes_p, bayes_accuracy = bayes_curves()
    return {
        "p(right bit)": p.mean(axis=0),
        "p(right bit), exact Bayes": bayes_p,
        "accuracy": (p > 0.5).mean(axis=0),
        "accuracy, exact Bayes": bayes_accuracy,
    }


RECIPE = Recipe(
    name="bitwise",
    law=LAW,
    symbols=SYMBOLS,
    sample_batch=sample_batch,
    measure=measure,
    positions=2 * EXAMPLES + 1,
    layers=3,
    width=48,
    heads=4,
    steps=2500,
    checkpoints=log_steps(16, 2500, per_octave=4),
    batch_size=64,
    learning_rate=4e-3,
    columns="columns are examples before the one asked. Probabilities are renormalised over the two bits",
)
