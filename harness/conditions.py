"""A condition: a family at one setting under at most one control, with its sequences and prompts."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from harness.errors import SpecError
from harness.parts import Part, answering, branches, straight
from harness.prompts.controls import apply_control
from harness.registry import load_family
from harness.seeds import sequence_stream
from harness.spec import CognitiveSpec, RenderSpec
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
    phases: tuple[str, ...] | None = None  # the observers that checkpoints are compared with, None: all
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


def _plain(value: ParamValue) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def symbols_digest(condition: Condition) -> str:
    """Return the sha256 of the first sequence: it changes if the family's code does, or its text."""
    first = condition.first.sequence
    return hashlib.sha256(first.symbols.astype("<i8").tobytes() + first.before.encode()).hexdigest()
