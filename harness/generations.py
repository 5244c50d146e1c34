"""Stored texts turned into sequences and held against an ideal generator: what readout `generation` measures."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.conditions import Condition, independent_law
from harness.curves import stored
from harness.model_records import plan_from_record, read_record
from harness.plan import Item, ModelPlan, Piece, pieces
from harness.prompts.reading import ReadText, read_text
from harness.randomness import compare_with_ideal, mean_interval, shares
from harness.registry import Reader, load_reader
from harness.store import Store
from harness.suite_files import parse_suite
from harness.types import (
    Failure,
    Floats,
    Generated,
    GenerationResult,
    Reply,
    Response,
    SequenceCurve,
    ShareCurve,
    Transition,
)

LEAST_LEVELS = 8  # probabilities of which a transition is asked: fewer tell a step from a slope too seldom
_SHOWN, _KINDS = 24, 3  # characters and examples of what could not be read

Judge = Callable[[SequenceCurve], Transition]


@dataclass(slots=True)
class _Texts:
    """What came of one condition at one context length, replicate by replicate."""

    read: list[ReadText] = field(default_factory=list)
    given: list[Piece] = field(default_factory=list)  # what each of them was written behind
    raw: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    digests: set[bytes] = field(default_factory=set)
    asked: int = 0


def generation_results(
    plan: ModelPlan, item: Item, store: Store, read: Reader
) -> Iterator[GenerationResult | str]:
    """Yield a result for each number of given symbols, or a sentence saying why there is none."""
    condition = item.condition
    for n, texts in _texts(plan, item, store, read).items():
        if texts.read:
            yield _result(plan.model, condition, n, texts, store)
        else:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(texts.failures.items()))
            yield (
                f"{plan.model}: {condition.title}, behind {n} symbols: no text came ({kinds or 'never asked'})"
            )


def run_generations(store: Store) -> Iterator[Generated]:
    """Yield the sequences of every condition of a run that asked for texts."""
    text, limit = store.get_meta("suite_yaml"), store.get_meta("limit")
    if text is None:
        return
    suite = parse_suite(text, f"{store.path.parent}: stored suite")
    for name, record in store.models().items():
        plan = plan_from_record(name, read_record(record), suite, int(limit) if limit else None)
        for item in plan.items:
            if item.way == "generation":
                yield from generated(plan, item, store, load_reader(name))


def generated(plan: ModelPlan, item: Item, store: Store, read: Reader) -> Iterator[Generated]:
    """Yield the sequences of each number of given symbols as arrays, those symbols included."""
    condition = item.condition
    for n, texts in _texts(plan, item, store, read).items():
        rows = np.full((len(texts.read), n + condition.length), -1, dtype=np.int64)
        for row, text, piece in zip(rows, texts.read, texts.given, strict=True):
            row[:n] = piece.sequence.symbols[:n]
            row[n : n + text.symbols.size] = text.symbols
        yield Generated(
            model=plan.model,
            id=_id(condition, n),
            title=condition.title,
            alphabet=condition.first.sequence.alphabet,
            law=independent_law(condition),
            given=n,
            symbols=rows,
            endings=tuple(text.ending for text in texts.read),
        )


def share_curves(results: Sequence[GenerationResult], judge: Judge) -> Iterator[ShareCurve]:
    """Yield the share of the first symbol against the probability asked for, where that is swept.

    A transition is asked for where there are LEAST_LEVELS of them. It says how
    the model's share departs from being the same everywhere: a faithful model
    goes along gradually, one that rounds to "rare", "even" and "often" in steps.
    """
    groups: dict[tuple[object, ...], list[GenerationResult]] = {}
    for r in results:
        same = sorted((k, repr(v)) for k, v in r.params.items() if k not in r.swept)
        groups.setdefault(
            (r.model, r.family, r.context_length, r.wanted, r.alphabet, r.announced, *same), []
        ).append(r)
    for members in groups.values():
        of_level = {float(r.law[0]): r for r in members}
        if len(of_level) == len(members) > 1:
            yield _share_curve([of_level[level] for level in sorted(of_level)], judge)


def _share_curve(members: Sequence[GenerationResult], judge: Judge) -> ShareCurve:
    first = members[0]
    levels = np.array([r.law[0] for r in members])
    rows = max(r.read for r in members)
    share = np.full((rows, len(members)), np.nan)
    for column, r in enumerate(members):
        share[: r.read, column] = r.shares[:, 0]
    known = [column[~np.isnan(column)] for column in share.T]
    spans = np.array([mean_interval(values) for values in known])
    empty = [f"{100 * level:g}%" for level, values in zip(levels, known, strict=True) if not values.size]
    note, transition = "", None
    identity = f"share_{first.family}_{first.id.rpartition('_')[2]}"
    if empty:
        note = (
            f"no symbol was read where {', '.join(empty)} was asked for, so that no transition is asked for"
        )
    elif len(members) < LEAST_LEVELS:
        note = (
            f"{len(members)} probabilities are too few to ask for a transition; at least "
            f"{LEAST_LEVELS} are needed"
        )
    else:
        ids = tuple(f"{identity}-{row}" for row in range(rows))
        transition = judge(SequenceCurve(f"{first.model} {identity}", levels, share, ids))
    mean = np.array([values.mean() if values.size else np.nan for values in known])
    return ShareCurve(
        id=identity,
        title=f"{first.family}: share of {first.alphabet[0]} written, {first.context_length} given",
        model=first.model,
        family=first.family,
        symbol=first.alphabet[0],
        context_length=first.context_length,
        announced=first.announced,
        probability=levels,
        mean=mean,
        low=spans[:, 0],
        high=spans[:, 1],
        transition=transition,
        note=note,
    )


def _texts(plan: ModelPlan, item: Item, store: Store, read: Reader) -> dict[int, _Texts]:
    found = {n: _Texts() for n in item.condition.context_lengths}
    for replicate in range(item.condition.sequences):
        asked = list(pieces(item, replicate, plan.capabilities.max_samples))
        for piece, digest, answer in stored(plan, asked, store):
            texts = found[piece.request.context_lengths[0]]
            texts.digests.add(digest)
            outcome = read(piece.request, answer.raw) if isinstance(answer, Reply) else answer
            if outcome is not None:
                texts.asked += 1
                _enter(texts, piece, outcome)
    return found


def _enter(texts: _Texts, piece: Piece, outcome: Response | Failure) -> None:
    if isinstance(outcome, Response) and outcome.text is not None:
        request = piece.request
        texts.read.append(read_text(outcome.text, request.prompt, request.length, ended=outcome.ended))
        texts.given.append(piece)
        texts.raw.append(outcome.text)
    else:
        texts.failures[outcome.kind if isinstance(outcome, Failure) else "malformed"] += 1


def _result(model: str, condition: Condition, n: int, texts: _Texts, store: Store) -> GenerationResult:
    sequences = [text.symbols for text in texts.read]
    law, first = independent_law(condition), texts.given[0]
    alphabet = first.sequence.alphabet
    rests = [text.rest.strip()[:_SHOWN] for text in texts.read if text.ending == "unread"]
    return GenerationResult(
        id=_id(condition, n),
        title=condition.title,
        model=model,
        family=condition.family,
        params=dict(condition.params),
        swept=condition.swept,
        alphabet=alphabet,
        law=law,
        announced=condition.writing.announces,
        context_length=n,
        wanted=condition.length,
        asked=texts.asked,
        lengths=np.array([s.size for s in sequences], dtype=np.int64),
        endings=dict(sorted(Counter(text.ending for text in texts.read).items())),
        failures=dict(sorted(texts.failures.items())),
        shares=_shares(sequences, len(law)),
        statistics=compare_with_ideal(sequences, law, alphabet),
        example_prompt=first.request.prompt.instruction or first.request.prompt.text(n),
        example_text=texts.raw[0],
        unread=tuple(rest for rest, _ in Counter(rests).most_common(_KINDS)),
        cost_usd=store.cost(texts.digests),
    )


def _shares(sequences: Sequence[np.ndarray], n_symbols: int) -> Floats:
    return np.array([shares(s, n_symbols) for s in sequences])


def _id(condition: Condition, n: int) -> str:
    return f"{condition.id}-{n}"
