"""Published gains to hold ours against: experiments/claims.csv."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from segdistill.errors import SuiteError

COLUMNS = (
    "dataset",
    "teacher",
    "student",
    "method",
    "metric",
    "value",
    "gain",
    "split",
    "source",
    "address",
)


@dataclass(frozen=True)
class Claim:
    """One published gain in mIoU over the same paper's student without distillation."""

    dataset: str
    teacher: str
    student: str
    method: str
    value: float | None  # mIoU, fraction
    gain: float  # fraction
    split: str
    source: str
    address: str

    @property
    def pair(self) -> str:
        """ "TEACHER → STUDENT" as published."""
        return f"{self.teacher} → {self.student}"


def read_claims(path: Path) -> tuple[Claim, ...]:
    """The gains in mIoU of `path`, which are in percentage points there; none without a file.

    Raises SuiteError naming the line and the column if the file is malformed.
    """
    if not path.exists():
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
                raise SuiteError(f"{path}: no column {missing[0]!r}")
            return tuple(
                claim
                for line, row in enumerate(reader, start=2)
                if (claim := _claim(row, path, line))
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SuiteError(f"{path}: cannot read ({error})") from error


def _claim(row: dict[str, str | None], path: Path, line: int) -> Claim | None:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    if cells["metric"].lower() != "miou" or not cells["gain"]:
        return None
    gain = _fraction(cells["gain"], f"{path}:{line}: gain")
    value = _fraction(cells["value"], f"{path}:{line}: value") if cells["value"] else None
    names = ("dataset", "teacher", "student", "method", "split", "source", "address")
    return Claim(value=value, gain=gain, **{name: cells[name] for name in names})


def _fraction(text: str, where: str) -> float:
    try:
        value = float(text) / 100
    except ValueError as error:
        raise SuiteError(f"{where}: {text!r} is not a number of percent") from error
    if not math.isfinite(value) or abs(value) > 1:
        raise SuiteError(f"{where}: {text!r} is not a number of percent")
    return value
