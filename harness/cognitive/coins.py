"""Cognitive models of coin flips: window average, alternation chain and discounted filter."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.signal import lfilter

from harness.cognitive.model import CognitiveModel, Law
from harness.cognitive.parameters import Parameter, lapse, probability, with_lapse
from harness.errors import SpecError
from harness.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class WindowAverage(CognitiveModel):
    """The gambler's fallacy of Bigelow et al. 2024: frequencies are evened out within a window.

    p(0 | prefix) = 2 p - (share of 0 among the last w symbols before), clipped to
    0..1 and mixed with the uniform law at rate `lapse`: what is clipped is
    impossible by definition, and one such symbol would rule the model out. It is
    `observers.window.window_average`, with w tried at each of `widths`.
    """

    widths: tuple[int, ...] = tuple(range(1, 21))  # the authors use 5 and 10

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise SpecError(f"WindowAverage: widths={self.widths!r} must be at least one, each 1 or more")

    @property
    def name(self) -> str:
        """Window average."""
        return "window average"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Width, believed probability of symbol 0, lapse rate."""
        widths = tuple(float(w) for w in sorted(self.widths))
        return Parameter("w", widths[0], widths[-1], grid=widths), probability("p"), lapse()

    def bind(self, symbols: Ints) -> Law:
        """Take the share of symbol 0 in each window once for each width."""
        n = np.arange(symbols.shape[1] + 1)
        zeros = np.zeros((len(symbols), n.size))
        np.cumsum(symbols == 0, axis=1, out=zeros[:, 1:])

        @cache
        def share(width: int) -> Floats:
            return np.asarray((zeros - zeros[:, np.maximum(n - width, 0)]) / np.clip(n, 1, width))

        def law(values: Floats) -> Floats:
            width, p, rate = values
            zero = np.clip(2 * p - share(int(width)), 0, 1)
            zero[:, 0] = p
            return with_lapse(_both(zero), rate)

        return law


@dataclass(frozen=True, slots=True)
class Alternation(CognitiveModel):
    """A bias of outcome times a bias to alternate, as a Markov chain (after Falk & Konold 1997).

    With p0 the pull of symbol 0 and a that of alternating,
    P(0 -> 1) = a (1 - p0) / (a (1 - p0) + (1 - a) p0) and
    P(1 -> 0) = a p0 / (a p0 + (1 - a) (1 - p0)). The first symbol is 0 with
    probability p0, which is the long-run share of 0 only where a or p0 is 1/2.
    Any order-1 chain inside 0..1 has exactly one (p0, a).
    """

    @property
    def name(self) -> str:
        """Alternation."""
        return "alternation"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Outcome bias and alternation bias."""
        return probability("p0"), probability("a")

    def bind(self, symbols: Ints) -> Law:
        """Look up the row of the last symbol."""
        last = np.concatenate([np.full((len(symbols), 1), 2), symbols], axis=1)  # 2: no symbol yet

        def law(values: Floats) -> Floats:
            p0, a = values
            stay = (1 - a) * p0 / (a * (1 - p0) + (1 - a) * p0)
            come = a * p0 / (a * p0 + (1 - a) * (1 - p0))
            return _both(np.array([stay, come, p0])[last])

        return law


@dataclass(frozen=True, slots=True)
class DiscountedFilter(CognitiveModel):
    """A Beta-Bernoulli filter whose counts fade by gamma a step (Gupta et al. 2025).

    Counts begin at (prior_0, prior_1) and become gamma * count + 1[symbol]; the
    law is the counts over their sum, mixed with the uniform law at rate `lapse`,
    since after a run the faded counts leave the other symbol next to nothing.
    The prior fades too. It is `observers.window.discounted` with a prior for
    each symbol.
    """

    @property
    def name(self) -> str:
        """Discounted filter."""
        return "discounted filter"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Discount, prior count of each symbol, lapse rate."""
        first, second = (Parameter(f"prior_{a}", 0.01, 1000.0, "log") for a in (0, 1))
        return Parameter("gamma", 0.0, 1.0), first, second, lapse()

    def bind(self, symbols: Ints) -> Law:
        """Mark where each symbol stands."""
        n_sequences, length = symbols.shape
        added = np.zeros((n_sequences, length + 1, 2))
        np.put_along_axis(added[:, 1:], symbols[..., None], 1, axis=2)

        def law(values: Floats) -> Floats:
            gamma, first, second, rate = values
            added[:, 0] = first, second
            count = lfilter([1.0], [1.0, -gamma], added, axis=1)
            return with_lapse(np.asarray(count / count.sum(axis=2, keepdims=True)), rate)

        return law


def _both(zero: Floats) -> Floats:
    return np.stack([zero, 1 - zero], axis=-1)
