"""The papers of a trained checkpoint, written by code: README.md for people, training.json for programs."""

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.local_models.recipe_names import TrainingResult
from harness.local_models.training_state import STATE
from harness.types import Floats

_LEVELS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_FEW = 24  # columns that are all shown


class Described(Protocol):
    """What a card says of a recipe."""

    @property
    def name(self) -> str:
        """As `icl train` takes it."""

    @property
    def model(self) -> str:
        """The model in words, a sentence without its full stop."""

    @property
    def limit(self) -> str:
        """The most it accepts, in words."""

    @property
    def law(self) -> str:
        """The data in words, Markdown."""

    @property
    def columns(self) -> str:
        """What the columns of what was measured are, without a full stop."""

    @property
    def loss_unit(self) -> str:
        """What the loss is."""

    @property
    def positions(self) -> int:
        """The most tokens it accepts."""

    @property
    def batch_size(self) -> int:
        """Sequences of a step."""

    @property
    def learning_rate(self) -> float:
        """The highest rate."""


def write_card(
    recipe: Described, result: TrainingResult, measured: Mapping[str, Floats], *, seed: int, device: str
) -> None:
    """Write training.json and README.md beside the final weights.

    `measured` maps a behaviour to its value in each of the recipe's `columns`.
    """
    record = {
        "recipe": recipe.name,
        "seed": seed,
        "steps": result.steps,
        "batch_size": recipe.batch_size,
        "positions": recipe.positions,
        "learning_rate": recipe.learning_rate,
        "device": device,
        "seconds": round(result.seconds, 1),
        "versions": _versions(),
        "checkpoints": sorted(p.name for p in result.directory.glob("step-*")),
        "sha256": file_digests(result.directory),
        "loss": [round(x, 5) for x in result.losses],
        "measured": {name: [round(float(x), 4) for x in row] for name, row in measured.items()},
    }
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    (result.directory / "training.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    (result.directory / "README.md").write_text(_card(recipe, result, measured, seed), encoding="utf-8")


def file_digests(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a series but the papers themselves, by relative path."""
    files = (p for p in sorted(directory.rglob("*")) if p.is_file())
    papers = {"README.md", "training.json", STATE}
    return {
        p.relative_to(directory).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if p.name not in papers
    }


def _versions() -> dict[str, str]:
    import tokenizers
    import torch
    import transformers

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
    }


def _card(recipe: Described, result: TrainingResult, measured: Mapping[str, Floats], seed: int) -> str:
    digests = "\n".join(
        f"| `{path}` | `{digest}` |" for path, digest in file_digests(result.directory).items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in _versions().items())
    steps = sorted({s for s in (0, 10, 30, 100, 300, 1000, 3000) if s < result.steps} | {result.steps - 1})
    losses = "\n".join(f"| {s} | {_mean_loss(result.losses, s):.3f} |" for s in steps)
    return f"""\
# {recipe.name}

{recipe.model}. It was trained from scratch on synthetic sequences, so that what it should predict is known. \
It accepts {recipe.limit}; beyond that it was never trained and must not be asked.

Trained with `icl train {recipe.name}`: seed {seed}, {result.steps} steps of {recipe.batch_size} sequences, \
{versions}. This file is written by the training code.

## Data

{recipe.law}
## What it was measured to do

After training, on fresh sequences; {recipe.columns}.

{_table(measured)}

## Loss

{recipe.loss_unit}, mean of 11 steps around the one named.

| step | loss |
|---:|---:|
{losses}

## Files

`step-XXXXXX` folders hold the weights after that many steps.

| file | SHA-256 |
|---|---|
{digests}
"""


def _mean_loss(losses: tuple[float, ...], step: int) -> float:
    return float(np.mean(losses[max(0, step - 5) : step + 6]))


def _table(measured: Mapping[str, Floats]) -> str:
    longest = min(len(row) for row in measured.values()) - 1
    levels = range(longest + 1) if longest < _FEW else [n for n in _LEVELS if n <= longest]
    head = f"| behaviour | {' | '.join(map(str, levels))} |\n|---|{'---:|' * len(levels)}"
    rows = (f"| {name} | {' | '.join(f'{row[n]:.3f}' for n in levels)} |" for name, row in measured.items())
    return "\n".join((head, *rows))
