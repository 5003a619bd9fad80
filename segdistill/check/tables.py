"""Tables and summary of a results folder, held against what its cells' scores give."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segdistill.check.differences import differences
from segdistill.errors import SuiteError
from segdistill.report.claims import read_claims
from segdistill.report.compare import CLAIMS, report_tables
from segdistill.report.comparison import compare_methods
from segdistill.report.matrix import collect
from segdistill.report.summary import metric_files, summarise
from segdistill.settings.loading import read_experiment

PROBLEMS = "problems"  # pictures that could not be drawn: they need the data and are no numbers


def table_faults(folder: Path) -> Iterator[str]:
    """Every value of tables/*.csv, summary.json and metrics/*.json that the scores contradict.

    The cells are those of the experiment `folder` is named after; a folder without tables has
    nothing to hold against. Raises SuiteError if the experiment or a file cannot be read.
    """
    if not (folder / "tables").is_dir() and not (folder / "summary.json").is_file():
        return
    expected = _expected(folder)
    present = {f"tables/{path.name}" for path in (folder / "tables").glob("*.csv")}
    for name in sorted(present - expected.keys()):
        yield f"{name}: no such table is known"
    for name, content in expected.items():
        yield from differences(_values(folder / name, _text(folder / name)),
                               _values(folder / name, content), name)  # fmt: skip


def _expected(folder: Path) -> dict[str, str]:
    """The files that the folder's cells give, by name."""
    experiment = read_experiment(folder.resolve().name)
    matrix, claims = collect(experiment, folder), read_claims(CLAIMS)
    comparisons = [compare_methods(matrix, dataset, claims) for dataset in experiment.datasets]
    tables = report_tables(matrix, comparisons)
    return {
        **{f"tables/{n}": text.decode() for n, text in tables.items() if n.endswith(".csv")},
        "summary.json": json.dumps(summarise(matrix, ())),
        **{f"metrics/{n}": text.decode() for n, text in metric_files(comparisons).items()},
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot read ({error}); run experiments/compare.py") from error


def _values(path: Path, text: str) -> Any:
    """The values of a JSON file, or the cells of a CSV by line and column, numbers as such."""
    try:
        if path.suffix == ".json":
            found = json.loads(text)
            return {**found, PROBLEMS: None} if isinstance(found, dict) else found
        header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except (ValueError, RecursionError, csv.Error) as error:
        raise SuiteError(f"{path}: not {path.suffix[1:].upper()} ({error})") from error
    return {
        f"line {number}": {"cells": len(row), **dict(zip(header, map(_cell, row), strict=False))}
        for number, row in enumerate(rows, start=2)
    }


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
