"""Load a causal language model and its tokenizer from a checkpoint, running no code that came with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CheckpointError, SpecError
from harness.local_models.checkpoints import Checkpoint, check_directory, fingerprint, resolve_checkpoint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_DTYPES = ("float32", "bfloat16", "float16")
_NO_LIMIT = 10**9  # tokenizers without a window say 1e30


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model in evaluation mode on its device, with the tokenizer it was trained with."""

    checkpoint: Checkpoint
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerFast"
    device: str
    dtype: str
    fingerprint: str
    max_tokens: int | None  # the context the model was made for, special tokens included
    parameters: int


def load_checkpoint(name: str, *, device: str | None = None, dtype: str | None = None) -> LoadedModel:
    """Load checkpoint `name` (see `resolve_checkpoint`).

    `device` is CUDA where there is one, else CPU; `dtype` is float32 on CPU and
    the checkpoint's own on CUDA. Raises CheckpointError, or SpecError for a
    device or dtype that does not exist here.
    """
    import torch

    checkpoint = resolve_checkpoint(name)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if dtype is not None and dtype not in _DTYPES:
        raise SpecError(f"dtype {dtype!r} is not one of {', '.join(_DTYPES)}")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SpecError(f"device {device!r} is not available: torch {torch.__version__} sees no CUDA device")
    if dtype is None and device == "cpu":
        dtype = "float32"
    with _quiet(), _explained(checkpoint):
        model, tokenizer = _from_pretrained(checkpoint, dtype)
        model = model.to(device).eval()
        directory = checkpoint.directory or _hub_directory(checkpoint)
    used = str(model.dtype).removeprefix("torch.")
    return LoadedModel(
        checkpoint=checkpoint,
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=used,
        fingerprint=fingerprint(directory, used),
        max_tokens=_max_tokens(model, tokenizer),
        parameters=sum(p.numel() for p in model.parameters()),
    )


def _from_pretrained(
    checkpoint: Checkpoint, dtype: str | None
) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, bool | str] = {
        "local_files_only": checkpoint.directory is not None,
        "trust_remote_code": False,
    }
    if checkpoint.revision:
        where["revision"] = checkpoint.revision
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.source, **where)
    model, info = AutoModelForCausalLM.from_pretrained(
        checkpoint.source, use_safetensors=True, dtype=dtype or "auto", output_loading_info=True, **where
    )
    missing = sorted(info["missing_keys"]) + sorted(str(k) for k in info["mismatched_keys"])
    if missing:  # transformers would go on with random numbers in their place
        raise CheckpointError(
            f"checkpoint {checkpoint.name!r} lacks {len(missing)} tensor(s) of its architecture, e.g. "
            f"{missing[0]!r}; it is incomplete or not a causal language model"
        )
    if not tokenizer.is_fast:
        raise CheckpointError(
            f"checkpoint {checkpoint.name!r} has no fast tokenizer (tokenizer.json), which places tokens in "
            "the text; convert it with AutoTokenizer and save_pretrained"
        )
    return model, tokenizer


def _hub_directory(checkpoint: Checkpoint) -> Path:
    from transformers.utils import cached_file

    path = cached_file(checkpoint.source, "config.json", revision=checkpoint.revision, local_files_only=True)
    directory = Path(str(path)).parent
    check_directory(directory)
    return directory


def _max_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast") -> int | None:
    config = model.config.get_text_config()
    limits = [getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    known = [int(n) for n in limits if isinstance(n, int) and 0 < n < _NO_LIMIT]
    return min(known, default=None)


@contextmanager
def _explained(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn what transformers and safetensors raise into one CheckpointError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, CheckpointError):
            raise
        reason = " ".join(str(error).split())[:300]
        advice = (
            "check the files; save them again with save_pretrained"
            if checkpoint.directory
            else "no directory has this name, so it was looked for on the Hugging Face Hub: "
            "check the name and the network, or download the model and name its directory"
        )
        raise CheckpointError(f"cannot load checkpoint {checkpoint.name!r}: {advice} ({reason})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loading bar of transformers off the terminal."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
