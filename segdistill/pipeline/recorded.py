"""What DVC has recorded of every profile: the active one's stages in dvc.lock, any other's beside
its results in stages.lock.

DVC reads and writes the whole of dvc.lock after each stage. With the stages of all profiles in it
that takes longer than what most stages do: 3.5 s for 185 stages on the machine it was tried on.

It writes it in place, so that a kill can cut it short. Every stage therefore keeps a copy first.
"""

import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import RESULTS, SCRATCH
from segdistill.records import write_bytes
from segdistill.settings.names import is_profile_name

LOCK = Path("dvc.lock")
COPY = SCRATCH / "dvc.lock"
COMMAND = re.compile(r"^    cmd: python experiments/\w+\.py (?:--profile )?(\S+)", re.MULTILINE)
STAGE = re.compile(r"^  (\S+):$", re.MULTILINE)


def switch_stages(profile: str) -> None:
    """Keep what dvc.lock holds with its profile, and let it hold what is kept of `profile`.

    Raises SuiteError if a file cannot be read or written, or dvc.lock is broken beyond its copy.
    """
    mend_stages()
    content = _read(LOCK)
    _require_whole(content)
    for name in _profiles(content):
        write_bytes(stages_path(name), content)
    kept = _read(stages_path(profile))
    for path in (LOCK, COPY):
        if kept:
            write_bytes(path, kept)
        else:
            path.unlink(missing_ok=True)


def keep_stages() -> None:
    """Copy dvc.lock from within a stage, while the dvc that runs it is not writing."""
    content = _read(LOCK)
    if content and not _cut_short(content, _read(COPY)):
        write_bytes(COPY, content)


def mend_stages() -> bool:
    """Let the copy take the place of a dvc.lock that a kill cut short; whether it had to.

    A dvc.lock that was removed is not brought back: its stages were meant to run again.
    """
    if not LOCK.exists():
        COPY.unlink(missing_ok=True)
        return False
    kept = _read(COPY)
    if not kept or not _cut_short(_read(LOCK), kept):
        return False
    write_bytes(LOCK, kept)
    return True


def require_stages(profile: str) -> None:
    """Raise SuiteError if stages of `profile` are kept, but dvc.lock holds none of them.

    All its cells would run again, as happens where params.yaml was changed by hand alone.
    """
    kept = stages_path(profile)
    if kept.is_file() and profile not in _profiles(_read(LOCK)):
        raise SuiteError(
            f"dvc.lock: holds no stage of profile {profile}, while {kept} does; "
            f"`segdistill use {profile}` brings them back, or remove {kept} to run all anew"
        )


def recorded_profiles() -> set[str]:
    """The profiles whose stages dvc.lock holds."""
    return _profiles(_read(LOCK))


def stages_path(profile: str) -> Path:
    """Where a profile's stages are kept while another one is active."""
    return RESULTS / profile / "stages.lock"


def _cut_short(content: bytes, whole: bytes) -> bool:
    """Whether a lock file does not end as DVC ends it, or lacks what `whole` has."""
    if not content.endswith(b"\n") or (len(content) < len(whole) and whole.startswith(content)):
        return True
    profiles = _profiles(content)
    of_others = bool(profiles) and not profiles & _profiles(whole)
    return not of_others and not _stages(whole) <= _stages(content)


def _require_whole(content: bytes) -> None:
    """Raise SuiteError if a lock file is none that DVC wrote to its end."""
    reason = "it ends within a line" if content and not content.endswith(b"\n") else ""
    try:
        YAML(typ="safe").load(content)
    except (YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
    if reason:
        raise SuiteError(
            f"dvc.lock: not what DVC wrote ({reason}); remove it, and `use` brings back what was "
            "kept beside the results"
        )


def _stages(lock: bytes) -> set[str]:
    return set(STAGE.findall(lock.decode(errors="replace")))


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
