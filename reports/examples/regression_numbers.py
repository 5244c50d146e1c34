"""Every number of the sparse-regression page: errors, decodability and implied posterior of each checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.analysis.learning import mean_interval
from harness.local_models.checkpoints import resolve_checkpoint, series_names
from harness.local_models.recipes._regression_predictors import posterior, predictions
from harness.local_models.recipes.sparse_regression import SparseRegression
from harness.local_models.regression_model import RegressionModel, load_regression
from harness.local_models.regression_reading import implied_mixture, predicted, states, with_query
from harness.local_models.whitebox.decodability import Decoded, knn
from harness.types import Floats, SequenceCurve

TASK = SparseRegression()
PAPER = SparseRegression(dimensions=16, rank=4, examples=20)
_SCORED, _DECODED, _IMPLIED = 2000, 400, 200  # sequences
_QUERIES = 16
_EXPLAINED = 0.5
_EXACT = 500  # sequences given to the analyzer for exact posteriors


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """One checkpoint, on the same sequences as every other."""

    step: int
    squared: Floats  # (_SCORED, examples), squared error divided by the rank
    decoded: tuple[Decoded, ...]  # the basis after each block, at a query after all other examples
    implied: Floats  # (_IMPLIED, examples - 1), weight of the true basis after k = 1.. examples
    explained: Floats  # (examples - 1,)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The checkpoints of one training, and of the last one decodability over k."""

    seed: int
    checkpoints: tuple[Checkpoint, ...]
    decoded: tuple[tuple[Decoded, ...], ...]  # by k = 1..examples - 1, then by block


@dataclass(frozen=True, slots=True, eq=False)
class Ideal:
    """What the ideal predictors do on the same sequences."""

    squared: Mapping[str, Floats]
    posterior: Floats  # (_IMPLIED, examples), of the true basis


def sequences() -> tuple[Floats, Floats, np.ndarray]:
    """Return x, y and basis of the sequences that everything is read on."""
    return TASK.draw(np.random.default_rng(20241216), _SCORED)


def ideal() -> Ideal:
    """Return the errors of oracle, mixture and ridge, and the exact posterior."""
    x, y, basis = sequences()
    said = predictions(x, y, basis, TASK.bases, TASK.noise)
    squared = {name: (p - y) ** 2 / TASK.rank for name, p in said.items()}
    return Ideal(squared, true_posterior(TASK, x[:_IMPLIED], y[:_IMPLIED], basis[:_IMPLIED]))


def true_posterior(task: SparseRegression, x: Floats, y: Floats, basis: np.ndarray) -> Floats:
    """Return the exact posterior of the true basis, (n_sequences, examples)."""
    belief = posterior(x, y, task.bases, task.noise)
    return np.take_along_axis(belief, basis[:, None, None], axis=-1)[..., 0]


def exact_curve(task: SparseRegression, name: str) -> SequenceCurve:
    """Return the exact posterior of the true basis over k, a row a sequence."""
    x, y, basis = task.draw(np.random.default_rng(42), _EXACT)
    return curve(name, np.arange(task.examples), true_posterior(task, x, y, basis))


def curve(name: str, level: np.ndarray, p: Floats) -> SequenceCurve:
    """Return rows as a curve; row i of any two is the same sequence."""
    return SequenceCurve(
        name, level.astype(np.float64), p.astype(np.float64), tuple(str(i) for i in range(len(p)))
    )


def read_series(directory: Path, seed: int) -> Series:
    """Read every checkpoint of a training."""
    read = []
    for name in series_names(str(directory)):
        model = load_regression(_directory(name))
        read.append(_read(model, int(name.rpartition("@")[2])))
        print(f"{name}: {read[-1].squared.mean():.3f}", flush=True)
    over_k = tuple(_decode(model, k) for k in range(1, TASK.examples))
    return Series(seed, tuple(read), over_k)


def excess(checkpoint: Checkpoint, ideal: Ideal, reference: str) -> list[tuple[float, float, float]]:
    """Return mean and interval of the squared error beyond a reference's, at each k and (last) over all k."""
    beyond = checkpoint.squared - ideal.squared[reference]
    columns = [*beyond.T, beyond.mean(axis=1)]
    return [(float(c.mean()), *mean_interval(c)) for c in columns]


def steps_log2(series: Series) -> np.ndarray:
    """Return log2 of the steps of all checkpoints but the untrained one."""
    return np.log2([c.step for c in series.checkpoints if c.step])


def implied_over_training(series: Series) -> SequenceCurve:
    """Return the weight of the true basis after all but one example, over log2 step, where a mixture explains half.

    Before that the weights of the nearest mixture say nothing of the model.
    """
    kept = [c for c in series.checkpoints if c.step and c.explained[-1] > _EXPLAINED]
    rows = np.stack([c.implied[:, -1] for c in kept], axis=1)
    return curve("implied weight", np.log2([c.step for c in kept]), rows)


def as_choice(weight: SequenceCurve) -> SequenceCurve:
    """Return whether the true basis has most of the weight: right or wrong, as a decoder is."""
    return curve(f"{weight.name}, as a choice", weight.level, weight.p > 0.5)


def decoded_over_training(series: Series, block: int) -> SequenceCurve:
    """Return whether the basis is read rightly after a block, over log2 step."""
    rows = np.stack([c.decoded[block].hits for c in series.checkpoints if c.step], axis=1)
    return curve(f"decoded after block {block}", steps_log2(series), rows)


def decoded_over_k(series: Series, block: int) -> SequenceCurve:
    """Return whether the basis is read rightly after a block of the last checkpoint, over k."""
    rows = np.stack([of_blocks[block].hits for of_blocks in series.decoded], axis=1)
    return curve(f"decoded after block {block}", np.arange(1, TASK.examples), rows)


def implied_over_k(series: Series) -> SequenceCurve:
    """Return the weight of the true basis in the last checkpoint's answers, over k."""
    return curve("implied weight", np.arange(1, TASK.examples), series.checkpoints[-1].implied)


def _read(model: RegressionModel, step: int) -> Checkpoint:
    x, y, basis = sequences()
    queries = np.random.default_rng(3).standard_normal((_QUERIES, TASK.dimensions))
    mixture = implied_mixture(model, x[:_IMPLIED], y[:_IMPLIED], TASK.bases, TASK.noise, queries)
    true = np.take_along_axis(mixture.weights, basis[:_IMPLIED, None, None], axis=-1)[..., 0]
    squared = (predicted(model, x, y) - y) ** 2 / TASK.rank
    return Checkpoint(step, squared, _decode(model, TASK.examples - 1), true, mixture.explained)


def _decode(model: RegressionModel, k: int) -> tuple[Decoded, ...]:
    """Decode the basis after k examples, at a query that is the same for all: in itself it tells nothing."""
    x, y, basis = (a[:_DECODED] for a in sequences())
    asked = with_query(x, y, k, np.ones(TASK.dimensions))
    of_blocks = states(model, *asked, example=k)
    return tuple(knn(s, basis, np.arange(_DECODED), np.random.default_rng(0)) for s in of_blocks)


def _directory(name: str) -> Path:
    found = resolve_checkpoint(name).directory
    assert found is not None  # a series lies here
    return found
