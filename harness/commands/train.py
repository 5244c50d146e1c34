"""`icl train`: a checkpoint series from a recipe."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.commands.display import say
from harness.errors import MissingExtra

_EVERY_S = 10.0  # between two lines


def train_recipe(name: str, out: Path, *, seed: int, steps: int | None, device: str) -> None:
    """Train a recipe with a line of progress now and then, and say where the checkpoints are."""
    try:
        from harness.local_models.training import train_by_name
    except ImportError as error:
        raise MissingExtra(
            f"icl train needs torch and transformers ({error}): pip install 'icl-harness[local]'"
        ) from error

    console = Console(stderr=True)
    progress = Progress(lambda line: say(console, line))
    result = train_by_name(name, out, seed=seed, steps=steps, device=device, on_progress=progress)
    say(console, f"final loss {result.losses[-1]:.4f} after {result.seconds:.0f} s; checkpoints in {out}")


class Progress:
    """Says how far training is and how long it will take at the rate since it began or went on."""

    def __init__(self, tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._began: tuple[int, float] | None = None  # step, and the time it was done
        self._told: float | None = None

    def __call__(self, step: int, total: int, loss: float) -> None:
        """Take note of a step done, and tell of it now and then."""
        now = self._clock()
        first, began = self._began = self._began or (step, now)
        if self._told is not None and now - self._told < _EVERY_S and step < total:
            return
        self._told = now
        line = f"step {step} of {total}, loss {loss:.4f}"
        if first < step < total:
            left = (now - began) / (step - first) * (total - step)
            line += f", {_duration(left)} left"
        self._tell(line)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
