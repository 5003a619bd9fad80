"""One process a run: an advisory lock on its scratch folder that dies with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segdistill.errors import SuiteError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; files that a killed holder left half-written are removed.

    Raises SuiteError naming the holder if it is taken.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise SuiteError(f"{path}: cannot write ({error.strerror})") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise SuiteError(
                f"{folder}: process {file.read().strip() or 'unknown'} is working on this run; "
                "wait for it or stop it"
            ) from error
        except OSError as error:
            raise SuiteError(f"{path}: cannot be locked ({error.strerror})") from error
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        except OSError as error:
            raise SuiteError(f"{path}: cannot write ({error.strerror})") from error
        remove_temporaries(folder)
        yield


def remove_temporaries(folder: Path) -> None:
    """Remove what `records.write_bytes` leaves below `folder` if it is killed on the way."""
    for path in folder.rglob(".*.tmp"):
        with suppress(OSError):
            path.unlink()
