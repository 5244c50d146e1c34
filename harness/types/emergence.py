"""What a block passes on of sequences of distinct entities, in bits, with what every estimator says of it."""

from dataclasses import dataclass
from typing import Literal

Headline = Literal["plug-in", "closed form", "held-out", "upper bound"]


@dataclass(frozen=True, slots=True)
class EmergenceCell:
    """E(l, t) of one network at one block and token, and everything beside it; None where not asked or not known.

    All but `emergence` are of the macro term, I(h_{l+1}; h_l) after the prefix
    that ends with this token, or say so.
    """

    network: str  # "trained" or "untrained"
    layer: int  # 0-based: h_l is the stream before this block
    token: int  # t, 0-based after BOS
    entity: bool  # the token is an entity, not a separator
    macro: float  # the headline
    headline: Headline
    why: str
    micro: float  # mean over all tokens of the information of a token alone
    emergence: float  # macro - micro
    closed_form: float  # where no two prefixes share a state
    n_prefixes: int
    plug_in: float | None  # all prefixes run, states told apart to 1e-5 of their size
    coarse: float | None  # to 1e-3, as 16-bit floats would
    distinct: tuple[int, int] | None  # states told apart before and after the block, of all prefixes
    held_out: float | None
    held_out_error: float | None  # standard error over pairs; the fit of the critic is not in it
    info_nce: float | None
    smile: float | None
    ceiling: float | None  # log2 of the pairs it was read on: more is not certified
    faithful: float | None  # published rule
    faithful_emergence: float | None  # its macro less its mean micro term
    cross_entropy: float  # bits the network spends on the prefix
    cross_entropy_error: float

    @property
    def above_ceiling(self) -> bool:
        """Whether the held-out value is more than its pairs can certify."""
        return self.held_out is not None and self.ceiling is not None and self.held_out > self.ceiling


@dataclass(frozen=True, slots=True)
class EmergenceReading:
    """Information emergence of one model and of an untrained network of the same configuration."""

    entities: int  # m
    shots: int
    separator: str
    n: int  # independent sequences behind each held-out value
    cells: tuple[EmergenceCell, ...]  # by layer, network and token

    def of(self, network: str, layer: int) -> tuple[EmergenceCell, ...]:
        """Return the cells of one network at one block, by token."""
        return tuple(c for c in self.cells if (c.network, c.layer) == (network, layer))

    @property
    def layers(self) -> tuple[int, ...]:
        """Blocks that were measured, ascending."""
        return tuple(sorted({c.layer for c in self.cells}))

    def largest_difference(self, layer: int) -> float | None:
        """Return the largest |E trained - E untrained| over the tokens of a block, None where one is missing."""
        pairs = zip(self.of("trained", layer), self.of("untrained", layer), strict=False)
        return max((abs(a.emergence - b.emergence) for a, b in pairs), default=None)
