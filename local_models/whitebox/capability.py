"""Hidden capability of one checkpoint: naive prompting, over-prompting and latent intervention on the same trials.

After Park et al. 2024, for an autoregressive model. A trial is a prompt whose
evidence implies a law of the next symbol, and belongs to one of two classes of a
concept. The intervention adds alpha times half the difference between the mean
states of *seen* classes at the last token, towards the trial's class: alpha = 1
goes from between the classes to one of them. Over-prompting repeats the evidence
of the same prompt.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.directions import Direction, States, mean_difference, random_direction
from harness.local_models.whitebox.interventions import Intervention
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.types import Bools, Floats, Ints
from harness.types.capability import CapabilityReading

_SCALES = (0.5, 1.0, 2.0, 4.0, 8.0)  # alphas that are tried; 1 is reported apart whatever is chosen
Pair = tuple[TokenRows, TokenRows]  # prompts of the positive and of the negative class


@dataclass(frozen=True, slots=True, eq=False)
class CapabilityTrials:
    """What is asked of every checkpoint. Prompts are asked at their last token."""

    symbols: tuple[int, ...]  # tokens of the declared symbols
    naive: TokenRows
    strong: dict[int, TokenRows]  # how often the evidence is repeated -> the same trials
    law: Floats  # (n_trials, n_symbols), what the evidence implies
    towards: Ints  # (n_trials,), 1 or -1: the class of each
    selection: Bools  # (n_trials,), whether layer, scale and strength are chosen on it
    seen: Pair  # of classes that are none of the trials'
    wrong: Pair  # of another concept
    other: TokenRows  # prompts of another concept, on which the intervention should do nothing
    other_symbols: tuple[int, ...]


def read_capability(
    box: WhiteBox,
    trials: CapabilityTrials,
    *,
    rng: np.random.Generator,
    scales: Seq[float] = _SCALES,
    layers: Seq[int] | None = None,
    draws: int = 20,
) -> CapabilityReading:
    """Measure one checkpoint, every layer unless some are named. Raises WhiteBoxError for trials that cannot be."""
    _check(trials)
    chosen_on, held = trials.selection, ~trials.selection
    naive, mass = _agreement(box, trials, trials.naive)
    over = {k: _agreement(box, trials, rows)[0] for k, rows in trials.strong.items()}
    strength = max(over, key=lambda k: over[k][chosen_on].mean())
    among = range(box.n_layers) if layers is None else layers
    directions = {layer: _direction(box, trials.seen, layer) for layer in among}
    latent = {
        (layer, alpha): _moved(box, trials, direction, alpha)
        for layer, direction in directions.items()
        for alpha in {1.0, *scales}
    }
    best = max((c for c in latent if c[1] in scales), key=lambda c: latent[c][0][chosen_on].mean())
    natural = max((c for c in latent if c[1] == 1.0), key=lambda c: latent[c][0][chosen_on].mean())
    layer, alpha = best
    ways = {"naive": naive, "over": over[strength], "latent": latent[best][0]}  # the first wins a tie
    made = directions[layer]
    wrong = replace(made, unit=_direction(box, trials.wrong, layer).unit, made_of="another concept")
    unlike = [random_direction(made, rng) for _ in range(draws)]
    unlike_natural = [random_direction(directions[natural[0]], rng) for _ in range(draws)]
    return CapabilityReading(
        naive=naive[held],
        over=over[strength][held],
        natural=latent[natural][0][held],
        tuned=latent[best][0][held],
        random=np.stack([_moved(box, trials, d, alpha)[0][held] for d in unlike]),
        random_natural=np.stack([_moved(box, trials, d, 1.0)[0][held] for d in unlike_natural]),
        wrong=_moved(box, trials, wrong, alpha)[0][held],
        layer=layer,
        scale=alpha,
        natural_layer=natural[0],
        strength=strength,
        best=max(ways, key=lambda way: float(ways[way][chosen_on].mean())),  # type: ignore[arg-type]
        alpha_norm=made.natural_scale / 2,
        mass=(float(mass[held].mean()), float(latent[best][1][held].mean())),
        off_target=_off_target(box, trials, made, alpha),
    )


def _direction(box: WhiteBox, pair: Pair, layer: int) -> Direction:
    positive, negative = (_states(box, rows, layer) for rows in pair)
    return mean_difference(layer, positive, negative)


def _states(box: WhiteBox, rows: TokenRows, layer: int) -> States:
    return np.ascontiguousarray(box.captured(rows, [Site(layer, "output", "last")])[:, 0, 0])


def _moved(
    box: WhiteBox, trials: CapabilityTrials, direction: Direction, alpha: float
) -> tuple[Floats, Floats]:
    """Return agreement and mass of every trial, moved towards its own class."""
    agreement, mass = np.empty(len(trials.law)), np.empty(len(trials.law))
    for sign in (1, -1):
        who = np.flatnonzero(trials.towards == sign)
        add = direction.add(sign * alpha * direction.natural_scale / 2, "last")
        law, total = _law(box, trials.naive.part(who.tolist()), trials.symbols, [add])
        agreement[who], mass[who] = 1 - np.abs(law - trials.law[who]).sum(axis=1) / 2, total
    return agreement, mass


def _agreement(box: WhiteBox, trials: CapabilityTrials, rows: TokenRows) -> tuple[Floats, Floats]:
    law, mass = _law(box, rows, trials.symbols, ())
    return 1 - np.abs(law - trials.law).sum(axis=1) / 2, mass


def _off_target(box: WhiteBox, trials: CapabilityTrials, direction: Direction, alpha: float) -> float:
    """Return the mean total variation that the addition makes where it should make none, over both signs."""
    before, _ = _law(box, trials.other, trials.other_symbols, ())
    changes = []
    for sign in (1, -1):
        add = direction.add(sign * alpha * direction.natural_scale / 2, "last")
        after, _ = _law(box, trials.other, trials.other_symbols, [add])
        changes.append(np.abs(after - before).sum(axis=1).mean() / 2)
    return float(np.mean(changes))


def _law(
    box: WhiteBox, rows: TokenRows, symbols: Seq[int], interventions: Seq[Intervention]
) -> tuple[Floats, Floats]:
    """Return the law over the symbols (n, n_symbols) after each row, and the probability they have together."""
    p = np.exp([at[0] for at in box.log_probs(rows, symbols, interventions=interventions)])
    mass = p.sum(axis=1)
    return p / mass[:, None], mass


def _check(trials: CapabilityTrials) -> None:
    n = len(trials.naive)
    shapes = {len(trials.law), len(trials.towards), len(trials.selection), *map(len, trials.strong.values())}
    if shapes != {n} or not trials.strong:
        raise WhiteBoxError(
            f"{n} prompts, but laws, classes and stronger prompts for {sorted(shapes)}: one of each"
        )
    for part in (trials.selection, ~trials.selection):
        if {1, -1} - set(trials.towards[part].tolist()):
            raise WhiteBoxError("the trials chosen on and the others both need trials of both classes")
