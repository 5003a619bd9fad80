"""The rows of a run as tables: results/bench/NAME.md to read, NAME.json in full precision."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from segdistill.pipeline.environment import describe_environment, git_commit
from segdistill.records import write_bytes, write_json
from segdistill.report.tables.numbers import significant

RESULTS = Path("results/bench")
Row = Mapping[str, str | float]


class Table(NamedTuple):
    """What the rows of one file have in common."""

    name: str  # of the file, without ending
    title: str
    notes: tuple[str, ...]
    device: str = "cpu"


def bounds(ratios: Mapping[str, float], limits: Mapping[str, float | None]) -> str:
    """Whether measured ratios keep to the limits that there are: "time ≤ 0.1: kept"."""
    return ", ".join(
        f"{name} ≤ {significant(limit)}: {'kept' if ratios[name] <= limit else 'not kept'}"
        for name, limit in limits.items()
        if limit is not None
    )


def machine(device: str) -> dict[str, Any]:
    """Where, of which commit and beside how many other processes a run was."""
    where = describe_environment(device, threads=1)
    return {**where, "git_commit": git_commit(), "load": os.getloadavg()[0]}


def markdown(table: Table, rows: Sequence[Row], where: Mapping[str, Any]) -> str:
    """The table with its notes below; numbers with three significant digits."""
    header = list(rows[0])
    texts = [
        [value if isinstance(value, str) else significant(value) for value in row.values()]
        for row in rows
    ]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *texts]
    note = (
        f"{where['device']}; {where['processor']}, {where['cores']} cores, one thread; Python "
        f"{where['python']}, torch {where['packages']['torch']}; load {where['load']:.1f}; commit "
        f"{where['git_commit']}."
    )
    body = [f"| {' | '.join(line)} |" for line in lines]
    notes = [f"- {text}" for text in (*table.notes, note)]
    return "\n".join([f"**{table.title}**", "", *body, "", *notes, ""])


def write(table: Table, rows: Sequence[Row], where: Mapping[str, Any], folder: Path) -> None:
    """Write both files of one table."""
    write_bytes(folder / f"{table.name}.md", markdown(table, rows, where).encode())
    values = {"schema": 2, "rows": list(rows), "environment": where}
    write_json(folder / f"{table.name}.json", values)
