"""Writing report files so that a reader never meets half of one."""

import os
from pathlib import Path

from harness.errors import StoreFull


def write_file(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name beside it, then rename; return its path.

    Raises StoreFull if the directory or the file cannot be written; an earlier
    file of that name is then left as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreFull(
            f"{path}: cannot write the report: {reason}; free space or choose another -o"
        ) from error
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)
    return path
