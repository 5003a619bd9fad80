"""A table from its columns, each defined once: name, value and how the value is printed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from segdistill.report.tables.numbers import MISSING, Count, Spread
from segdistill.statistics import Gain

Mark = Literal["", "best", "second", "missing", "failed"]
Value = str | float | int | None
R = TypeVar("R")  # what a row is of, such as a method's name


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column in every format."""

    key: str  # of its numbers in the CSV
    name: str  # its heading; "" keeps it to the CSV
    value: Callable[[R], Any]  # exact; None where there is none
    text: Callable[[Any], str] = str
    mark: Callable[[R], Mark] = lambda _: ""
    runs: Callable[[R], str] = lambda _: ""  # key under which the page lists the runs behind it


@dataclass(frozen=True)
class Entry:
    """One printed entry; `runs` keys the runs it is computed from, "" for none."""

    text: str
    mark: Mark = ""
    runs: str = ""


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


def make_table(
    name: str,
    title: str,
    rows: Sequence[R],
    columns: Sequence[Column[R]],
    notes: Sequence[str],
    sources: Sequence[str],
    state: Callable[[R], Mark] = lambda _: "",
) -> Table:
    """Fill a table; a row with a `state` (missing, failed) shows it beside its name."""
    printed = [column for column in columns if column.name]

    def entries(row: R) -> tuple[Entry, ...]:
        found = [_entry(column, row, state(row)) for column in printed]
        if state(row):
            found[1] = Entry(state(row), state(row))
        return tuple(found)

    return Table(
        name=name,
        title=title,
        header=tuple(column.name for column in printed),
        rows=tuple(entries(row) for row in rows),
        values=_values(rows, columns),
        notes=tuple(notes),
        sources=tuple(sources),
    )


def _entry(column: Column[R], row: R, state: Mark) -> Entry:
    value = column.value(row)
    if value is None:
        return Entry(MISSING, "missing")
    if isinstance(value, Count) and state:
        return Entry(column.text(value), "missing")
    return Entry(column.text(value), column.mark(row), column.runs(row))


def _values(rows: Sequence[R], columns: Sequence[Column[R]]) -> tuple[Mapping[str, Value], ...]:
    """The exact values of every row under the names of all columns, in the columns' order."""
    filled = [[_exact(column.key, column.value(row)) for row in rows] for column in columns]
    names = dict.fromkeys(name for column in filled for part in column for name in part)
    whole = [
        dict(pair for column in filled for pair in column[i].items()) for i in range(len(rows))
    ]
    return tuple({name: values.get(name) for name in names} for values in whole)


def _exact(key: str, value: Any) -> dict[str, Value]:
    if isinstance(value, Spread):
        return {f"{key}_mean": value.mean, f"{key}_std": value.std, f"{key}_n": value.n}
    if isinstance(value, Count):
        return {key: value.n}
    if isinstance(value, Gain):
        interval = value.interval
        return {
            f"{key}_mean": value.mean,
            f"{key}_low": interval.low if interval else None,
            f"{key}_high": interval.high if interval else None,
            f"{key}_n": len(value.seeds),
            f"{key}_over": interval.over if interval else None,
        }
    return {} if value is None else {key: value}
