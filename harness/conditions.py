"""A suite expanded: one condition per task, swept value and control, with its sequences."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from harness.answers import refuse_answers
from harness.errors import SpecError
from harness.parts import Part, answering, branches, straight
from harness.prompts.controls import apply_control, parse_control
from harness.registry import load_family
from harness.seeds import sequence_stream
from harness.spec import CognitiveSpec, FromTo, Log2, Param, RenderSpec, Scalar, SuiteSpec, Sweep, TaskSpec
from harness.types import Floats, Params, ParamValue, Prompt, Sequence
from harness.writing import Writing, resolve

MIN_LEVELS = 3  # fewer context lengths are no curve: said before anything is paid for


@dataclass(frozen=True)
class Condition:
    """One curve's worth of trials: a family at one setting, under at most one control."""

    seed: int  # of the suite
    family: str
    params: Params  # every parameter, defaults included
    swept: tuple[str, ...]  # names of the parameters that the suite sweeps
    control: str | None
    context_lengths: tuple[int, ...]  # ascending, as the suite has them; `levels` are those measured
    sequences: int
    samples: int
    readout: str
    nested: bool
    refusals: Literal["exclude", "score_zero"]
    render: RenderSpec
    depth: int = 1  # symbols of the continuation that is measured; 1 but for readout "continuation"
    phase: Literal["same", "any"] = "same"
    length: int = 0  # symbols of a generation
    cognitive: CognitiveSpec | None = None  # what its predictions are explained by
    design: Literal["grid", "adaptive"] = (
        "grid"  # which of its sequences are asked at which lengths: in no digest
    )
    precision: float = 0.05  # of design adaptive

    @cached_property
    def id(self) -> str:
        """Return a short stable name, usable in a file name: family, swept values, control, digest."""
        parts = [self.family, *(f"{k}-{self.params[k]}" for k in self.swept), *filter(None, [self.control])]
        slug = re.sub(r"[^A-Za-z0-9.-]+", "-", "_".join(parts)).strip("-")
        return f"{slug[:60]}_{self.digest[:6]}"

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of everything that decides the requests, but not how many sequences there are."""
        params = sorted(load_family(self.family).identity(self.params).items())
        key = [self.seed, self.family, params, self.control, self.context_lengths]
        rest = [self.samples, self.readout, self.nested, self.refusals, self.writing.key]
        if self.readout == "continuation":  # later readouts leave the digests of earlier ones as they were
            rest += [self.depth, self.phase]
        if self.readout == "generation":
            rest.append(self.length)
        return hashlib.sha256(json.dumps([*key, *rest], default=list).encode()).hexdigest()

    @property
    def title(self) -> str:
        """Return the condition in words, its control apart, e.g. "periodic, period 3, symbols letters"."""
        shown = {k: v for k, v in self.params.items() if k in self.swept or v != self._defaults[k]}
        words = [self.family, *(f"{k} {_plain(v)}" for k, v in shown.items())]
        if self.readout == "continuation":
            words.append(f"next {self.depth} symbols" + (" in any phase" if self.phase == "any" else ""))
        if self.readout == "answer":
            words.append("answers")
        if self.readout == "generation":
            words.append(f"{self.length} symbols written")
        return ", ".join(words)

    @cached_property
    def _defaults(self) -> Mapping[str, ParamValue]:
        return load_family(self.family).defaults

    def sequence(self, replicate: int, length: int | None = None) -> Sequence:
        """Generate one sequence: `depth` symbols longer than the longest context, which has a target then.

        `length` is given for conditions that are not nested, which draw a fresh
        sequence for each context length.
        """
        family = load_family(self.family)
        longest = self.context_lengths[-1] if length is None else length
        sequence = family.sample(longest + self.depth, self._stream(replicate, length), **self.params)
        if self.control is None:
            return sequence
        rng = self._stream(replicate, length, "control", self.control)
        return apply_control(self.control, sequence, family, self.params, rng)

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Return the context lengths that are measured, ascending.

        All of them; for answers those that stand just before one, in any of the
        sequences. Where answers stand may differ between sequences: a level is
        then measured on those that have one there.
        """
        if self.readout != "answer":
            return self.context_lengths
        found: set[int] = set()
        for replicate in range(self.sequences):
            if len(found) == len(self.context_lengths):
                break
            found.update(n for part in self.parts(replicate) for n in part.levels)
        return tuple(sorted(found))

    @cached_property
    def alike(self) -> bool:
        """Return whether every sequence is asked as often as the first and with as much text."""
        return self.readout != "answer" and not self.first.sequence.before

    @property
    def first(self) -> Part:
        """Return the first part that is asked anything."""
        return next(part for replicate in range(self.sequences) for part in self.parts(replicate))

    def asked_at(self, level: int) -> tuple[int, Sequence]:
        """Return the first replicate that is measured at one of the levels, with its sequence."""
        if self.readout != "answer":
            return 0, self.sequence(0, None if self.nested else level)
        every = ((r, part) for r in range(self.sequences) for part in self.parts(r))
        return next((r, part.sequence) for r, part in every if level in part.levels)

    def parts(self, replicate: int) -> Iterator[Part]:
        """Yield the sequences of one replicate with the context lengths each is asked for."""
        if self.nested:
            yield from self._parts(replicate, self.context_lengths, None)
        else:
            for n in self.context_lengths:
                yield from self._parts(replicate, (n,), n)

    def _parts(self, replicate: int, levels: tuple[int, ...], length: int | None) -> Iterator[Part]:
        sequence = self.sequence(replicate, length)
        if self.readout == "answer":
            part = answering(straight(levels, 1, sequence))
            if part.levels:
                yield part
            return
        if self.phase == "same":
            yield straight(levels, self.depth, sequence)
            return
        family = load_family(self.family)
        concept = family.sample(
            self.context_lengths[-1] + self.depth, self._stream(replicate, length), **self.params
        )
        yield from branches(levels, self.depth, sequence, concept, family, self.params)

    def _stream(self, replicate: int, length: int | None, *more: str) -> np.random.Generator:
        fresh = () if length is None else ("length", length)
        params = load_family(self.family).identity(self.params)
        return sequence_stream(self.seed, self.family, params, replicate, *fresh, *more)

    def prompt(self, sequence: Sequence, replicate: int = 0) -> Prompt:
        """Write a sequence of this condition as its prompt; counterbalanced symbols turn with the replicate."""
        return self.writing.prompt(sequence, replicate)

    @cached_property
    def writing(self) -> Writing:
        """Return the words of its prompts, resolved."""
        return resolve(self.render, self.family, self.readout, self.length)


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
            yield condition


def independent_law(condition: Condition) -> Floats:
    """Return the law of the independent symbols that a generation is asked for: shape (n_symbols,).

    Raises SpecError where symbols depend on each other, or where a law is drawn
    for each sequence: neither can be announced.
    """
    family = load_family(condition.family)
    laws = [family.sample(8, condition._stream(r, None), **condition.params).law for r in (0, 1)]
    if np.ptp(np.concatenate(laws), axis=0).any():
        raise SpecError(
            f"readout generation: {condition.title}: a bias is announced, so the symbols must be independent draws "
            "of probabilities that the suite gives, as in family bernoulli with p: 0.7 or categorical with "
            "probabilities: [0.5, 0.3, 0.2]"
        )
    return np.asarray(laws[0][0])


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


def _plain(value: ParamValue) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def symbols_digest(condition: Condition) -> str:
    """Return the sha256 of the first sequence: it changes if the family's code does, or its text."""
    first = condition.first.sequence
    return hashlib.sha256(first.symbols.astype("<i8").tobytes() + first.before.encode()).hexdigest()
