"""What SQLite and the file system say of a run directory, as our own errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import RunLocked, StoreError, StoreFull


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Raise RunLocked, StoreFull or StoreError for what goes wrong inside."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text:
            raise RunLocked(
                f"{path}: another process is writing to this run; wait for it or stop it"
            ) from error
        if any(w in text for w in ("full", "readonly", "unable to open", "disk I/O")):
            raise StoreFull(
                f"{path}: cannot be written ({text}); all replies committed so far are kept; free space or make "
                "the directory writable, and run the same command again"
            ) from error
        raise StoreError(f"{path}: {text}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: not a run of icl-harness, or damaged ({error})") from error
    except OSError as error:
        raise StoreFull(
            f"{path}: cannot be written ({error}); give another -o or make it writable"
        ) from error
