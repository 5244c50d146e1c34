"""Training of the circle model: three classes of four, seeded, resumable, checkpoints spaced in log steps."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from harness.errors import CheckpointError, SpecError
from harness.local_models.concept_space.flow import CircleFlow, FlowConfig, flow_loss
from harness.local_models.concept_space.images import TRAINED, Separation, draw_concepts, draw_images
from harness.local_models.recipe_names import TrainingResult
from harness.local_models.training_state import Progress, claim, forget_state, load_state, save_state

_FIRST = 40  # step of the first checkpoint after 0: nothing is learned before
_CARD = "run.json"


@dataclass(frozen=True, slots=True)
class CircleRun:
    """Everything that determines a trained circle model."""

    colour: float  # colour separation: the concept signal that is swept
    size: float = 0.4
    seed: int = 0
    steps: int = 2500
    side: int = 16
    channels: tuple[int, ...] = (16, 32, 64)
    per_class: int = 2048  # images of each trained class
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    n_checkpoints: int = 18  # besides step 0, spaced evenly in log step

    def __post_init__(self) -> None:
        if self.steps < 1 or self.n_checkpoints < 2 or self.batch_size < 1:
            raise SpecError(
                f"steps={self.steps!r}, n_checkpoints={self.n_checkpoints!r} and batch_size={self.batch_size!r} "
                "must be at least 1, 2 and 1"
            )
        halved = 2 ** (len(self.channels) - 1)
        if self.side < 8 or self.side % halved or any(width < 4 or width % 4 for width in self.channels):
            raise SpecError(
                f"side={self.side!r} must be a multiple of {halved} from 8 on, which {len(self.channels)} "
                f"resolutions halve, and channels {self.channels!r} multiples of 4"
            )

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Training steps after which weights are kept, 0 and the last included."""
        first = min(_FIRST, self.steps)
        spaced = np.unique(np.geomspace(first, self.steps, self.n_checkpoints).round().astype(int))
        return (0, *spaced.tolist())

    @property
    def separation(self) -> Separation:
        """The concept signals the model is trained on."""
        return Separation(self.colour, self.size)


def train_circles(
    run: CircleRun,
    out: Path,
    *,
    device: str = "cpu",
    on_progress: Callable[[int, int, float], None] | None = None,
) -> TrainingResult:
    """Train into `out`, one folder step-XXXXXX a checkpoint; killed at any point, the same call goes on.

    Images, noise and initial weights depend on the run alone, those of step i on
    (seed, i) only, on any device. On CUDA the forward pass is in bfloat16 and
    AdamW is fused. The loss is the mean squared error of the velocity, see
    `flow_loss`. Raises CheckpointError if `out` holds anything but this run, unfinished.
    """
    checkpoints, images, told = run.checkpoints, *_data(run, device)
    identity = {key: str(value) for key, value in asdict(run).items()} | {"device": device}
    goes_on = claim(out, identity)
    model = new_model(run).to(device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=run.learning_rate,
        weight_decay=run.weight_decay,
        fused=True if device.startswith("cuda") else None,
    )
    before = load_state(out, model, optimizer) if goes_on else Progress(0, (), 0.0)
    losses, started = list(before.losses), time.monotonic()
    for step in range(before.step, run.steps + 1):
        if step in checkpoints:
            seconds = before.seconds + time.monotonic() - started
            save_state(out, identity, Progress(step, tuple(losses), seconds), model, optimizer)
            _keep(run, model, out, step)
        if step == run.steps:
            break
        random = torch.Generator().manual_seed((run.seed << 32) + step)
        rows = torch.randint(len(images), (run.batch_size,), generator=random)
        noise = torch.randn((run.batch_size, 3, run.side, run.side), generator=random).to(device)
        t = torch.rand(run.batch_size, generator=random).to(device)
        with torch.autocast("cuda", torch.bfloat16, enabled=device.startswith("cuda")):
            loss = flow_loss(model, images[rows], told[rows], noise, t)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if on_progress:
            on_progress(step + 1, run.steps, losses[-1])
    forget_state(out)
    return TrainingResult(out, run.steps, tuple(losses), before.seconds + time.monotonic() - started)


def new_model(run: CircleRun) -> CircleFlow:
    """Return the untrained model of a run; the caller's random generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        return CircleFlow(FlowConfig(side=run.side, channels=run.channels))


def load_circles(directory: Path) -> CircleFlow:
    """Return the model of a checkpoint folder, in evaluation mode."""
    if not (directory / "model.safetensors").is_file():
        raise CheckpointError(f"{str(directory)!r} holds no model.safetensors: train into it first")
    model = CircleFlow(FlowConfig.from_pretrained(directory, local_files_only=True))
    model.load_state_dict(load_file(directory / "model.safetensors"))
    model.eval()
    return model


def read_run(out: Path) -> CircleRun:
    """Return which run a directory holds. Raises CheckpointError if it holds none."""
    try:
        kept = json.loads((out / _CARD).read_text(encoding="utf-8"))
        return CircleRun(**kept | {"channels": tuple(kept["channels"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{str(out)!r} holds no circle run ({_CARD}: {error}): train one with `icl train concept-space`"
        ) from error


def steps_done(out: Path) -> list[int]:
    """Return the training steps whose checkpoints are there, ascending."""
    return sorted(
        int(p.name.removeprefix("step-")) for p in out.glob("step-*") if (p / "model.safetensors").is_file()
    )


def checkpoint(out: Path, step: int) -> Path:
    """Return the folder of the weights after `step` steps."""
    return out / f"step-{step:06d}"


def _data(run: CircleRun, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training images and the concept values of each."""
    rng = np.random.default_rng([run.seed, 1])
    concepts = np.concatenate([draw_concepts(name, run.separation, run.per_class, rng) for name in TRAINED])
    images = draw_images(concepts, run.side, rng)
    return torch.from_numpy(images).to(device), torch.from_numpy(concepts).to(device)


def _keep(run: CircleRun, model: CircleFlow, out: Path, step: int) -> None:
    """Write a checkpoint folder, whole or not at all, and whose it is."""
    (out / _CARD).write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
    part, folder = out / f".step-{step:06d}", checkpoint(out, step)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    model.config.save_pretrained(part)
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, part / "model.safetensors", metadata={"format": "pt"})
    if not folder.exists():
        part.rename(folder)
    else:
        shutil.rmtree(part)
