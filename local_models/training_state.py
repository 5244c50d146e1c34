"""The state of a training run on disk: what is needed to go on after a kill, as safetensors, never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CheckpointError

if TYPE_CHECKING:
    import torch

STATE = "training-state.safetensors"  # gone once a run is finished
_PART = ".training-state.part"  # renamed to the above once whole


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    step: int  # steps done
    losses: tuple[float, ...]  # of each of them
    seconds: float  # spent on them, over all sessions


def claim(directory: Path, identity: Mapping[str, str]) -> bool:
    """Make `directory` this run's and return whether it holds a state to go on from.

    `identity` is what decides the weights. Raises CheckpointError if the
    directory holds anything else, the state of another run or a finished one included.
    """
    state = directory / STATE
    if state.is_file():
        theirs = _identity(state)
        changed = sorted(k for k in {*theirs, *identity} if theirs.get(k) != identity.get(k))
        if changed:
            said = ", ".join(f"{k}: {theirs.get(k)} there, {identity.get(k)} here" for k in changed)
            raise CheckpointError(
                f"{str(directory)!r} holds another unfinished run ({said}): name a new directory, "
                "or repeat the command that began it"
            )
        return True
    if directory.exists() and (not directory.is_dir() or any(p.name != _PART for p in directory.iterdir())):
        raise CheckpointError(f"{str(directory)!r} is not empty: name a new directory to train into")
    directory.mkdir(parents=True, exist_ok=True)
    return False


def save_state(
    directory: Path,
    identity: Mapping[str, str],
    progress: Progress,
    model: "torch.nn.Module",
    optimizer: "torch.optim.Optimizer",
) -> None:
    """Write weights, the optimiser's moments and the losses so far, whole or not at all."""
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {f"model.{name}": p for name, p in model.named_parameters()}
    tensors |= {f"buffer.{name}": b for name, b in model.named_buffers()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in moments.items()}
    kept = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    kept["losses"] = torch.tensor(progress.losses, dtype=torch.float64)
    header = {
        "identity": json.dumps(dict(identity)),
        "step": str(progress.step),
        "seconds": repr(progress.seconds),
    }
    save_file(kept, directory / _PART, metadata=header)
    (directory / _PART).replace(directory / STATE)


def load_state(directory: Path, model: "torch.nn.Module", optimizer: "torch.optim.Optimizer") -> Progress:
    """Give model and optimiser the state of `directory` and return how far it had come."""
    import torch
    from safetensors.torch import load_file

    header = _header(directory / STATE)
    tensors = load_file(directory / STATE)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
        for name, buffer in model.named_buffers():
            buffer.copy_(tensors[f"buffer.{name}"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return Progress(int(header["step"]), tuple(tensors["losses"].tolist()), float(header["seconds"]))


def forget_state(directory: Path) -> None:
    """Delete the state of a run that is finished."""
    (directory / STATE).unlink(missing_ok=True)


def _identity(state: Path) -> dict[str, str]:
    return {str(key): str(value) for key, value in json.loads(_header(state)["identity"]).items()}


def _header(state: Path) -> dict[str, str]:
    """Return what stands beside the tensors: identity (JSON), step and seconds."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(state, framework="pt") as file:
            header = dict(file.metadata())
        if not {"identity", "step", "seconds"} <= set(header):
            raise ValueError("its header lacks identity, step or seconds")
        return header
    except (SafetensorError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{str(state)!r} is not the state of a training run ({error}): delete its directory and start again"
        ) from error
