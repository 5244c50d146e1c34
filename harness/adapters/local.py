"""Provider `local`: checkpoints on this machine, bundled, in a directory or from the Hugging Face Hub."""

from importlib.util import find_spec

from harness.errors import MissingExtra
from harness.types import Failure, Model, Request, Response


def open_model(name: str) -> Model:
    """Open `local/NAME`: a bundled name, a path or `organisation/model`, with `@STEP` for an earlier one, `@*` for all.

    Raises MissingExtra without torch and transformers, CheckpointError if the
    checkpoint cannot be loaded safely.
    """
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        raise MissingExtra(
            f"model 'local/{name}' needs {' and '.join(missing)}, not installed: pip install 'icl-harness[local]'"
        )
    from harness.local_models.adapter import open_local

    return open_local(name)


def series_names(base: str) -> tuple[str, ...]:
    """Return the checkpoints that `local/BASE@*` stands for, as `BASE@STEP` with steps ascending."""
    from harness.local_models.checkpoints import series_names

    return series_names(base)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Read a stored reply; numpy only."""
    from harness.local_models.replies import read_reply

    return read_reply(request, raw)
