"""What every cognitive model offers, and the search that most are fitted by."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from harness.cognitive.behaviour import Behaviour
from harness.cognitive.parameters import Parameter
from harness.cognitive.sandwich import sandwich_errors
from harness.cognitive.search import Estimate, maximise
from harness.types import Floats, Ints

Law = Callable[[Floats], Floats]
"""Parameter values in, laws of shape (n_sequences, length + 1, n_symbols) out."""


class CognitiveModel(ABC):
    """A law of the next symbol given those before it, with parameters to be fitted.

    Row n of a law may depend on the first n symbols only: what is scored is the
    probability of whole sequences, the product of the rows.
    """

    n_symbols = 2

    @property
    @abstractmethod
    def name(self) -> str:
        """Name in tables, e.g. "window average"."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """The free parameters, in the order of the values."""

    @abstractmethod
    def bind(self, symbols: Ints) -> Law:
        """Do once what depends on the symbols alone, and return the law as a function of the parameters."""

    def estimate(self, behaviour: Behaviour) -> Estimate:
        """Return the parameters of maximum likelihood."""
        return maximise(self.bind(behaviour.symbols), behaviour, self.parameters)

    def standard_errors(self, behaviour: Behaviour, values: Floats) -> Floats:
        """Return the standard error of each parameter over sequences, NaN where there is none."""
        return sandwich_errors(self.bind(behaviour.symbols), behaviour, self.parameters, values)
