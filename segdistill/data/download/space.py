"""Room on the disk, asked for before anything large is written."""

import errno
import shutil
from pathlib import Path

from segdistill.errors import SuiteError

GIBIBYTE = 1 << 30
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk, quota, limit of the process


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise SuiteError unless the disk that `folder` is or will be on has `needed` bytes free."""
    present = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(present).free
    if free < needed:
        raise SuiteError(
            f"{folder}: {purpose} needs {_gib(needed)}, only {_gib(free)} are free; make room, or "
            "name a folder on another disk with --destination"
        )


def is_full(error: OSError) -> bool:
    """Whether a write failed because there is no room left."""
    return error.errno in FULL


def full_disk(path: Path, error: OSError) -> SuiteError:
    """The error for a write that failed because there is no room left."""
    return SuiteError(
        f"{path}: cannot be written ({error.strerror}); make room, or name a folder on another "
        "disk with --destination, and run the same command again"
    )


def _gib(amount: int) -> str:
    return f"{amount / GIBIBYTE:.2f} GiB"
