"""The curve of a continuation: p that the next d symbols are those of the concept, as a product of single ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.curves import Measured, stored
from harness.parts import Part
from harness.plan import Item, ModelPlan, Piece, pieces
from harness.registry import Reader
from harness.scoring import score_logprobs
from harness.store import Store
from harness.types import Failure, FailureKind, Floats, Reply, Response


@dataclass
class _Row:
    """One replicate: what each of its parts says at each context length asked."""

    p: dict[tuple[int, int], tuple[float, float, float]] = field(default_factory=dict)  # p, raw, mass
    failed: dict[tuple[int, int], FailureKind] = field(default_factory=dict)
    asked: set[tuple[int, int]] = field(default_factory=set)


def measure_continuation(plan: ModelPlan, item: Item, store: Store, read: Reader) -> Measured:
    """Read every stored reply of one condition of readout "continuation".

    p at level n is the sum, over the continuations that count, of the product of
    p(symbol) at n to n + depth - 1, each renormalised over the declared symbols
    (Bigelow et al. 2024, sum over concept rotations). Where one factor is
    missing the level is, with the kind of the first failure.
    """
    condition = item.condition
    levels = condition.context_lengths
    shape = (condition.sequences, len(levels))
    p, raw, mass = (np.full(shape, np.nan) for _ in range(3))
    observers: dict[str, Floats] = {}
    failures: dict[FailureKind, Counter[int]] = {}
    calls = np.zeros(len(levels), dtype=np.int64)
    digests: set[bytes] = set()
    for replicate in range(condition.sequences):
        parts = list(condition.parts(replicate))
        row = _Row()
        for piece, digest, answer in stored(
            plan, list(pieces(item, replicate, plan.capabilities.max_samples)), store
        ):
            digests.add(digest)
            outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
            _enter(row, piece, outcome)
        _predict(observers, parts, levels, replicate, shape, condition.depth)
        for column, n in enumerate(levels):
            serving = [i for i, part in enumerate(parts) if n in part.levels]
            needed = [(i, n + j) for i in serving for j in range(condition.depth)]
            if not row.asked.issuperset(needed):
                continue
            calls[column] += 1
            lost = next((row.failed[key] for key in needed if key in row.failed), None)
            if lost is not None:
                failures.setdefault(lost, Counter())[n] += 1
                continue
            factors = np.array([[row.p[i, n + j] for j in range(condition.depth)] for i in serving])
            p[replicate, column], raw[replicate, column] = factors.prod(axis=1).sum(axis=0)[:2]
            mass[replicate, column] = factors[:, :, 2].prod(axis=1).min()
    return Measured(
        item=item,
        way=item.way,
        p=np.minimum(p, 1.0),
        raw=raw,
        mass=mass,
        successes=None,
        trials=None,
        failures={k: tuple(c[n] for n in levels) for k, c in failures.items()},
        observers=observers,
        ids=tuple(f"{condition.digest[:8]}-{r}" for r in range(condition.sequences)),
        asked=calls,
        cost_usd=store.cost(digests),
        context_tokens=None,
    )


def _enter(row: _Row, piece: Piece, outcome: Response | Failure | None) -> None:
    lengths = piece.request.context_lengths
    if outcome is None:
        return
    row.asked |= {(piece.part, n) for n in lengths}
    if isinstance(outcome, Failure):
        row.failed |= {(piece.part, n): outcome.kind for n in lengths}
        return
    row.failed |= {(piece.part, n): failure.kind for n, failure in outcome.failures}
    at = np.asarray(outcome.context_lengths)
    scores = score_logprobs(outcome, piece.sequence.target[at])
    for n, *values in zip(at.tolist(), scores.p, scores.raw, scores.mass, strict=True):
        row.p[piece.part, n] = (float(values[0]), float(values[1]), float(values[2]))
        if np.isnan(values[0]):
            row.failed.setdefault((piece.part, n), "uncovered")


def _predict(
    observers: dict[str, Floats],
    parts: list[Part],
    levels: tuple[int, ...],
    replicate: int,
    shape: tuple[int, int],
    depth: int,
) -> None:
    """Add what each observer gives the same continuations: the ideal one first."""
    column: Mapping[int, int] = {n: i for i, n in enumerate(levels)}
    ideal = parts[0].sequence.ideal
    for name in sorted(parts[0].sequence.observers, key=lambda name: name != ideal):
        table = observers.setdefault(name, np.full(shape, np.nan))
        table[replicate] = 0.0
        for part in parts:
            law = part.sequence.observers[name]
            target = part.sequence.target
            for n in part.levels:
                at = np.arange(n, n + depth)
                table[replicate, column[n]] += law[at, target[at]].prod()
