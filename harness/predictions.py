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
                yield _of_condition(plan, item, store, load_reader(name))


def _of_condition(plan: ModelPlan, item: Item, store: Store, read: Reader) -> Predictions:
    condition = item.condition
    lengths = np.asarray(condition.context_lengths, dtype=np.int64)
    column = {int(n): i for i, n in enumerate(lengths)}
    alphabet = condition.sequence(0, None if condition.nested else int(lengths[-1])).alphabet
    shape = (condition.sequences, len(lengths), len(alphabet))
    law, target = np.full(shape, np.nan), np.full(shape[:2], -1, dtype=np.int64)
    observers: dict[str, Floats] = {}
    for replicate in range(condition.sequences):
        asked = list(pieces(item, replicate, plan.capabilities.max_samples))
        for piece, _, answer in stored(plan, asked, store):
            sequence, at = piece.sequence, np.asarray(piece.request.context_lengths)
            columns = [column[int(n)] for n in at]
            target[replicate, columns] = sequence.target[at]
            for name in sorted(sequence.observers, key=lambda name: name != sequence.ideal):
                table = observers.setdefault(name, np.full(shape, np.nan))
                table[replicate, columns] = sequence.observers[name][at]
            outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
            if isinstance(outcome, Response) and outcome.logprob is not None:
                p = np.exp(outcome.logprob)
                columns = [column[int(n)] for n in outcome.context_lengths]
                law[replicate, columns] = p / p.sum(axis=1, keepdims=True)
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
    )
