"""Every error a user can meet, as one tree.

    HarnessError
    |- SpecError (ValueError)            a suite, option or parameter is not as documented
    |  |- UnknownName (LookupError)      no such family, model, suite, observer, control or recipe
    |  `- RenderError                    a sequence cannot be written as a prompt this model can be scored on
    |- CurveError (ValueError)           numbers that are not a curve: p outside [0, 1], k > n, too few levels
    |- ModelError (RuntimeError)         a model cannot be opened or used as asked
    |  |- MissingKey (KeyError)          an environment variable with a key or address is not set
    |  |- CheckpointError                a local checkpoint directory cannot be loaded safely
    |  |- TokenizationError              a symbol is not exactly one token of this model
    |  |- WhiteBoxError                  activations cannot be read or changed as asked
    |  `- ContextTooLong                 the plan needs more context than the model was made for
    |- StoreError (RuntimeError)         a run directory cannot be used
    |  |- WrongRun                       it holds the run of another suite
    |  |- RunLocked                      another process is writing to it
    |  `- StoreFull (OSError)            the disk is full or cannot be written
    |- BudgetError (RuntimeError)        the price is unknown or above the cap
    `- MissingExtra (ImportError)        an optional part is not installed

A message says what was found, where, what is allowed and what to do. A call
that fails while a run goes on is not an exception but a `types.Failure`.
"""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'? (known: x, y)", without the question where nothing is near."""
    names = sorted(known)
    return f"{near_miss(name, names)} (known: {', '.join(names) or 'none'})"


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?", empty where nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class HarnessError(Exception):
    """Base of all errors raised on purpose by this package."""

    def __str__(self) -> str:
        # KeyError would print the repr of its argument, quotes included.
        return str(self.args[0]) if self.args else self.__class__.__name__


class SpecError(HarnessError, ValueError):
    """A suite, option or parameter is not as documented."""


class UnknownName(SpecError, LookupError):
    """No family, model, suite, observer, control or recipe has this name."""


class RenderError(SpecError):
    """A sequence cannot be written as a prompt this model can be scored on."""


class CurveError(HarnessError, ValueError):
    """These numbers do not make a curve."""


class ModelError(HarnessError, RuntimeError):
    """A model cannot be opened or used as asked."""


class MissingKey(ModelError, KeyError):
    """An environment variable that holds a key or an address is not set."""


class CheckpointError(ModelError):
    """A local checkpoint directory cannot be loaded safely."""


class TokenizationError(ModelError):
    """A symbol of the suite is not exactly one token of this model."""


class WhiteBoxError(ModelError):
    """The activations of a model cannot be read or changed as asked."""


class ContextTooLong(ModelError):
    """The plan needs more context than the model was made for."""


class StoreError(HarnessError, RuntimeError):
    """A run directory cannot be used."""


class WrongRun(StoreError):
    """The run directory holds the run of another suite."""


class RunLocked(StoreError):
    """Another process is writing to the run directory."""


class StoreFull(StoreError, OSError):
    """The disk is full or cannot be written."""


class BudgetError(HarnessError, RuntimeError):
    """The price is unknown or above the cap."""


class MissingExtra(HarnessError, ImportError):
    """An optional part of the package is not installed."""
