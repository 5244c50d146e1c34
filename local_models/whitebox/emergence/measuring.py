"""The terms of information emergence at one block and token of a trained network, or of an untrained one like it.

    E(l, t) = I(h_{l+1}; h_l) after the prefix that ends with token t
              - mean over all T tokens of I(h_{l+1}; h_l) after that token alone       (Chen et al. 2025)

A whole sequence is t = T - 1. `h_l` is the residual stream before block l, 0-based.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.batching import Activations
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.emergence.design import (
    EntityTokens,
    block_states,
    entity_tokens,
    prefix_cross_entropy,
)
from harness.local_models.whitebox.emergence.enumerable import COARSE, plug_in
from harness.local_models.whitebox.emergence.estimates import held_out, seeded
from harness.local_models.whitebox.emergence.faithful import faithful
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ESTIMATORS = ("plug_in", "held_out", "faithful")
NETWORKS = ("trained", "untrained")
_ENUMERATED = (
    50_000  # prefixes that are all run: some ten seconds for a model of a hundred thousand parameters
)
_CROSS_ENTROPY_ROWS = 1000  # sequences: the standard error is then a thirtieth of the spread between them
_SMALL = (
    (64, 32, 16, 8),
    300,
    1e-3,
)  # widths, epochs and rate of the published rule where it must cost seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """One job: a block of one network and a token, and what is estimated there."""

    layer: int
    token: int  # t, 0-based after BOS
    network: str  # of NETWORKS
    entities: tuple[str, ...]
    separator: str
    shots: int
    n: int  # independent sequences the critics are fitted and read on
    estimators: tuple[str, ...]  # of ESTIMATORS


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Return the terms at one block and token: see `emergence_terms`. Of the study, its seed alone is used."""
    asked = _asked(job)
    model = loaded.model if asked.network == "trained" else untrained(loaded.model, study.seed)
    found = emergence_terms(WhiteBox(model, loaded.tokenizer), asked, study.seed)
    return {name: np.array(value) for name, value in found.items()}


def untrained(model: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """Return a network of the same configuration with the random weights that its class begins with."""
    with seeded(seed):
        fresh = type(model)(model.config)
    return cast("PreTrainedModel", fresh.to(device=model.device, dtype=model.dtype).eval())


def emergence_terms(box: WhiteBox, asked: Asked, seed: int) -> dict[str, float]:
    """Return numbers by name, in bits; NaN where not asked or not known.

    `closed_form`: if no two inputs share a state. `plug_in` with `distinct_in`
    and `distinct_out`: all `n_prefixes` run, where they are few enough; `coarse`:
    the same with states told apart a hundred times less finely.
    `held_out` with `held_out_error`, `smile`, `info_nce`, `ceiling` (see
    `HeldOut`), and `faithful`: of the n independent draws. `micro`: exact, as the
    tokens alone are few; `micro_faithful` by the published rule; both are the
    token's own, not yet a mean. `shared`: 1 where two of the prefixes that were
    run share a state, else 0. `cross_entropy` with its error: bits that the
    network itself spends on the prefix. Raises WhiteBoxError.
    """
    design = entity_tokens(box, asked.entities, asked.separator, asked.shots)
    if not 0 <= asked.token < design.n_tokens:
        raise WhiteBoxError(
            f"token {asked.token} is not in 0..{design.n_tokens - 1}, those of {asked.shots} entities"
        )
    found = dict.fromkeys(_NAMES, float("nan"))
    found |= _macro(box, design, asked, seed) | _micro(box, design, asked, seed)
    orders = design.drawn_orders(asked.token, _CROSS_ENTROPY_ROWS, _rng(seed, 2))
    spent = prefix_cross_entropy(box, design, orders, asked.token)
    found["cross_entropy"] = float(spent.mean())
    found["cross_entropy_error"] = float(spent.std(ddof=1) / np.sqrt(len(spent)))
    return found


_NAMES = (
    *("closed_form", "n_prefixes", "plug_in", "coarse", "distinct_in", "distinct_out", "shared"),
    *("held_out", "held_out_error", "smile", "info_nce", "ceiling", "faithful"),
    *("micro", "micro_faithful", "cross_entropy", "cross_entropy_error"),
)


def _macro(box: WhiteBox, design: EntityTokens, asked: Asked, seed: int) -> dict[str, float]:
    """Return the terms of the prefix that ends with token t."""
    t = asked.token
    n_prefixes = design.n_prefixes(t)
    draws = _rng(seed, 0, t)
    found: dict[str, float] = {"closed_form": design.macro_bits(asked.layer, t), "n_prefixes": n_prefixes}
    if n_prefixes <= _ENUMERATED:
        orders = design.all_orders(t)
        chosen = draws.integers(n_prefixes, size=asked.n)
    else:
        orders, which = np.unique(design.drawn_orders(t, asked.n, draws), axis=0, return_inverse=True)
        chosen = which.ravel()
    x, y = block_states(box, design.rows(orders, t), asked.layer)
    exact = plug_in(x, y)
    found["shared"] = float(exact.distinct[1] < exact.n or (asked.layer > 0 and exact.distinct[0] < exact.n))
    if "plug_in" in asked.estimators and n_prefixes <= _ENUMERATED:
        found["coarse"] = plug_in(x, y, resolution=COARSE).bits
        found |= {"plug_in": exact.bits, "distinct_in": exact.distinct[0], "distinct_out": exact.distinct[1]}
    fits = _rng(seed, 1, asked.layer, t)
    if "held_out" in asked.estimators:
        one = held_out(x[chosen], y[chosen], fits)
        found |= {"held_out": one.dv.value, "held_out_error": one.dv.error, "smile": one.smile}
        found |= {"info_nce": one.info_nce, "ceiling": one.ceiling}
    if "faithful" in asked.estimators:
        found["faithful"] = _published(x[chosen], y[chosen], fits)
    return found


def _micro(box: WhiteBox, design: EntityTokens, asked: Asked, seed: int) -> dict[str, float]:
    """Return the terms of the token alone: of an entity the same wherever it stands, of a separator nothing."""
    if asked.token % design.step:
        return {"micro": 0.0, "micro_faithful": 0.0}
    alone = block_states(box, design.alone(), asked.layer)
    found = {"micro": plug_in(*alone).bits}
    if "faithful" in asked.estimators:
        rng = _rng(seed, 3, asked.layer)
        chosen = rng.integers(len(alone[0]), size=asked.n)
        found["micro_faithful"] = _published(alone[0][chosen], alone[1][chosen], rng)
    return found


def _published(x: Activations, y: Activations, rng: np.random.Generator) -> float:
    widths, epochs, rate = _SMALL
    return faithful(x, y, rng, widths=widths, epochs=epochs, rate=rate).largest


def _rng(seed: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, *purpose])


def _asked(job: Job) -> Asked:
    found = cast(Mapping[str, object], job)
    asked = Asked(
        layer=cast(int, found["layer"]),
        token=cast(int, found["token"]),
        network=cast(str, found["network"]),
        entities=tuple(cast(list[str], found["entities"])),
        separator=cast(str, found["separator"]),
        shots=cast(int, found["shots"]),
        n=cast(int, found["n"]),
        estimators=tuple(cast(list[str], found["estimators"])),
    )
    for value, known in ((asked.network, NETWORKS), *((e, ESTIMATORS) for e in asked.estimators)):
        if value not in known:
            raise WhiteBoxError(f"{value!r} is not known here; there are {', '.join(known)}")
    return asked
