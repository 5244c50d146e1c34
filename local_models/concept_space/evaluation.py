"""Ask every checkpoint of a circle run for each class in each way, and keep the answers as they come."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from harness.errors import CheckpointError, SpecError
from harness.local_models.concept_space.flow import CircleFlow, Conditioning, generate
from harness.local_models.concept_space.images import HELD_OUT, TRAINED, Separation
from harness.local_models.concept_space.probe import Probe, TrainedProbe
from harness.local_models.concept_space.protocols import (
    SCALES,
    directions,
    parallelogram,
    prompt,
    random_directions,
    steered,
    stronger_prompts,
)
from harness.local_models.concept_space.training import checkpoint, load_circles, read_run, steps_done
from harness.types import ConceptTrajectory, Floats

NAIVE = HELD_OUT
_CORE = 4  # pixels of the circle its colour is read from; small blue at its mean covers 13 of 16x16
Answers = dict[str, Floats]
"""P(blue), P(small), and blue less red of the circle, of each image, (n, 3), by way of asking."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How many images are asked for, with which noise."""

    images: int = 32  # of each way, on which everything reported rests
    selection: int = 12  # further ones on which strengths are chosen
    random: int = 16  # random directions, which share the images out among them
    flow_steps: int = 6  # of the midpoint rule
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.selection, self.random, self.flow_steps) < 1 or self.images < self.random:
            raise SpecError(
                f"images={self.images!r} must be at least random={self.random!r}, which share them; "
                f"selection={self.selection!r} and flow_steps={self.flow_steps!r} at least 1"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One checkpoint, asked in every way."""

    answers: Answers
    chosen: dict[str, int]  # index of the candidate the selection split picked
    parallelogram: float


def read_checkpoint(
    model: CircleFlow,
    separation: Separation,
    probe: Probe,
    *,
    asking: Asking,
    final: CircleFlow | None = None,
) -> Reading:
    """Ask a model for the trained classes ("00", "10", "01") and, in every way, for the held-out one.

    Ways: "11" plainly; "stronger" in exaggerated colours; "latent" with the
    seen colour direction added to the prompt of 01 (scale 1) and "latent tuned"
    at the scale chosen; controls at that scale, "random" (directions of equal
    length) and "wrong" (the size direction in its place); "patched", told by
    the conditioning maps of `final` where given. Strengths are chosen on images
    that are not reported.
    """
    n, batch = asking.images, _Batch(model, probe, asking)
    way = directions(model, separation, seed=asking.seed)
    candidates = {
        "stronger": stronger_prompts(model, separation),
        "latent tuned": [steered(model, separation, way.colour, scale) for scale in SCALES],
    }
    asked = [prompt(model, name, separation) for name in (*TRAINED, NAIVE)]
    asked += [candidates["latent tuned"][0]]
    ways = [*TRAINED, NAIVE, "latent"]
    if final is not None:
        asked, ways = [*asked, prompt(final, NAIVE, separation)], [*ways, "patched"]
    answers = dict(zip(ways, batch.ask(asked, 0, n), strict=True))
    chosen = {}
    for name, plain in (("stronger", NAIVE), ("latent tuned", "latent")):
        tried = batch.ask(candidates[name], n, n + asking.selection)
        chosen[name] = int(np.argmax([joint(p) for p in tried]))
        picked = candidates[name][chosen[name]]
        answers[name] = batch.ask([picked], 0, n)[0] if chosen[name] else answers[plain]
    scale = SCALES[chosen["latent tuned"]]
    answers["wrong"] = batch.ask([steered(model, separation, way.size, scale)], 0, n)[0]
    draws = random_directions(way.colour, asking.random, seed=asking.seed)
    drawn = [steered(model, separation, direction, scale) for direction in draws]
    answers["random"] = batch.ask_each(drawn, n // asking.random)
    return Reading(answers, chosen, parallelogram(model, separation))


class _Batch:
    """Asks one model in several ways at once, always from the same noise."""

    def __init__(self, model: CircleFlow, probe: Probe, asking: Asking) -> None:
        self._model, self._probe, self._steps = model, probe, asking.flow_steps
        shape = (asking.images + asking.selection, 3, model.config.side, model.config.side)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(asking.seed))
        self._noise = noise.to(next(model.parameters()).device)

    def ask(self, tellings: list[Conditioning], start: int, stop: int) -> list[Floats]:
        """Return the answers, (stop - start, 3), in images from this part of the noise, for each telling."""
        noise = self._noise[start:stop].repeat(len(tellings), 1, 1, 1)
        return list(self._images(tellings, noise).reshape(len(tellings), stop - start, 3))

    def ask_each(self, tellings: list[Conditioning], images: int) -> Floats:
        """Return the answers, (tellings * images, 3), each telling with its own part of the noise."""
        return self._images(tellings, self._noise[: len(tellings) * images])

    def _images(self, tellings: list[Conditioning], noise: torch.Tensor) -> Floats:
        each = len(noise) // len(tellings)
        told = [torch.cat([t.expand(each, -1) for t in block]) for block in zip(*tellings, strict=True)]
        images = generate(self._model, told, noise, steps=self._steps).cpu()
        return np.column_stack([self._probe.judge(images), blue_less_red(images)])


def joint(p: Floats) -> float:
    """Return the joint accuracy on class 11: mean P(blue) times mean P(small), as Park et al. 2024 count it."""
    return float(p[:, :2].mean(axis=0).prod())


def blue_less_red(images: torch.Tensor) -> Floats:
    """Return how much bluer than red the circle of each image (n, 3, side, side) is: (n,).

    Read where green is least, which in the data is inside the circle; a plain
    prompt of a blue class asks for the colour separation.
    """
    flat = images.flatten(2).double()
    where = flat[:, 1].topk(_CORE, largest=False).indices
    return (flat[:, 2] - flat[:, 0]).gather(1, where).mean(dim=1).numpy()


def read_trajectory(
    out: Path,
    probe: TrainedProbe,
    *,
    asking: Asking,
    device: str = "cpu",
    on_progress: Callable[[int, int], None] | None = None,
) -> ConceptTrajectory:
    """Return every checkpoint of a finished run, asked in every way; what was asked before is read from `out`.

    One JSON file a checkpoint, so that a killed reading goes on.
    Raises CheckpointError if `out` holds no finished run.
    """
    run = read_run(out)
    steps = steps_done(out)
    if run.steps not in steps:
        raise CheckpointError(
            f"{str(out)!r} has no checkpoint of its last step {run.steps}: finish its training first"
        )
    final = load_circles(checkpoint(out, run.steps)).to(device)
    key: dict[str, object] = {"asking": asdict(asking), "probe": _digest(probe.probe)}
    readings = []
    for i, step in enumerate(steps):
        kept = out / f"reading-{step:06d}.json"
        reading = _read_back(kept, key)
        if reading is None:
            model = load_circles(checkpoint(out, step)).to(device)
            reading = read_checkpoint(model, run.separation, probe.probe, asking=asking, final=final)
            _write(kept, reading, key)
        readings.append(reading)
        if on_progress:
            on_progress(i + 1, len(steps))

    def all_steps(way: str) -> Floats:
        return np.stack([r.answers[way] for r in readings])

    return ConceptTrajectory(
        colour=run.colour,
        size=run.size,
        seed=run.seed,
        step=np.array(steps),
        p={way: all_steps(way)[..., :2] for way in readings[0].answers},
        blue_less_red={way: all_steps(way)[..., 2] for way in readings[0].answers},
        parallelogram=np.array([r.parallelogram for r in readings]),
        chosen={way: np.array([r.chosen[way] for r in readings]) for way in readings[0].chosen},
        accuracy=probe.accuracy,
    )


def _digest(probe: Probe) -> str:
    weights = b"".join(value.numpy().tobytes() for value in probe.state_dict().values())
    return hashlib.sha256(weights).hexdigest()[:16]


def _write(path: Path, reading: Reading, key: dict[str, object]) -> None:
    answers = {way: p.round(5).tolist() for way, p in reading.answers.items()}
    record = key | {
        "answers": answers,
        "chosen": reading.chosen,
        "parallelogram": reading.parallelogram,
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record) + "\n", encoding="utf-8")
    part.replace(path)


def _read_back(path: Path, key: dict[str, object]) -> Reading | None:
    """Return the reading kept at `path`, None where there is none of this way of asking and this probe."""
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if any(record[name] != value for name, value in key.items()):
        return None
    answers = {way: np.array(p) for way, p in record["answers"].items()}
    return Reading(answers, record["chosen"], record["parallelogram"])
