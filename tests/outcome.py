"""What a project's results come to: two that are equal hold the same bits."""

import json
from pathlib import Path
from typing import Any

from segdistill.records import file_hash

Outcome = dict[str, Any]
# Facts about the making, not about the result.
_TIMES = {"run.json": ("seconds", "git_commit"), "scores.json": ("cost",)}


def outcome(folder: Path) -> Outcome:
    """Every file below `folder` by its path: its sha256, or a record's values without times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): _content(path) for path in files}


def differences(found: Outcome, expected: Outcome) -> list[str]:
    """The files that are missing, surplus or different, by name."""
    return sorted(n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n))


def _content(path: Path) -> object:
    if path.name not in _TIMES:
        return file_hash(path)
    record = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in record.items() if key not in _TIMES[path.name]}
