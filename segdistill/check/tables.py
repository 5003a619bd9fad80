"""Tables and summary of a results folder, held against what its per-image areas give."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from segdistill.check.differences import differences
from segdistill.errors import SuiteError
from segdistill.evaluation.scores import scores
from segdistill.records import ScoreRecord
from segdistill.report.claims import read_claims
from segdistill.report.compare import CLAIMS, report_tables
from segdistill.report.comparison import compare_methods
from segdistill.report.files import Files
from segdistill.report.matrix import Cell, Matrix, collect
from segdistill.report.summary import metric_files, summarise
from segdistill.settings.grid import grid_of

MAX_BYTES = 32 * 1024 * 1024


def table_faults(folder: Path) -> list[str]:
    """Every cell of tables/*.csv and every value of summary.json that the areas contradict.

    The grid is that of the profile `folder` is named after; other folders, and those without
    tables, have nothing to hold against. Raises SuiteError if the profile cannot be read.
    """
    if not (folder / "tables").is_dir() and not (folder / "summary.json").is_file():
        return []
    grid = grid_of(folder.resolve().name)
    matrix = from_areas(collect(grid.profile, grid, folder))
    claims = read_claims(CLAIMS)
    comparisons = [compare_methods(matrix, d, claims, grid.statistics) for d in grid.datasets]
    tables = report_tables(matrix, comparisons)
    expected = {name: text.decode() for name, text in tables.items() if name.endswith(".csv")}
    faults = list(_csv_faults(folder / "tables", expected))
    faults += _summary_faults(folder / "summary.json", matrix)
    return faults + list(_metric_faults(folder / "metrics", metric_files(comparisons)))


def from_areas(matrix: Matrix) -> Matrix:
    """`matrix` with every score computed anew from the per-image areas."""
    return replace(matrix, cells=tuple(map(_cell_from_areas, matrix.cells)))


def _cell_from_areas(cell: Cell) -> Cell:
    if cell.result is None:
        return cell
    record = cell.result.scores
    values = scores(cell.result.areas, None, record.classes)
    fresh = ScoreRecord.model_validate({**record.model_dump(by_alias=True), **values})
    return replace(cell, result=replace(cell.result, scores=fresh))


def _csv_faults(folder: Path, expected: dict[str, str]) -> Iterator[str]:
    present = {path.name for path in folder.glob("*.csv")}
    for name in sorted(present | set(expected)):
        where = f"tables/{name}"
        if name not in present or name not in expected:
            yield f"{where}: {'missing' if name in expected else 'no such table is known'}"
            continue
        try:
            found = _rows(_text(folder / name))
        except csv.Error as error:
            raise SuiteError(f"{folder / name}: not CSV ({error})") from error
        yield from differences(found, _rows(expected[name]), where)


def _rows(text: str) -> dict[str, dict[str, Any]]:
    """The cells of a CSV by line and column, numbers as such."""
    header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    return {
        f"line {number}": {
            "cells": len(row),
            **{key: _value(cell) for key, cell in zip(header, row, strict=False)},
        }
        for number, row in enumerate(rows, start=2)
    }


def _value(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _summary_faults(path: Path, matrix: Matrix) -> Iterator[str]:
    # Pictures that could not be drawn are told there too; they need the data and are no numbers.
    expected = {**summarise(matrix, ()), "problems": None}
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        yield f"{path.name}: not JSON ({error})"
        return
    if isinstance(found, dict):
        found["problems"] = None
    # Through JSON, so that tuples are lists on both sides.
    yield from differences(found, json.loads(json.dumps(expected)), path.name)


def _metric_faults(folder: Path, expected: Files) -> Iterator[str]:
    for name, content in expected.items():
        yield from differences(_json(folder / name), json.loads(content), f"metrics/{name}")


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{path}: not JSON ({error}); run experiments/compare.py") from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_BYTES} bytes, no table of this suite")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot read ({error}); run experiments/compare.py") from error
