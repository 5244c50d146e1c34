"""The contract of a task family: one module that draws sequences and knows what ideal observers say of them.

A family module opens with a docstring (first line: the summary; one real prompt
and its target) and defines

    IDEAL: str  # the observer that is Bayes-optimal under the family's own prior
    def sample(length: int, rng: np.random.Generator, *, <parameter>: <type> = <default>, ...) -> Sequence
    def observe(symbols: Ints, alphabet: tuple[str, ...], *, <parameter>: <type>, ...) -> dict[str, Floats]

`sample` draws the hidden concept first and then the symbols in order, with
`harness.prompts.draws`, so that a longer sequence starts with the shorter one.
`observe` names those parameters of `sample` that its observers know: what it
does not name, they cannot use. A new family is one such file in `families/`.

It may define besides

    ANSWERS: str  # in which of its settings sequences hold answers, e.g. "always" or "form: each, form: end"
    ADDED: tuple[str, ...]  # parameters that came later: at their default, sequences are what they were without
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType

import numpy as np

from harness.errors import SpecError
from harness.prompts.later import Later, later
from harness.prompts.parameters import Parameter, complete, declared
from harness.types import Floats, Ints, Params, ParamValue, Sequence


@dataclass(frozen=True, slots=True)
class Family:
    """A task family whose parameters are checked before it draws, and whose sequences are checked after."""

    name: str
    doc: str  # the docstring of the module
    ideal: str
    parameters: tuple[Parameter, ...]
    _sample: Callable[..., Sequence]
    _observe: Callable[..., dict[str, Floats]]
    _observed: frozenset[str]  # the parameters that the observers know
    answers: str = ""  # in which settings its sequences hold answers, "" for none
    _added: frozenset[str] = frozenset()  # parameters that came after others had been drawn without them
    _looked_at: set[str] = field(
        default_factory=set, compare=False, repr=False
    )  # settings whose observers were

    @staticmethod
    def from_module(name: str, module: ModuleType) -> "Family":
        """Return the family that a module defines. Raises SpecError if the module breaks the contract."""
        where = f"family {name!r}"
        lacking = [part for part in ("IDEAL", "sample", "observe") if not hasattr(module, part)]
        if lacking:
            raise SpecError(f"{where}: module {module.__name__} does not define {', '.join(lacking)}")
        parameters = declared(module.sample, where)
        signature = inspect.signature(module.observe).parameters.values()
        observed = frozenset(p.name for p in signature if p.kind is p.KEYWORD_ONLY)
        strange = sorted(observed - {p.name for p in parameters})
        if strange:
            raise SpecError(f"{where}: observe takes {', '.join(strange)}, which sample does not")
        answers, added = getattr(module, "ANSWERS", ""), frozenset(getattr(module, "ADDED", ()))
        doc = inspect.getdoc(module) or ""
        return Family(
            name, doc, module.IDEAL, parameters, module.sample, module.observe, observed, answers, added
        )

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def defaults(self) -> Mapping[str, ParamValue]:
        """Every parameter with its default, in the order of the signature."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def complete(self, params: Params) -> dict[str, ParamValue]:
        """Return every parameter, those not given at their default, each of its declared type.

        Raises SpecError for an unknown name or a value of the wrong type.
        """
        return complete(self.parameters, params, f"family {self.name!r}")

    def identity(self, params: Params) -> dict[str, ParamValue]:
        """Return what of complete parameters seeds and digests are made of.

        A parameter that came later is left out at its default, so that what was
        drawn and stored without it is found again.
        """
        return {k: v for k, v in params.items() if k not in self._added or v != self.defaults[k]}

    def sample(self, length: int, rng: np.random.Generator, **params: ParamValue) -> Sequence:
        """Return a sequence of `length` >= 0 symbols.

        Raises SpecError for a negative length, an unknown parameter, or a value
        of the wrong type or out of its range.
        """
        if length < 0:
            raise SpecError(f"family {self.name!r}: length={length!r} must be >= 0")
        values = self.complete(params)
        sequence = self._sample(length, rng, **values)
        self._check(sequence, length, {"law": sequence.law})
        setting = repr(sorted(values.items()))
        if setting in self._looked_at and isinstance(sequence.observers, Later):
            return replace(sequence, observers=later(self._checked, sequence, length))
        # Observers refuse parameters too: of each setting they are looked at once.
        self._checked(sequence, length)
        self._looked_at.add(setting)
        return sequence

    def observe(self, symbols: Ints, alphabet: tuple[str, ...], /, **params: ParamValue) -> dict[str, Floats]:
        """Return what each of the family's observers says of any symbols of its alphabet.

        `symbols` (length,) are indices; each value has shape (length + 1, n_symbols).
        """
        values = self.complete(params)
        return self._observe(symbols, alphabet, **{k: v for k, v in values.items() if k in self._observed})

    def _checked(self, sequence: Sequence, length: int) -> Mapping[str, Floats]:
        """Return the observers of a sequence, worked out now. Raises SpecError as `_check` does."""
        self._check(sequence, length, sequence.observers)
        if sequence.ideal not in sequence.observers:
            known = ", ".join(sequence.observers)
            raise SpecError(
                f"family {self.name!r}: ideal={sequence.ideal!r} is not one of its observers ({known})"
            )
        return sequence.observers

    def _check(self, sequence: Sequence, length: int, tables: Mapping[str, Floats]) -> None:
        """Raise SpecError if a family returned something that is not what `Sequence` promises."""
        shape = (length + 1, len(sequence.alphabet))
        wrong = [f"{name} {table.shape}" for name, table in tables.items() if table.shape != shape]
        if sequence.symbols.shape != (length,):
            wrong.append(f"symbols {sequence.symbols.shape}")
        if sequence.answers is not None and sequence.answers.shape != (length,):
            wrong.append(f"answers {sequence.answers.shape}")
        if wrong:
            raise SpecError(
                f"family {self.name!r}: {', '.join(wrong)} for length {length}; a table must be {shape}"
            )
