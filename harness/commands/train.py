"""`icl train`: a checkpoint series from a recipe."""

from pathlib import Path

from rich.console import Console

from harness.commands.display import say
from harness.errors import MissingExtra

_EVERY = 50  # steps between two lines


def train_recipe(name: str, out: Path, seed: int, steps: int | None) -> None:
    """Train a recipe with a line of progress now and then, and say where the checkpoints are."""
    try:
        from harness.local_models.training import load_recipe, train
    except ImportError as error:
        raise MissingExtra(
            f"icl train needs torch and transformers ({error}): pip install 'icl-harness[local]'"
        ) from error

    console = Console(stderr=True)

    def show(step: int, total: int, loss: float) -> None:
        if step % _EVERY == 0 or step == total:
            say(console, f"step {step} of {total}, loss {loss:.4f}")

    result = train(load_recipe(name), out, seed=seed, steps=steps, on_progress=show)
    say(console, f"final loss {result.losses[-1]:.4f} after {result.seconds:.0f} s; checkpoints in {out}")
