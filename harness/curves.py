"""Stored replies turned into the curve of one condition: what was measured, what failed, what observers say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.analysis import whole_counts
from harness.answers import Matches, log_probability, matched, most_probable
from harness.conditions import Condition
from harness.plan import Item, ModelPlan, Piece, pieces
from harness.readouts import predicted, targets
from harness.registry import Reader
from harness.requests import request_digest
from harness.scoring import score_logprobs
from harness.store import Store
from harness.types import (
    CountCurve,
    Curve,
    Failure,
    FailureKind,
    Floats,
    Ints,
    Reply,
    Response,
    SequenceCurve,
    Way,
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One condition on one model. Rows are sequences, columns context lengths; NaN where nothing was scored."""

    item: Item
    way: Way
    p: Floats  # (n_sequences, n_levels), p(target) over the declared symbols; for counts the share drawn
    raw: Floats  # (n_sequences, n_levels)
    mass: Floats  # (n_sequences, n_levels)
    successes: Ints | None  # (n_levels,), only where symbols were drawn
    trials: Ints | None  # (n_levels,), draws of declared symbols
    failures: Mapping[str, tuple[int, ...]]  # kind -> count per level
    observers: Mapping[str, Floats]  # name -> (n_sequences, n_levels), p(target); the ideal one first
    ids: tuple[str, ...]  # (n_sequences,)
    asked: Ints  # (n_levels,), calls that were settled at each level, failed ones included
    cost_usd: float | None  # of all its calls, None if one cost is unknown
    context_tokens: (
        Floats | None
    )  # (n_levels,), prompt tokens, where each call has one level and reports them
    matches: Matches | None = None  # only of readout "answer"

    @property
    def levels(self) -> Floats:
        """Return the context lengths: shape (n_levels,)."""
        return np.asarray(self.item.condition.levels, dtype=np.float64)

    def curve(self, name: str) -> Curve | None:
        """Return the levels at which anything was scored as a curve, None if nothing was."""
        keep = self.scored() > 0
        if not keep.any():
            return None
        if self.successes is not None and self.trials is not None:
            return CountCurve(name, self.levels[keep], self.successes[keep], self.trials[keep])
        return SequenceCurve(name, self.levels[keep], self.p[:, keep], self.ids)

    def scored(self) -> Ints:
        """Return how many sequences (or draws) count at each level: shape (n_levels,)."""
        if self.trials is not None:
            return self.trials
        return np.asarray(np.sum(~np.isnan(self.p), axis=0), dtype=np.int64)


class _Tables:
    """What is filled in while the replies of a condition are read: arrays (n_sequences, n_levels)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.p, self.raw, self.mass, self.tokens = (np.full(shape, np.nan) for _ in range(4))
        self.match, self.log_p = (np.full(shape, np.nan) for _ in range(2))
        self.hits, self.draws, self.others = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        self.failures: dict[FailureKind, Counter[int]] = {}
        self.calls = np.zeros(shape[1], dtype=np.int64)


def measure(plan: ModelPlan, item: Item, store: Store, read: Reader) -> Measured:
    """Read every stored reply of one condition. A request never asked is counted as nothing at all."""
    condition = item.condition
    column = {n: i for i, n in enumerate(condition.levels)}
    shape = (condition.sequences, len(column))
    tables = _Tables(shape)
    observers: dict[str, Floats] = {}
    observers_match: dict[str, Floats] = {}
    digests: set[bytes] = set()
    for replicate in range(condition.sequences):
        asked = list(pieces(item, replicate, plan.capabilities.max_samples))
        for piece, digest, answer in stored(plan, asked, store):
            digests.add(digest)
            if isinstance(answer, Reply) and len(piece.request.context_lengths) == 1:
                at = column[piece.request.context_lengths[0]]
                tables.tokens[replicate, at] = answer.prompt_tokens or np.nan
            outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
            _observe(observers, observers_match, condition, piece, column, shape)
            _enter(tables, item, piece, outcome, column)
    drawn = item.way == "samples"
    if drawn:
        _finish_counts(tables, restricted=item.restricted)
    counted = _counted(tables, item)
    return Measured(
        item=item,
        way=item.way,
        p=tables.p,
        raw=tables.raw,
        mass=tables.mass,
        successes=counted[0],
        trials=counted[1],
        failures={k: tuple(c[n] for n in column) for k, c in tables.failures.items()},
        observers=observers,
        ids=tuple(f"{condition.digest[:8]}-{r}" for r in range(condition.sequences)),
        asked=tables.calls,
        cost_usd=store.cost(digests),
        context_tokens=_context_tokens(tables),
        matches=_matches(tables, observers_match, drawn=drawn) if condition.readout == "answer" else None,
    )


def stored(
    plan: ModelPlan, asked: list[Piece], store: Store
) -> Iterator[tuple[Piece, bytes, Reply | Failure | None]]:
    """Yield what was asked with its digest and what came of it, None if nothing yet."""
    digests = [request_digest(plan.model, plan.fingerprint, piece.request) for piece in asked]
    replies, failures = store.replies(digests), store.failures(digests)
    for piece, digest in zip(asked, digests, strict=True):
        yield piece, digest, replies.get(digest) or failures.get(digest)


def _matches(tables: _Tables, observers: dict[str, Floats], *, drawn: bool) -> Matches:
    """Return the exact matches of what was scored."""
    if not drawn:
        scored = ~np.isnan(tables.p)
        share = np.where(scored, tables.match, np.nan)
        return Matches(share, np.where(scored, tables.log_p, np.nan), observers, None)
    total = tables.draws + tables.others
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, tables.hits / total, np.nan)
    return Matches(share, np.full_like(share, np.nan), observers, total.sum(axis=0))


def _counted(tables: _Tables, item: Item) -> tuple[Ints | None, Ints | None]:
    """Return what is judged as successes and trials per level, None where sequences are judged.

    Sequences that were each asked at a few context lengths show nothing of how
    levels vary together: under design adaptive a probability counts as one draw.
    """
    if item.way == "samples":
        return tables.hits.sum(axis=0), tables.draws.sum(axis=0)
    if not item.adaptive:
        return None, None
    seed = int(item.condition.digest[:8], 16)
    trials = np.sum(~np.isnan(tables.p), axis=0)
    return whole_counts(np.nansum(tables.p, axis=0), seed), np.asarray(trials, dtype=np.int64)


def _context_tokens(tables: _Tables) -> Floats | None:
    """Return the mean prompt tokens of each level, None unless every level reports them: shape (n_levels,)."""
    known = ~np.isnan(tables.tokens)
    if not known.any(axis=0).all():
        return None
    return np.asarray(np.nansum(tables.tokens, axis=0) / known.sum(axis=0), dtype=np.float64)


def _observe(
    observers: dict[str, Floats],
    matches: dict[str, Floats],
    condition: Condition,
    piece: Piece,
    column: dict[int, int],
    shape: tuple[int, int],
) -> None:
    sequence = piece.sequence
    lengths = np.asarray(piece.request.context_lengths)
    columns = [column[int(n)] for n in lengths]
    for name in sorted(sequence.observers, key=lambda name: name != sequence.ideal):
        table = observers.setdefault(name, np.full(shape, np.nan))
        table[piece.replicate, columns] = predicted(condition, sequence, name, lengths)
        if condition.readout == "answer":
            table = matches.setdefault(name, np.full(shape, np.nan))
            law = sequence.observers[name][lengths]
            table[piece.replicate, columns] = most_probable(law, sequence.target[lengths])


def _enter(
    tables: _Tables, item: Item, piece: Piece, outcome: Response | Failure | None, column: dict[int, int]
) -> None:
    row, lengths = piece.replicate, piece.request.context_lengths
    if outcome is None:
        return
    tables.calls[[column[n] for n in lengths]] += 1
    if isinstance(outcome, Failure):
        for n in lengths:
            _fail(tables, item, outcome.kind, row, n, column)
        return
    for n, failure in outcome.failures:
        _fail(tables, item, failure.kind, row, n, column)
    at = np.asarray(outcome.context_lengths)
    columns, target = [column[int(n)] for n in at], targets(item.condition, piece.sequence, at)
    if outcome.counts is not None:
        tables.hits[row, columns] += outcome.counts[np.arange(len(at)), target]
        tables.draws[row, columns] += outcome.counts[:, :-1].sum(axis=1)
        tables.others[row, columns] += outcome.counts[:, -1]
        return
    scores = score_logprobs(outcome, target)
    tables.p[row, columns], tables.raw[row, columns], tables.mass[row, columns] = (
        scores.p,
        scores.raw,
        scores.mass,
    )
    if item.condition.readout == "answer":
        tables.match[row, columns] = matched(outcome, target)
        tables.log_p[row, columns] = log_probability(outcome, target)
    for n in scores.uncovered:
        _fail(tables, item, "uncovered", row, n, column)


def _fail(tables: _Tables, item: Item, kind: FailureKind, row: int, n: int, column: dict[int, int]) -> None:
    tables.failures.setdefault(kind, Counter())[n] += 1
    if kind == "refused" and item.condition.refusals == "score_zero":
        tables.p[row, column[n]] = tables.match[row, column[n]] = 0.0
        tables.draws[row, column[n]] += 1


def _finish_counts(tables: _Tables, *, restricted: bool) -> None:
    """Turn draws into shares, so that counts are drawn and tabled like probabilities.

    Draws restricted to the symbols say nothing of the probability outside them.
    """
    total = tables.draws + tables.others
    with np.errstate(invalid="ignore", divide="ignore"):
        tables.p[:] = np.where(tables.draws > 0, tables.hits / tables.draws, np.nan)
        tables.raw[:] = np.where(total > 0, tables.hits / total, np.nan)
        tables.mass[:] = np.where(total > 0, tables.draws / total, np.nan)
    if restricted:
        tables.raw[:] = tables.mass[:] = np.nan
