"""A suite expanded: one condition per task, swept value and control, each refused that could not be a curve."""

import itertools
from collections.abc import Iterator
from typing import Literal

from harness.answers import refuse_answers
from harness.conditions import MIN_LEVELS, Condition, independent_law
from harness.errors import SpecError
from harness.phases_spec import contenders
from harness.prompts.controls import parse_control
from harness.registry import load_family
from harness.spec import CognitiveSpec, FromTo, Log2, Param, Scalar, SuiteSpec, Sweep, TaskSpec
from harness.types import ParamValue


def expand(suite: SuiteSpec, *, limit: int | None = None) -> list[Condition]:
    """Return every condition of a suite, each checked by generating its first sequence.

    `limit` caps the number of sequences of each condition. Raises SpecError
    with the number of the task where a family refuses its parameters.
    """
    conditions = []
    for i, task in enumerate(suite.tasks):
        try:
            conditions += list(_expand_task(suite.seed, task, limit))
        except SpecError as error:
            raise type(error)(f"suite {suite.name}, tasks[{i}]: {error}") from error
    doubles = {c.digest for c in conditions}
    if len(doubles) < len(conditions):
        raise SpecError(
            f"suite {suite.name}: two conditions are the same; remove one of the equal tasks or values"
        )
    return conditions


def _expand_task(seed: int, task: TaskSpec, limit: int | None) -> Iterator[Condition]:
    for text in task.controls:
        _check_control(text, task)
    family = load_family(task.family)
    axes = {k: v.sweep for k, v in task.params.items() if isinstance(v, Sweep)}
    fixed = {k: _frozen(v) for k, v in task.params.items() if not isinstance(v, Sweep)}
    for values in itertools.product(*axes.values()):
        swept = dict(zip(axes, map(_frozen, values), strict=True))
        for control in (None, *task.controls):
            condition = Condition(
                seed=seed,
                family=family.name,
                params=family.complete({**fixed, **swept}),
                swept=tuple(axes),
                control=control,
                context_lengths=_lengths(task),
                sequences=task.sequences if limit is None else min(limit, task.sequences),
                samples=task.samples,
                readout=task.readout,
                nested=task.nested,
                refusals=task.refusals,
                render=task.render,
                depth=task.depth,
                phase=task.phase,
                length=task.length or 0,
                cognitive=task.cognitive,
                phases=None if task.phases is None else tuple(task.phases),
                design=_design(task, control),
                precision=task.precision,
            )
            if task.readout == "answer":
                _check_answers(condition)
            if task.readout == "generation":
                independent_law(condition)
            first = condition.first.sequence
            condition.prompt(first)
            if task.cognitive is not None:
                _check_models(task.cognitive, len(first.alphabet))
            if task.phases is not None:
                contenders(task.phases, first.observers)
            yield condition


def _check_models(asked: CognitiveSpec, n_symbols: int) -> None:
    """Raise SpecError for a cognitive model that is none, or none of this many symbols."""
    from harness.cognitive import named_models

    named_models(asked.models, n_symbols)


def _check_answers(condition: Condition) -> None:
    if len(condition.levels) < MIN_LEVELS:
        control = f"control {condition.control!r} leaves" if condition.control else ""
        refuse_answers(
            control or f"{condition.title} has",
            condition.context_lengths,
            condition.levels,
            condition.sequence(0).answers,
            least=MIN_LEVELS,
        )


def _check_control(text: str, task: TaskSpec) -> None:
    """Raise SpecError for a control that is none, or that these context lengths would not show."""
    control, longest = parse_control(text), _lengths(task)[-1]
    if task.nested and not control.nested:
        raise SpecError(
            f"control {text!r} needs a sequence of its own for each context length; set nested: false"
        )
    if longest + task.depth <= control.reach:
        raise SpecError(
            f"control {text!r} leaves sequences of up to {control.reach} symbols as they are, and the longest here "
            f"has {longest + task.depth}; lengthen context_lengths or choose a smaller number"
        )


def _design(task: TaskSpec, control: str | None) -> Literal["grid", "adaptive"]:
    """Return the task's design; "grid" for a control that is judged beyond an observer, sequence by sequence."""
    beyond = control is not None and task.readout != "judgment" and parse_control(control).expects == "gone"
    return "grid" if beyond else task.design


def _lengths(task: TaskSpec) -> tuple[int, ...]:
    match task.context_lengths:
        case FromTo() as span:
            lengths = list(range(span.from_, span.to + 1, span.step))
        case Log2(log2=[low, high]):
            lengths = [2**e for e in range(low.bit_length() - 1, high.bit_length()) if low <= 2**e <= high]
        case list() as given:
            lengths = given
        case _:
            lengths = []
    if lengths != sorted(set(lengths)):
        raise SpecError(f"context_lengths {lengths!r} must ascend, each once")
    if len(lengths) < MIN_LEVELS and task.readout != "generation":
        raise SpecError(
            f"context_lengths {lengths!r} are {len(lengths)}; a transition needs at least {MIN_LEVELS} to be seen"
        )
    return tuple(lengths)


def _frozen(value: Scalar | list[Scalar] | Param) -> ParamValue:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]
