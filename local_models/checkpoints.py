"""Names to checkpoint directories, and the checks that make loading one safe."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from harness.errors import CheckpointError, near_miss

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_DIGESTED = (
    "*.safetensors",
    "config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a named checkpoint is: a checked directory, or a repository of the Hugging Face Hub."""

    name: str  # as asked for
    directory: Path | None  # None: on the Hub
    revision: str | None = None  # of a Hub repository, None for its default

    @property
    def source(self) -> str:
        """What `from_pretrained` is given."""
        return str(self.directory) if self.directory else self.name.partition("@")[0]


def bundled_names() -> list[str]:
    """Return the names of the checkpoints that ship with the package."""
    root = _bundled_root()
    return sorted(p.name for p in root.iterdir() if p.is_dir()) if root.is_dir() else []


def resolve_checkpoint(name: str) -> Checkpoint:
    """Return where checkpoint `name` is.

    A name is that of a bundled checkpoint, a directory (write `./x` where a
    bundled one has the same name), or `organisation/model` on the Hub.
    `NAME@300` is the folder step-000300 of a training series, or the directory
    itself where its training ended with that step (`training.json`); on the Hub
    what follows `@` is the revision. Raises CheckpointError if there is no such
    directory or it cannot be loaded safely.
    """
    base, at, step = name.rpartition("@") if "@" in name and not Path(name).is_dir() else (name, "", "")
    directory = _directory(base)
    if directory is None:
        if _HUB_NAME.fullmatch(base) and not base.startswith("."):
            return Checkpoint(name, None, step or None)
        raise _not_found(base)
    if at:
        directory = _step(directory, step)
    check_directory(directory)
    return Checkpoint(name, directory)


def series_names(base: str) -> tuple[str, ...]:
    """Return what `base@*` stands for: `base@STEP` for each checkpoint of a training series, steps ascending.

    Those are the folders step-XXXXXX and, where training ended, the directory
    itself. Raises CheckpointError if there is no such directory, no checkpoint
    in it, or its last checkpoint does not say its step.
    """
    directory = _directory(base)
    if directory is None:
        if _HUB_NAME.fullmatch(base) and not base.startswith("."):
            raise CheckpointError(
                f"{base!r} is no directory here, and the revisions of a Hub model are not listed: name them one by "
                "one (NAME@REVISION), or download the checkpoints into folders step-XXXXXX"
            )
        raise _not_found(base)
    steps, last = set(_steps(directory)), _final_step(directory)
    if (directory / "config.json").is_file():
        if last is None:
            raise CheckpointError(
                f"{str(directory)!r} holds a last checkpoint whose training step is not known: write it into "
                'training.json there as {"steps": N}'
            )
        steps.add(last)
    if not steps:
        raise CheckpointError(f"{str(directory)!r} is no training series: it has no folder step-XXXXXX")
    return tuple(f"{base}@{step}" for step in sorted(steps))


def check_directory(directory: Path) -> None:
    """Raise CheckpointError unless this directory holds safe weights and needs no foreign code."""
    where = repr(str(directory))
    if not (directory / "config.json").is_file():
        raise CheckpointError(f"{where} has no config.json: name the directory that save_pretrained wrote")
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{where}: config.json is not JSON ({error}); save the model again") from error
    if not isinstance(config, dict) or "auto_map" in config:
        raise CheckpointError(
            f"{where}: config.json asks for code of its own (auto_map), which is never run; "
            "use a checkpoint of an architecture that transformers knows"
        )
    if any(directory.glob("*.safetensors")):
        return
    pickles = sorted(p.name for pattern in ("*.bin", "*.pt", "*.pth") for p in directory.glob(pattern))
    if pickles:
        raise CheckpointError(
            f"{where} holds weights only as {', '.join(pickles)}, a format that can run code when read; "
            "convert them with model.save_pretrained(directory), which writes safetensors"
        )
    raise CheckpointError(f"{where} has no weights: no *.safetensors file")


def fingerprint(directory: Path, dtype: str) -> str:
    """Return a digest of weights, configuration, tokenizer and the dtype computed in."""
    digest = hashlib.sha256()
    for path in sorted({p for pattern in _DIGESTED for p in directory.glob(pattern) if p.is_file()}):
        with path.open("rb") as file:
            digest.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()} {dtype}"


def _directory(base: str) -> Path | None:
    if base in bundled_names():
        return _bundled_root() / base
    path = Path(base).expanduser()
    return path if path.is_dir() else None


def _bundled_root() -> Path:
    return Path(str(resources.files("harness.data"))) / "models"


def _step(directory: Path, step: str) -> Path:
    steps = _steps(directory)
    number = step.removeprefix("step-")
    wanted = int(number) if number.isdecimal() else None
    if wanted in steps:
        return directory / f"step-{wanted:06d}"
    if wanted is not None and wanted == _final_step(directory):
        return directory
    known = ", ".join(map(str, steps)) or "none"
    many = "; @* stands for all of them in a run, where one is wanted" if step == "*" else ""
    folder = step if wanted is None else f"step-{wanted:06d}"
    raise CheckpointError(
        f"{str(directory)!r} has no folder {folder!r} (training steps there: {known}{many}); leave out @{step} "
        "for the last step"
    )


def _steps(directory: Path) -> list[int]:
    """Return the steps that have a folder of their own, ascending."""
    named = (re.fullmatch(r"step-(\d{6,})", p.name) for p in directory.glob("step-*") if p.is_dir())
    return sorted(int(match[1]) for match in named if match)


def _final_step(directory: Path) -> int | None:
    """Return the step of the checkpoint in the directory itself, None where it is not recorded."""
    try:
        record = json.loads((directory / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    steps = record.get("steps") if isinstance(record, dict) else None
    return steps if isinstance(steps, int) and not isinstance(steps, bool) and steps >= 0 else None


def _not_found(base: str) -> CheckpointError:
    names = bundled_names()
    return CheckpointError(
        f"no checkpoint {base!r}: neither a bundled one nor a directory, looked for "
        f"{str(Path(base).expanduser().absolute())!r}{near_miss(base, names)} (bundled: {', '.join(names) or 'none'}; "
        "a Hub model is written organisation/name)"
    )
