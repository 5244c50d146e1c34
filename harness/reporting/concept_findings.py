"""What trajectories through concept space show: when each ability is there, leads, turns, and the trend with signal."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from harness.analysis import transition
from harness.analysis.learning import FallingTrend, Lead, falling_trend, lead, learning_time
from harness.analysis.turn import Turn, find_turn
from harness.types import AnalysisOptions, ConceptTrajectory, Floats, SequenceCurve, Transition

NAIVE, TRAINED = "11", ("00", "10", "01")
CAPABILITIES = ("latent", "latent tuned", "stronger")
WAYS = (NAIVE, *CAPABILITIES, "patched", "random", "wrong")
ANALYSED = (NAIVE, "latent tuned")
CALLED = {
    NAIVE: "asked plainly",
    "latent": "latent, scale 1",
    "latent tuned": "latent, tuned scale",
    "stronger": "over-prompting",
    "patched": "final conditioning maps",
    "random": "random directions",
    "wrong": "size direction instead",
}
THRESHOLDS = (0.8, 0.5)  # of joint accuracy: that of Park et al. 2024, and twice chance
_LOG_STEPS = AnalysisOptions(axis="log2")
_POINT = 0.03  # s.d. of a mean over 32 images with P(blue) s.d. .17, as seen near the corners


@dataclass(frozen=True, slots=True, eq=False)
class RunFindings:
    """One training run."""

    run: ConceptTrajectory
    accuracy: dict[str, Floats]  # joint accuracy on the held-out class by way of asking, (n_checkpoints,)
    times: dict[tuple[str, float], float | None]  # learning time by way and threshold
    trained_colour: float | None  # learning time of colour on the trained classes, at the first threshold
    held_out_colour: float | None  # and on the held-out class, asked plainly
    turn: Turn  # of the held-out class, asked plainly, over the checkpoints after step 0
    transitions: dict[str, Transition]  # of joint accuracy over log step after step 0, by ANALYSED

    def time(self, way: str, threshold: float) -> float | None:
        """Return the learning time of the held-out class, asked in one way; None is never."""
        return self.times[way, threshold]

    def step_of(self, index: int) -> int:
        """Return the training step of an index of the turn."""
        return int(self.run.step[1 + index])

    def colour_shown(self, way: str) -> Floats:
        """Return blue less red of the circles in units of what a blue class asks for, (n_checkpoints,)."""
        return np.asarray(self.run.blue_less_red[way].mean(axis=1) / self.run.colour)


@dataclass(frozen=True, slots=True, eq=False)
class ConceptFindings:
    """All runs of the experiment together. Keys of `leads` are (colour, way, threshold)."""

    runs: tuple[RunFindings, ...]  # ascending in colour, then in seed
    leads: dict[tuple[float, str, float], Lead | None]
    trends: dict[
        str, FallingTrend | None
    ]  # learning time against colour separation; None without whole blocks
    blocks: int  # seeds that have all colours: what the trends rest on

    @property
    def colours(self) -> list[float]:
        """Colour separations, ascending."""
        return sorted({r.run.colour for r in self.runs})

    def at(self, colour: float) -> list[RunFindings]:
        """Return the runs of one colour separation."""
        return [r for r in self.runs if r.run.colour == colour]


def find(trajectories: Sequence[ConceptTrajectory]) -> ConceptFindings:
    """Return what the runs of one experiment show; they share checkpoints and differ in colour and seed."""
    runs = tuple(_of_run(t) for t in sorted(trajectories, key=lambda t: (t.colour, t.seed)))
    colours = sorted({r.run.colour for r in runs})
    leads = {}
    for colour in colours:
        mine = [r for r in runs if r.run.colour == colour]
        last = float(max(r.run.step[-1] for r in mine))
        for way in CAPABILITIES:
            for threshold in THRESHOLDS:
                capability = [r.times[way, threshold] for r in mine]
                behaviour = [r.times[NAIVE, threshold] for r in mine]
                leads[colour, way, threshold] = lead(capability, behaviour, last=last)
    seeds = [
        s for s in sorted({r.run.seed for r in runs}) if sum(r.run.seed == s for r in runs) == len(colours)
    ]
    trends = {name: _trend(runs, seeds, of) for name, of in _TIMES.items()}
    return ConceptFindings(runs, leads, trends, len(seeds))


_TIMES: dict[str, Callable[[RunFindings], float | None]] = {
    "colour of the trained classes": lambda r: r.trained_colour,
    "colour of the held-out class, asked plainly": lambda r: r.held_out_colour,
} | {
    f"held-out class above {threshold:g}, {CALLED[way]}": partial(
        RunFindings.time, way=way, threshold=threshold
    )
    for threshold in THRESHOLDS
    for way in (NAIVE, "latent tuned", "stronger")
}


def mean_path(run: ConceptTrajectory, way: str) -> Floats:
    """Return the trajectory through concept space: mean P(blue) and P(small), (n_checkpoints, 2)."""
    return np.asarray(run.p[way].mean(axis=1))


def _of_run(run: ConceptTrajectory) -> RunFindings:
    accuracy = {way: mean_path(run, way).prod(axis=1) for way in WAYS}
    step = run.step.astype(np.float64)
    times = {
        (way, threshold): learning_time(step, curve, threshold=threshold)
        for way, curve in accuracy.items()
        for threshold in THRESHOLDS
    }
    colour = {name: mean_path(run, name)[:, 0] for name in (*TRAINED, NAIVE)}
    right = np.mean([colour[name] if name[0] == "1" else 1 - colour[name] for name in TRAINED], axis=0)
    return RunFindings(
        run,
        accuracy,
        times,
        learning_time(step, right, threshold=THRESHOLDS[0]),
        learning_time(step, colour[NAIVE], threshold=THRESHOLDS[0]),
        find_turn(mean_path(run, NAIVE)[1:], noise=_POINT),
        {way: _transition(run, way) for way in ANALYSED},
    )


def _transition(run: ConceptTrajectory, way: str) -> Transition:
    each = run.p[way][1:].prod(axis=2).T  # (n_images, n_checkpoints): an image is one noise throughout
    name = f"joint accuracy, {CALLED[way]}, colour {run.colour:g}, seed {run.seed}"
    ids = tuple(map(str, range(len(each))))
    return transition(SequenceCurve(name, run.step[1:].astype(np.float64), each, ids), options=_LOG_STEPS)


def _trend(
    runs: Sequence[RunFindings], seeds: Sequence[int], of: Callable[[RunFindings], float | None]
) -> FallingTrend | None:
    """Test whether a learning time falls with the colour separation, seeds as blocks."""
    if not seeds:
        return None
    rows = [[_or_never(of(r)) for r in runs if r.run.seed == seed] for seed in seeds]
    return falling_trend(np.array(rows)) if len(rows[0]) > 1 else None


def _or_never(time: float | None) -> float:
    return math.inf if time is None else time
