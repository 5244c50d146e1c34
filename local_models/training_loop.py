"""The training loop: seeded, resumable, plain torch; it knows nothing of what is learned."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.errors import SpecError
from harness.local_models.training_state import Progress, claim, load_state, save_state

if TYPE_CHECKING:
    import torch

_SAVE_EVERY_S = 30.0  # between two states on disk, besides those at checkpoints: what a kill costs at most

OnProgress = Callable[[int, int, float], None]
"""Told after each step: (steps done, steps, loss)."""


class Schedule(Protocol):
    """When to learn how fast, and when to keep weights."""

    @property
    def learning_rate(self) -> float:
        """The highest rate."""

    @property
    def weight_decay(self) -> float:
        """Of AdamW."""

    @property
    def warmup(self) -> int:
        """Steps of linear warm-up, then a cosine to zero."""

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Steps after which weights are kept, besides the last."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A model to train, and what training it means."""

    model: "torch.nn.Module"
    loss: Callable[["torch.nn.Module", np.random.Generator], "torch.Tensor"]  # of a batch it draws
    save: Callable[[Path], None]  # writes the model as a checkpoint folder
    identity: Mapping[str, str]  # what tells this run from another


def run_steps(
    job: Job,
    schedule: Schedule,
    directory: Path,
    *,
    seed: int,
    total: int,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> Progress:
    """Train `job` for `total` steps into `directory`, going on from where a killed run of it was.

    The generator of step i is that of (seed, i). On CUDA the forward pass runs
    in bfloat16 (weights and optimiser stay float32) and AdamW is fused.
    Checkpoints lie in step-XXXXXX folders; the state stays until `forget_state`.
    Raises SpecError for a number of steps below 1 or a device that is not here,
    and CheckpointError if `directory` holds anything but this run, unfinished.
    """
    import torch

    if total < 1:
        raise SpecError(f"steps={total!r} is not at least 1")
    check_device(device)
    identity = {**job.identity, "seed": str(seed), "steps": str(total), "device": device}
    goes_on = claim(directory, identity)
    model = job.model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        betas=(0.9, 0.98),
        weight_decay=schedule.weight_decay,
        fused=True if device.startswith("cuda") else None,
    )
    before = load_state(directory, model, optimizer) if goes_on else Progress(0, (), 0.0)
    losses, started, saved = list(before.losses), time.monotonic(), 0.0

    def save() -> None:
        seconds = before.seconds + time.monotonic() - started
        save_state(directory, identity, Progress(len(losses), tuple(losses), seconds), model, optimizer)

    if not goes_on:
        save()  # from here on the directory is this run's
    for step in range(before.step, total):
        is_kept = step in schedule.checkpoints
        if is_kept:
            job.save(directory / f"step-{step:06d}")
        if is_kept or time.monotonic() - started - saved > _SAVE_EVERY_S:
            save()
            saved = time.monotonic() - started
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, step, total)
        with _precision(device):
            loss = job.loss(model, np.random.default_rng([seed, step]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if on_progress:
            on_progress(step + 1, total, losses[-1])
    save()
    return Progress(total, tuple(losses), before.seconds + time.monotonic() - started)


def learning_rate(schedule: Schedule, step: int, total: int) -> float:
    """Return the rate of this 0-based step: linear warm-up, then a cosine to zero."""
    if step < schedule.warmup:
        return schedule.learning_rate * (step + 1) / schedule.warmup
    done = (step - schedule.warmup) / max(1, total - schedule.warmup)
    return schedule.learning_rate * (1 + math.cos(math.pi * done)) / 2


def log_steps(first: int, last: int, per_octave: int) -> tuple[int, ...]:
    """Return step 0 and steps from `first` up to below `last`, spaced evenly in log step."""
    n = max(1, round(per_octave * math.log2(last / first)))
    spaced = np.unique(np.geomspace(first, last, n + 1).round().astype(int))
    return (0, *(int(step) for step in spaced if step < last))


def check_device(device: str) -> None:
    """Raise SpecError unless training can run on this device."""
    import torch

    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise SpecError(f"device {device!r} is not cpu or cuda")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SpecError(f"device {device!r} is not available: torch {torch.__version__} sees no CUDA device")


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Let torch use `n` threads meanwhile."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _precision(device: str) -> AbstractContextManager[object]:
    import torch

    return torch.autocast("cuda", torch.bfloat16) if device.startswith("cuda") else nullcontext()
