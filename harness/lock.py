"""One writer at a time: a lock that the system releases when the process dies, however it dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harness.errors import RunLocked, StoreFull


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock file of a run. Raises RunLocked with the holder's process id if it is taken."""
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreFull(
            f"{path}: cannot be written ({error}); give another -o or make it writable"
        ) from error
    with file:
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RunLocked(
                f"{path.parent}: another process (id {holder}) is writing to this run; wait for it, stop it, "
                "or give another -o"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
