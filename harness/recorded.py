"""What DVC has recorded of every profile: the active one's stages in dvc.lock, any other's beside
its results in stages.lock.

DVC reads and writes the whole of dvc.lock after each stage. With the stages of all profiles in it
that takes longer than what most stages do: 3.5 s for 185 stages on the machine it was tried on.
"""

import re
from pathlib import Path

from harness.cells import RESULTS
from harness.errors import SuiteError
from harness.names import is_profile_name
from harness.records import write_bytes

LOCK = Path("dvc.lock")
COMMAND = re.compile(r"^    cmd: python experiments/\w+\.py (?:--profile )?(\S+)", re.MULTILINE)


def switch_stages(profile: str) -> None:
    """Keep what dvc.lock holds with its profile, and let it hold what is kept of `profile`.

    Raises SuiteError if a file cannot be read or written.
    """
    content = _read(LOCK)
    for name in _profiles(content):
        write_bytes(stages_path(name), content)
    kept = _read(stages_path(profile))
    if kept:
        write_bytes(LOCK, kept)
    else:
        LOCK.unlink(missing_ok=True)


def require_stages(profile: str) -> None:
    """Raise SuiteError if stages of `profile` are kept, but dvc.lock holds none of them.

    All its cells would run again, as happens where params.yaml was changed by hand alone.
    """
    kept = stages_path(profile)
    if kept.is_file() and profile not in _profiles(_read(LOCK)):
        raise SuiteError(
            f"dvc.lock: holds no stage of profile {profile}, while {kept} does; "
            f"`python -m harness use {profile}` brings them back, or remove {kept} to run all anew"
        )


def stages_path(profile: str) -> Path:
    """Where a profile's stages are kept while another one is active."""
    return RESULTS / profile / "stages.lock"


def _profiles(lock: bytes) -> set[str]:
    """The profiles whose stages a lock file holds, by the stages' commands."""
    return set(filter(is_profile_name, COMMAND.findall(lock.decode(errors="replace"))))


def _read(path: Path) -> bytes:
    """The content of a file; nothing if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
