"""Published gains to hold ours against: experiments/claims.csv."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from segdistill.errors import SuiteError

NAMES = ("dataset", "teacher", "student", "method", "split", "source", "address")
COLUMNS = (*NAMES, "metric", "value", "gain")


@dataclass(frozen=True)
class Claim:
    """One published gain in mIoU over the same paper's student without distillation."""

    dataset: str
    teacher: str
    student: str
    method: str
    split: str
    source: str
    address: str
    value: float | None  # mIoU, fraction
    gain: float  # fraction

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
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:  # ParserError and UnicodeDecodeError are ValueErrors
        raise SuiteError(f"{path}: cannot read ({error})") from error
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise SuiteError(f"{path}: no column {missing[0]!r}")
    rows = table.apply(lambda column: column.str.strip()).to_dict("records")
    return tuple(
        _claim({str(name): str(text) for name, text in row.items()}, f"{path}:{line}")
        for line, row in enumerate(rows, start=2)
        if row["metric"].lower() == "miou" and row["gain"]
    )


def _claim(row: dict[str, str], where: str) -> Claim:
    gain = _fraction(row["gain"], f"{where}: gain")
    value = _fraction(row["value"], f"{where}: value") if row["value"] else None
    return Claim(**{name: row[name] for name in NAMES}, value=value, gain=gain)


def _fraction(text: str, where: str) -> float:
    try:
        value = float(text) / 100
    except ValueError:
        value = math.nan
    if not abs(value) <= 1:
        raise SuiteError(f"{where}: {text!r} is not a number of percent")
    return value
