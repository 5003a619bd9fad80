"""A table as data: what is printed, where each entry comes from, and the exact values behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from segdistill.report.tables.numbers import MISSING

Mark = Literal["", "best", "second", "missing", "failed"]
Value = str | float | int | None


@dataclass(frozen=True)
class Entry:
    """One printed entry; `origin` keys the runs it is computed from, "" for none."""

    text: str
    mark: Mark = ""
    origin: str = ""


@dataclass(frozen=True)
class Table:
    """A printed table with its notes, and the same in full precision for the CSV."""

    name: str  # file name without ending
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    values: tuple[Mapping[str, Value], ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...] = ()  # citations of the methods

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"table {self.name}: a row is not as long as the header")


def blank(text: str = MISSING, mark: Mark = "missing") -> Entry:
    """An entry without a value."""
    return Entry(text, mark)


def columns(values: Sequence[Mapping[str, Value]]) -> list[str]:
    """Names of all values in the order of first appearance."""
    return list(dict.fromkeys(name for row in values for name in row))
