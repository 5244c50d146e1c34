"""What the bundled model does in context, measured by direct code for its card and its tests.

Every curve is p(target) renormalised over the symbols of its kind, at context
lengths 0 to 256, on sequences the model has not seen.
"""

from collections.abc import Mapping

import numpy as np

from harness.local_models.recipe import BOS, Predict, token_ids
from harness.local_models.recipes import _laws as laws
from harness.types import Floats, Ints

LONGEST = 256  # context length; a sequence holds one symbol more, the last target
LEVELS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_ALL = "HTxy01abcdefghijklmnop23456789"
LETTERS = "abcdefghijklmnop"


def next_symbol(predict: Predict, symbols: str, sequences: Ints) -> Floats:
    """Return p(symbol | context) renormalised over `symbols`: (batch, length, n_symbols).

    Position n is the prediction of symbol n from the n symbols before it.
    """
    ids = token_ids(_ALL, symbols)
    start = np.full((len(sequences), 1), BOS)
    logp = predict(np.hstack([start, ids[sequences[:, :-1]]]))[..., ids].astype(np.float64)
    p: Floats = np.exp(logp - logp.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


def target_curve(predict: Predict, symbols: str, sequences: Ints) -> Floats:
    """Return p(target) at each context length, one row per sequence: (batch, length)."""
    p = next_symbol(predict, symbols, sequences)
    return np.take_along_axis(p, sequences[..., None], axis=-1)[..., 0]


def additive(sequences: Ints, n_symbols: int, pseudocount: float) -> Floats:
    """Return the Dirichlet posterior-mean prediction of each symbol: (batch, length, n_symbols).

    A pseudocount of 1 is Laplace's rule, 1/2 the estimator of Krichevsky and Trofimov (1981).
    """
    seen = np.cumsum(np.eye(n_symbols)[sequences], axis=1)
    before: Floats = np.concatenate([np.zeros_like(seen[:, :1]), seen[:, :-1]], axis=1) + pseudocount
    before /= before.sum(axis=-1, keepdims=True)
    return before


def shuffle_excess(predict: Predict, symbols: str, sequences: Ints, rng: np.random.Generator) -> Floats:
    """Return p(target) of the model minus that of the unigram (KT) observer on shuffled sequences."""
    shuffled = rng.permuted(sequences, axis=1)
    kt = np.take_along_axis(additive(shuffled, len(symbols), 0.5), shuffled[..., None], axis=-1)[..., 0]
    return target_curve(predict, symbols, shuffled) - kt


def bits(rng: np.random.Generator, n: int, period: int) -> Ints:
    """Draw binary sequences of one period: (n, LONGEST + 1)."""
    return laws.periodic(rng, n, LONGEST + 1, [laws.primitive_words(period, 2)])


def letters(rng: np.random.Generator, n: int, period: int) -> Ints:
    """Draw sequences of one period with distinct letters: (n, LONGEST + 1)."""
    return laws.periodic_distinct(rng, n, LONGEST + 1, n_symbols=16, periods=(period, period))


def measure(predict: Predict, rng: np.random.Generator) -> Mapping[str, Floats]:
    """Return one row per behaviour, its value at each context length 0..256, over 256 sequences a kind."""
    coins = laws.iid(rng, 256, LONGEST + 1, n_symbols=2, concentration=1.0)
    error = next_symbol(predict, "HT", coins)[..., 0] - additive(coins, 2, 1.0)[..., 0]
    fair = rng.integers(2, size=(256, LONGEST + 1))
    rows = {
        "coin: RMSE to the posterior mean": np.sqrt(np.mean(error**2, axis=0)),
        "fair coin: p(target)": target_curve(predict, "HT", fair).mean(axis=0),
    }
    shuffled: dict[str, list[Floats]] = {"01": [], LETTERS: []}
    for period in range(1, 9):
        sequences = bits(rng, 256, period)
        rows[f"binary, period {period}: p(target)"] = target_curve(predict, "01", sequences).mean(axis=0)
        shuffled["01"].append(shuffle_excess(predict, "01", sequences, rng).mean(axis=0))
    for period in range(2, 9):
        sequences = letters(rng, 256, period)
        rows[f"letters, period {period}: p(target)"] = target_curve(predict, LETTERS, sequences).mean(axis=0)
        shuffled[LETTERS].append(shuffle_excess(predict, LETTERS, sequences, rng).mean(axis=0))
    again = laws.copies(rng, 256, LONGEST + 1, n_symbols=8, lengths=(8, 8), max_gap=8)
    rows["digits, copies of 8: p(target)"] = target_curve(predict, "23456789", again).mean(axis=0)
    rows["shuffled binary: largest excess over KT of any period"] = np.max(shuffled["01"], axis=0)
    rows["shuffled letters: largest excess over KT of any period"] = np.max(shuffled[LETTERS], axis=0)
    return rows
