"""What passes between the core and white-box measurements: trials with labels go in, arrays come back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.types.sequence import Floats, Ints, Params, Prompt, Sequence

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Job = Mapping[str, Json]
"""Everything besides model and trials that decides the numbers of one measurement, as plain JSON."""
Arrays = Mapping[str, NDArray[Any]]
"""What a measurement gives: named arrays of numbers, truth values or text; no objects."""


@dataclass(frozen=True, slots=True, eq=False)
class WhiteBoxTrial:
    """One sequence of a study, written as the behavioural part writes it."""

    sequence: str  # its id in the behavioural curve of its condition
    condition: str  # `CurveResult.id`
    label: int  # index into the labels of the study
    group: int  # trials of one group share symbols: they must not be on both sides of a decoder
    prompt: Prompt  # `prompt.symbols[n]` is the target of the context length n
    params: Params = field(default_factory=dict)  # of its condition
    drawn: Sequence | None = None  # with its oracle, where a measurement is scored by it

    def implied(self, context_length: int, law: str) -> Floats:
        """Return the law of the next symbol (n_symbols,) after a context, by an observer, "ideal", or the "truth"."""
        assert self.drawn is not None, "kept by every study that is scored by a law"
        if law == "truth":
            return np.asarray(self.drawn.law[context_length])
        return np.asarray(self.drawn.observers[self.drawn.ideal if law == "ideal" else law][context_length])


@dataclass(frozen=True, slots=True, eq=False)
class WhiteBoxStudy:
    """The trials of one task, labelled by a concept: what every white-box measurement is given.

    A context of n symbols is the first n symbols of a trial; the state there is
    the residual stream at its last token.
    """

    title: str  # the task in words
    concept: str  # what the labels are values of, e.g. "period"
    labels: tuple[str, ...]  # at least two, in the order of the suite
    context_lengths: tuple[int, ...]  # ascending, at which the behaviour is measured
    trials: tuple[WhiteBoxTrial, ...]
    seed: int  # of the suite
    digest: str  # sha256 of all of the above that decides a measurement
    other: "WhiteBoxStudy | None" = None  # trials of another concept, with a digest of their own

    @property
    def label(self) -> Ints:
        """Label of each trial: shape (n_trials,)."""
        return np.array([trial.label for trial in self.trials], dtype=np.int64)

    @property
    def group(self) -> Ints:
        """Group of each trial: shape (n_trials,)."""
        return np.array([trial.group for trial in self.trials], dtype=np.int64)

    @property
    def selection(self) -> NDArray[np.bool_]:
        """Which trials choices may be made on: every second group of a label, shape (n_trials,).

        Layers, scales and directions are chosen here and frozen; what is
        reported of them is measured on the others.
        """
        label, group = self.label, self.group
        chosen = np.zeros(len(label), dtype=np.bool_)
        for value in range(len(self.labels)):
            groups = np.unique(group[label == value])
            chosen |= np.isin(group, groups[::2])
        return chosen


@runtime_checkable
class OpenModel(Protocol):
    """A model whose activations can be read and changed."""

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        ...

    def look_inside(self, kind: str, study: WhiteBoxStudy, job: Job) -> Arrays:
        """Make one white-box measurement. Raises WhiteBoxError, TokenizationError or ContextTooLong."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WhiteBoxResult:
    """What was found inside one model in one task."""

    model: str
    title: str
    concept: str
    labels: tuple[str, ...]
    n_layers: int
    n_trials: int
    conditions: tuple[str, ...]  # ids of the curves that show the behaviour of the same sequences
    findings: Mapping[str, object]  # kind of measurement -> its own record
    missing: tuple[str, ...] = ()  # what was asked and is not there, a sentence each
