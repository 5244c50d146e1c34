"""Mutual information of paired states read on pairs that the critic never saw, in bits."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.emergence.bounds import Bits, donsker_varadhan, info_nce, smile
from harness.local_models.whitebox.emergence.coordinates import canonical_coordinates
from harness.local_models.whitebox.emergence.critic import SeparableCritic
from harness.types import Floats, Ints

States = NDArray[np.floating]
_FOLDS = 4  # one tests, the next says when to stop, the others fit
_MOST = (
    3000,
    1500,
)  # pairs to test on and to stop at: all pairs of them are scored, and more say little more
_BETTER = 2e-3  # bits: less is not worth the epochs
_SCALES = (
    1.0,
    0.5,
    0.2,
    0.1,
    0.05,
    0.02,
    0.01,
    0.005,
)  # tried for the critic's first part before it is fitted


@dataclass(frozen=True, slots=True)
class Fit:
    """How the critic is fitted: Adam on the Donsker-Varadhan value of batches, all their mismatched pairs included."""

    components: int = 32  # canonical pairs it sees at most
    batch: int = 256
    epochs: int = 60
    patience: int = 5  # epochs without a value better by `_BETTER` on the pairs that stop it
    rate: float = 1e-3
    folds: int = 2  # of the four that are tested in turn, each with a critic of its own


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Mutual information in bits, from pairs that neither the coordinates nor the critic were fitted on."""

    dv: Bits
    smile: float
    info_nce: float
    n_test: int  # pairs it was read on
    epochs: int  # after which the critic was best on the pairs that stop it; 0: no better than saying nothing

    @property
    def ceiling(self) -> float:
        """The most bits that this many pairs can certify: log2 n."""
        return float(np.log2(self.n_test))

    @property
    def certified(self) -> bool:
        """Whether the Donsker-Varadhan value is one that these pairs can carry.

        Above the ceiling none is; and where it falls short of the contrastive
        bound, which cannot run away, single pairs have carried it away.
        """
        return self.info_nce - 2 * self.dv.error <= self.dv.value <= self.ceiling

    @property
    def bits(self) -> float:
        """The value to report: Donsker-Varadhan where certified, else the contrastive bound, at most log2 n."""
        return self.dv.value if self.certified else self.info_nce


def held_out(x: States, y: States, rng: np.random.Generator, *, fit: Fit | None = None) -> HeldOut:
    """Estimate I(X; Y) from independent pairs: x (n, width), y (n, width).

    Three parts of the pairs, drawn at random: one fits canonical coordinates and
    the critic, one says when to stop, one is what is reported. A critic that is
    no better than a constant on the second part is one, so that independent
    sides give exactly 0. Raises WhiteBoxError for too few pairs.
    """
    fit = fit or Fit()
    check_pairs(x, y)
    order = np.array_split(rng.permutation(len(x)), _FOLDS)
    found = [_one_fold(x, y, order[fold:] + order[:fold], rng, fit) for fold in range(fit.folds)]
    return HeldOut(
        dv=Bits(
            float(np.mean([one.dv.value for one in found])),
            float(np.sqrt(np.mean([one.dv.error**2 for one in found]) / len(found))),
        ),
        smile=float(np.mean([one.smile for one in found])),
        info_nce=float(np.mean([one.info_nce for one in found])),
        n_test=min(one.n_test for one in found),
        epochs=max(one.epochs for one in found),
    )


def _one_fold(x: States, y: States, parts: list[Ints], rng: np.random.Generator, fit: Fit) -> HeldOut:
    test, stop, *rest = (parts[0][: _MOST[0]], parts[1][: _MOST[1]], *parts[2:])
    train = np.concatenate(rest)
    coordinates = canonical_coordinates(x[train], y[train], components=fit.components)
    if not coordinates.correlation.size:  # a side that does not vary
        return HeldOut(Bits(0.0, 0.0), 0.0, 0.0, len(test), 0)
    seen, stopping, tested = (_tensors(*coordinates.of(x[part], y[part])) for part in (train, stop, test))
    with seeded(int(rng.integers(2**31))):
        critic, epochs = _fitted(SeparableCritic(coordinates), seen, stopping, fit)
    if critic is None:
        return HeldOut(Bits(0.0, 0.0), 0.0, 0.0, len(test), 0)
    scores = critic.scores(*tested)
    return HeldOut(donsker_varadhan(scores), smile(scores), info_nce(scores), len(test), epochs)


Pair = tuple[torch.Tensor, torch.Tensor]


def _fitted(critic: SeparableCritic, train: Pair, stop: Pair, fit: Fit) -> tuple[SeparableCritic | None, int]:
    """Return the critic at its best on the pairs that stop it, None where a constant does as well there."""
    values = []
    for scale in _SCALES:
        critic.log_scale.data.fill_(np.log(scale))
        values.append(_worth(critic, stop))
    critic.log_scale.data.fill_(np.log(_SCALES[int(np.argmax(values))]))
    best, best_value, best_epoch = deepcopy(critic.state_dict()), max(values), 0
    optimiser = torch.optim.Adam(critic.parameters(), lr=fit.rate)
    for epoch in range(1, fit.epochs + 1):
        for rows in torch.split(torch.randperm(len(train[0])), fit.batch):
            if len(rows) < 2:
                continue
            optimiser.zero_grad()
            loss = -_value(critic(train[0][rows], train[1][rows]))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
            optimiser.step()
        value = _worth(critic, stop)
        if value > best_value + _BETTER:
            best, best_value, best_epoch = deepcopy(critic.state_dict()), value, epoch
        elif epoch - best_epoch >= fit.patience:
            break
    if best_value <= 0:
        return None, 0
    critic.load_state_dict(best)
    return critic, best_epoch


def _worth(critic: SeparableCritic, pairs: Pair) -> float:
    """Return what a critic is sure to find in pairs it was not fitted on: its value less one standard error."""
    found = donsker_varadhan(critic.scores(*pairs))
    return found.value - found.error


def _value(scores: torch.Tensor) -> torch.Tensor:
    """Return the Donsker-Varadhan value of a batch, in nats."""
    n = len(scores)
    mismatched = scores.masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    return scores.diagonal().mean() - torch.logsumexp(mismatched.flatten(), 0) + math.log(n * (n - 1))


def _tensors(u: Floats, v: Floats) -> Pair:
    return torch.tensor(u, dtype=torch.float32), torch.tensor(v, dtype=torch.float32)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch within, and leave its generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def check_pairs(x: States, y: States) -> None:
    """Raise WhiteBoxError unless these are at least 200 pairs of finite states, (n, width) each."""
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise WhiteBoxError(f"states {x.shape} and {y.shape} are no pairs: (n, width) is needed of both")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise WhiteBoxError("states hold a number that is not finite")
    if len(x) < 200:
        raise WhiteBoxError(
            f"{len(x)} pairs are too few to fit a critic and to read it elsewhere: give at least 200"
        )
