"""Conditions of design adaptive: which sequence is asked at which context length next, until the transition is known.

The planner's choices follow from the stored answers alone, so a run that was
interrupted makes the same ones again without asking for anything twice. A call
that failed is told as nothing.
"""

from collections.abc import Callable, Iterable

import numpy as np

from harness.analysis import AdaptivePlanner
from harness.conditions import Condition
from harness.curves import stored
from harness.ledger import Ledger
from harness.plan import Item, ModelPlan, Piece, most_tokens, pieces
from harness.prices import most_cost
from harness.readouts import targets
from harness.registry import Reader
from harness.runner import Tally, run_model
from harness.scoring import score_logprobs
from harness.store import Store
from harness.types import AdaptiveUse, AnalysisOptions, Failure, Floats, Ints, Model, Reply, Response

ROUND = 8  # calls of a condition that are chosen together and asked at once: a fixed number, so that choices repeat


class Course:
    """One condition on one model: what was asked of it so far, and what is asked next.

    Each call takes the sequence that was asked least often of those not yet
    asked at that context length: calls are then of different sequences as long
    as there are any, as the planner takes them to be.
    """

    def __init__(self, plan: ModelPlan, item: Item, options: AnalysisOptions) -> None:
        self._plan, self._item = plan, item
        self._planner = _planner(plan, item, options)
        self._asked: dict[int, set[int]] = {n: set() for n in item.condition.levels}
        self._used = np.zeros(item.condition.sequences, dtype=np.int64)
        self._now: list[list[Piece]] = []
        self._known: dict[int, dict[int, list[Piece]]] = {}
        self._requests = 0

    @property
    def done(self) -> bool:
        """Return whether enough is known, or everything was asked."""
        return self._planner.done

    @property
    def spared(self) -> int:
        """Return how many of the planned requests were not needed."""
        return self._item.requests - self._requests

    def ask(self) -> list[Piece]:
        """Return the requests of the next round."""
        self._now = [self._pieces(int(n)) for n in self._planner.ask(ROUND)]
        asked = [piece for each in self._now for piece in each]
        self._requests += len(asked)
        return asked

    def tell(self, store: Store, read: Reader) -> None:
        """Enter what came of that round."""
        for asked in self._now:
            answers = [(piece, answer) for piece, _, answer in stored(self._plan, asked, store)]
            p = share(self._item, answers, read)
            n = asked[0].request.context_lengths[0]
            self._planner.tell(n, 0.0 if p is None else p, 0 if p is None else 1)
        self._now = []

    def _pieces(self, n: int) -> list[Piece]:
        """Return the requests of the next sequence at a context length."""
        free = [r for r in range(len(self._used)) if r not in self._asked[n]]
        replicate = min(free, key=lambda r: (self._used[r], r))
        self._asked[n].add(replicate)
        self._used[replicate] += 1
        if replicate not in self._known:
            at: dict[int, list[Piece]] = {}
            for piece in pieces(self._item, replicate, self._plan.capabilities.max_samples):
                at.setdefault(piece.request.context_lengths[0], []).append(piece)
            self._known[replicate] = at
        return self._known[replicate][n]


async def run_adaptive(
    model: Model,
    plan: ModelPlan,
    store: Store,
    tally: Tally,
    ledger: Ledger,
    tick: Callable[[], None],
    *,
    read: Reader,
    options: AnalysisOptions,
    connections: int = 16,
) -> None:
    """Ask the plan's adaptive conditions round by round, all of them in one round; stop early at the budget."""
    courses = [Course(plan, item, options) for item in plan.items if item.adaptive]
    while courses and tally.stopped is None:
        asked = [piece for course in courses for piece in course.ask()]
        await run_model(model, plan, store, tally, ledger, tick, connections=connections, asked=asked)
        if tally.stopped is not None:
            return
        for course in courses:
            course.tell(store, read)
        tally.total -= sum(course.spared for course in courses if course.done)
        courses = [course for course in courses if not course.done]


def share(item: Item, answers: Iterable[tuple[Piece, Reply | Failure | None]], read: Reader) -> float | None:
    """Return what one sequence says at one context length as p(target), None if nothing could be scored.

    Symbols drawn for one sequence depend on each other: together they are one
    share, which the planner takes for one draw.
    """
    hits, draws = 0.0, 0.0
    for piece, answer in answers:
        outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
        if isinstance(outcome, Failure):
            refused = outcome.kind == "refused" and item.condition.refusals == "score_zero"
            draws += float(refused)
        elif outcome is not None:
            k, n = _scored(item.condition, piece, outcome)
            hits, draws = hits + k, draws + n
    return hits / draws if draws else None


def use_of(plan: ModelPlan, item: Item, p: Floats, asked: Ints, options: AnalysisOptions) -> AdaptiveUse:
    """Return what an adaptive condition took and why it ended, from what is stored.

    `p` (n_sequences, n_levels) is NaN where nothing was scored, `asked`
    (n_levels,) counts the calls that were settled.
    """
    planner = _planner(plan, item, options)
    samples = item.condition.samples if item.way == "samples" else 1
    each = -(-samples // max(plan.capabilities.max_samples, 1))  # requests of one sequence at one length
    scored = ~np.isnan(p)
    for i, n in enumerate(item.condition.levels):
        count = int(scored[:, i].sum())
        if count:
            planner.tell(n, float(np.nansum(p[:, i])), count)
        for _ in range(int(asked[i]) // each - count):
            planner.tell(n, 0, 0)
    report = planner.report
    return AdaptiveUse(int(asked.sum()), report.grid_calls * each, report.stopped, item.condition.precision)


def _scored(condition: Condition, piece: Piece, response: Response) -> tuple[float, float]:
    target = targets(condition, piece.sequence, response.context_lengths)
    if response.counts is not None:
        return float(response.counts[0, target[0]]), float(response.counts[0, :-1].sum())
    p = float(score_logprobs(response, target).p[0])
    return (0.0, 0.0) if np.isnan(p) else (p, 1.0)


def _planner(plan: ModelPlan, item: Item, options: AnalysisOptions) -> AdaptivePlanner:
    condition = item.condition
    first: dict[int, float] = {}
    for piece in pieces(item, 0, plan.capabilities.max_samples):
        tokens = most_tokens(piece.request, plan.capabilities)
        priced = most_cost(plan.price, tokens)
        n = piece.request.context_lengths[0]
        first[n] = first.get(n, 0.0) + (priced or tokens.prompt + tokens.completion)
    return AdaptivePlanner(
        condition.levels,
        cost=[first[n] for n in condition.levels],
        precision=condition.precision,
        until="judged",
        max_calls=len(condition.levels) * condition.sequences,
        per_level=condition.sequences,
        grid_trials=condition.sequences,
        options=options,
        seed=int(condition.digest[:8], 16),
    )
