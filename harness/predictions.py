"""What a model predicted along each sequence of a run, as arrays: what cognitive models and mixtures are fitted to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.curves import stored
from harness.model_records import plan_from_record, read_record
from harness.plan import Item, ModelPlan, pieces
from harness.registry import Reader, load_reader
from harness.store import Store
from harness.suite_files import parse_suite
from harness.types import Floats, Ints, Reply, Response


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One condition on one model: the next-symbol laws of the model and of each observer, sequence by sequence."""

    model: str
    curve: str  # id of the curve in the report
    title: str
    control: str | None
    alphabet: tuple[str, ...]
    context_lengths: Ints  # (n_lengths,)
    target: Ints  # (n_sequences, n_lengths), index of the symbol that followed
    law: Floats  # (n_sequences, n_lengths, n_symbols), renormalised; NaN where not every symbol was reported
    observers: Mapping[str, Floats]  # name -> the same shape, the ideal one first
    symbols: (
        Ints | None
    )  # (n_sequences, longest context); None if each context length has sequences of its own
    draws: Ints | None = None  # (n_sequences, n_lengths, n_symbols), of which `law` then holds the shares


def predictions(store: Store) -> Iterator[Predictions]:
    """Yield every condition of a run that was measured by log-probabilities of the next symbol."""
    text, limit = store.get_meta("suite_yaml"), store.get_meta("limit")
    if text is None:
        return
    suite = parse_suite(text, f"{store.path.parent}: stored suite")
    for name, record in store.models().items():
        plan = plan_from_record(name, read_record(record), suite, int(limit) if limit else None)
        for item in plan.items:
            if item.way != "samples" and item.condition.readout == "next_symbol":
                yield predictions_of(plan, item, store, load_reader(name))


def predictions_of(
    plan: ModelPlan, item: Item, store: Store, read: Reader, *, like: Predictions | None = None
) -> Predictions:
    """Return what a model predicted in one condition; of drawn symbols, how often each was drawn.

    The observers are those of `like`, another model's predictions in the same
    condition, if it is given, and are not worked out again.
    """
    condition = item.condition
    lengths = np.asarray(condition.context_lengths, dtype=np.int64)
    column = {int(n): i for i, n in enumerate(lengths)}
    alphabet = condition.sequence(0, None if condition.nested else int(lengths[-1])).alphabet
    shape = (condition.sequences, len(lengths), len(alphabet))
    law, target = np.full(shape, np.nan), np.full(shape[:2], -1, dtype=np.int64)
    draws = np.zeros(shape, dtype=np.int64)
    symbols = np.zeros((condition.sequences, int(lengths[-1])), dtype=np.int64)
    observers: dict[str, Floats] = {} if like is None else dict(like.observers)
    for replicate in range(condition.sequences):
        asked = list(pieces(item, replicate, plan.capabilities.max_samples))
        for piece, _, answer in stored(plan, asked, store):
            sequence, at = piece.sequence, np.asarray(piece.request.context_lengths)
            columns = [column[int(n)] for n in at]
            symbols[replicate, : at[-1]] = sequence.symbols[: at[-1]]
            target[replicate, columns] = sequence.target[at]
            watching = () if like is not None else sequence.observers
            for name in sorted(watching, key=lambda name: name != sequence.ideal):
                table = observers.setdefault(name, np.full(shape, np.nan))
                table[replicate, columns] = sequence.observers[name][at]
            outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
            if isinstance(outcome, Response):
                columns = [column[int(n)] for n in outcome.context_lengths]
                if outcome.logprob is not None:
                    p = np.exp(outcome.logprob)
                    law[replicate, columns] = p / p.sum(axis=1, keepdims=True)
                elif outcome.counts is not None:
                    draws[replicate, columns] += outcome.counts[:, :-1]
    drawn = item.way == "samples"
    if drawn:
        total = draws.sum(axis=2, keepdims=True)
        law = np.where(total > 0, draws / np.maximum(total, 1), np.nan)
    return Predictions(
        plan.model,
        condition.id,
        condition.title,
        condition.control,
        alphabet,
        lengths,
        target,
        law,
        observers,
        symbols if condition.nested else None,
        draws if drawn else None,
    )
