"""The context length at which another observer takes the lead in a mixture."""

from dataclasses import dataclass

import numpy as np

from harness.cognitive.mixture import Mixture
from harness.errors import SpecError
from harness.types import Floats


@dataclass(frozen=True, slots=True)
class Switch:
    """One observer leads up to a context length, another from there on."""

    before: str
    after: str
    location: float  # context length at which the weights cross
    low: float
    high: float
    agreement: float  # share of the resamples with this switch, from the one to the other


def leader_switch(mixture: Mixture, *, confidence: float = 0.95) -> Switch | None:
    """Return where the lead passes from one observer to another, or None.

    Leaders and place are those that together carry most weight: the largest sum,
    over context lengths, of the weight of `before` up to there and of `after`
    from there on. Lengths at which a weight is not determined count for none of
    its observers. Between the two lengths the place is where straight lines
    through the weights cross.

    None where one observer alone carries as much, or where fewer than
    `confidence` of the resampled mixtures switch between the same two. The
    interval is the percentiles over those that do. Of several changes of the
    lead it is the one that matters most; look for others in parts of the range.
    """
    if not 0 < confidence < 1:
        raise SpecError(f"confidence={confidence!r} must be in 0..1")
    lengths = mixture.context_lengths.astype(np.float64)
    if lengths.size < 2 or len(mixture.observers) < 2:
        return None
    found = _switch(mixture.weights * mixture.determined, lengths)
    if found is None:
        return None
    before, after, location = found
    others = [_switch(weights * mixture.determined, lengths) for weights in mixture.resampled]
    same = [other[2] for other in others if other is not None and other[:2] == (before, after)]
    agreement = len(same) / len(others)
    if agreement < confidence:
        return None
    low, high = np.quantile(same, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return Switch(
        before=mixture.observers[before],
        after=mixture.observers[after],
        location=location,
        low=min(low, location),
        high=max(high, location),
        agreement=agreement,
    )


def _switch(weights: Floats, lengths: Floats) -> tuple[int, int, float] | None:
    """Return the leaders before and after and the place, of weights (n_lengths, n_observers)."""
    head = np.cumsum(weights, axis=0)[:-1]  # (n_lengths - 1, n_observers): the sum up to each possible place
    total = weights.sum(axis=0)
    carried = head[:, :, None] + (total - head)[:, None, :]
    carried[:, np.eye(weights.shape[1], dtype=np.bool_)] = -np.inf
    place, before, after = np.unravel_index(int(carried.argmax()), carried.shape)
    if carried[place, before, after] <= total.max() + 1e-9:  # rounding of a sum is no lead
        return None
    ahead = weights[:, before] - weights[:, after]
    left, right = max(float(ahead[place]), 0.0), max(-float(ahead[place + 1]), 0.0)
    share = left / (left + right) if left + right > 0 else 0.5
    return int(before), int(after), float(lengths[place] + share * (lengths[place + 1] - lengths[place]))
