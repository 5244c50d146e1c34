"""Coloured circles with one combination held out (Park et al. 2024): not a language model but a small image flow.

`icl train concept-space?colour=0.2` trains one run; its checkpoints are read by
`harness.local_models.concept_space.evaluation`. `side=32&width=64` with
`--steps 20000 --device cuda` has the paper's images, widths and steps.
"""

import json
import platform
from dataclasses import asdict
from pathlib import Path

from harness.local_models.recipe_names import TrainingResult
from harness.local_models.training_loop import OnProgress

STEPS = 1500  # two CPU minutes; every trained class is learned by step 200

_CARD = """\
# concept-space

A U-Net of {parameters:,} parameters that turns noise into {side}x{side} images of one circle, told colour and radius \
by four numbers: a velocity field trained by flow matching, no language model.

Trained with `icl train "concept-space?{options}"`: seed {seed}, {steps} steps of {batch_size} images, on {device}, \
{versions}. This file is written by the training code.

## Data

Circles, {per_class} of each of three classes: large red, large blue, small red. Small blue is held out. Colour \
separation {colour} between red and blue, size separation {size} between the radii, image width 2; within a class \
colours vary by an eighth and radii by three eighths of these to either side, uniformly. Position and background \
vary and are not told.

## Loss

Mean squared error of the velocity between noise and image, each scaled to [-1, 1] and s.d. 1. Mean of the last 50 \
steps: {loss:.4f}.

## Files

`step-XXXXXX` folders hold the weights after that many steps; `run.json` all settings; `training.json` the loss of \
each step.
"""


def train(
    out_dir: Path,
    *,
    seed: int,
    steps: int | None,
    device: str,
    on_progress: OnProgress | None,
    colour: float = 0.2,
    size: float = 0.4,
    side: int = 16,
    width: int = 16,
    batch_size: int = 64,
) -> TrainingResult:
    """Train one run into `out_dir`; see `train_circles`. `width` is that of the first of three resolutions."""
    from harness.local_models.concept_space.training import CircleRun, new_model, train_circles

    run = CircleRun(
        colour=colour,
        size=size,
        seed=seed,
        steps=STEPS if steps is None else steps,
        side=side,
        channels=(width, 2 * width, 4 * width),
        batch_size=batch_size,
    )
    result = train_circles(run, out_dir, device=device, on_progress=on_progress)
    versions = _versions()
    record = asdict(run) | {"device": device, "seconds": round(result.seconds, 1), "versions": versions}
    record["loss"] = [round(x, 5) for x in result.losses]
    (out_dir / "training.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    card = _CARD.format(
        **asdict(run),
        parameters=sum(p.numel() for p in new_model(run).parameters()),
        options=f"colour={colour}&size={size}&side={side}&width={width}&batch_size={batch_size}",
        device=device,
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        loss=sum(result.losses[-50:]) / len(result.losses[-50:]),
    )
    (out_dir / "README.md").write_text(card, encoding="utf-8")
    return result


def _versions() -> dict[str, str]:
    import numpy
    import torch

    return {"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__}
