"""Finished work in a scratch folder: SEAL, written last, holds the sha256 of every file.

Without an intact seal whose every file is as it was, the work counts as not done.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from segdistill.errors import SuiteError
from segdistill.malformed import MALFORMED
from segdistill.records import file_hash, write_json

SEAL = "seal.json"
_UNSEALED = (SEAL, "lock")


@dataclass(frozen=True)
class Sealed:
    """What an intact seal says."""

    files: tuple[str, ...]  # paths below the folder
    facts: dict[str, Any]  # what the sealing process knew and the files do not hold


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Declare the files in `folder` complete."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [str(path.relative_to(folder)) for path in paths if path.name not in _UNSEALED]
    content = {"files": {name: file_hash(folder / name) for name in names}, "facts": dict(facts)}
    write_json(folder / SEAL, {**content, "sha256": _hash(content)})


def read_seal(folder: Path) -> Sealed | None:
    """The seal of `folder`; None if it is missing or if it or any file it names is damaged."""
    try:
        content = json.loads((folder / SEAL).read_bytes())
        given = content.pop("sha256")
        intact = given == _hash(content) and all(
            _is_inside(name) and file_hash(folder / name) == digest
            for name, digest in content["files"].items()
        )
        return Sealed(tuple(content["files"]), content["facts"]) if intact else None
    except (OSError, SuiteError, *MALFORMED):
        return None


def _is_inside(name: str) -> bool:
    return not (PurePath(name).is_absolute() or ".." in PurePath(name).parts)


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
