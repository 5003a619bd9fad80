"""Why a training left no results: a line beside the place where they would lie.

Starts without torch.
"""

from contextlib import suppress
from pathlib import Path

from segdistill.errors import SuiteError, printable
from segdistill.records import write_bytes


def note_failure(output: Path, reason: str) -> None:
    """Keep why the training that fills the folder `output` failed, if anything can be written."""
    with suppress(SuiteError):  # a full disk must not hide the failure that it caused
        write_bytes(_path(output), f"{reason}\n".encode())


def last_failure(output: Path) -> str:
    """Why the last training for `output` failed, as one line; "" if it did not."""
    try:
        return printable(_path(output).read_text(encoding="utf-8", errors="replace").strip())
    except OSError:
        return ""


def forget_failure(output: Path) -> None:
    """The training for `output` has succeeded."""
    with suppress(OSError):
        _path(output).unlink(missing_ok=True)


def _path(output: Path) -> Path:
    return output.with_name(f"{output.name}.failure.txt")
