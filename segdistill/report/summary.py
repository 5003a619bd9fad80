"""For machines: summary.json, and the few numbers of every method that `dvc metrics show` lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from segdistill.report.comparison import Comparison
from segdistill.report.files import Files
from segdistill.report.matrix import Matrix
from segdistill.report.names import is_subset, is_synthetic
from segdistill.report.tables.headline import headline_table

# In metrics/, names without dots and blanks, which DVC's command line would split.
METRICS = {
    "boundary_iou": "boundary_iou/0.005",
    "small_iou": "small_objects/small/iou",
    "discriminability": "discriminability",
}


def summarise(
    matrix: Matrix, comparisons: Sequence[Comparison], problems: Sequence[str]
) -> dict[str, Any]:
    """The state of every cell and the headline of every dataset; null where there is no value."""
    states = [cell.state for cell in (*matrix.teachers, *matrix.cells)]
    return {
        "schema": 2,
        "profile": matrix.profile,
        "cells": {state: states.count(state) for state in ("finished", "missing", "failed")},
        "datasets": {one.dataset: _dataset(one) for one in comparisons},
        "unfinished": [
            {
                "dataset": cell.dataset,
                "method": cell.method,
                "seed": cell.seed,
                "state": cell.state,
                "reason": cell.reason,
                "command": cell.command(matrix.profile),
            }
            for cell in matrix.unfinished()
        ],
        "problems": list(problems),
    }


def _dataset(comparison: Comparison) -> dict[str, Any]:
    matrix, dataset = comparison.matrix, comparison.dataset
    found = next(matrix.finished(dataset), None)
    rows = [dict(row) for row in headline_table(comparison).values]
    return {
        "synthetic": is_synthetic(matrix, dataset),
        "subset": is_subset(matrix, dataset),
        "split": found.scores.split if found else None,
        "images": found.scores.images if found else None,
        "confidence": comparison.confidence,
        "warnings": list(comparison.warnings),
        "methods": {row.pop("method"): {**row, "dataset": dataset} for row in rows},
    }


def metric_files(comparisons: Sequence[Comparison]) -> Files:
    """METHOD.json for every method with a result: by dataset, fractions; absent if undefined."""
    found: dict[str, dict[str, Mapping[str, float]]] = {}
    for comparison in comparisons:
        for method in comparison.rows:
            if method in comparison.methods:
                found.setdefault(method, {})[comparison.dataset] = _numbers(comparison, method)
    return {
        f"{method}.json": (json.dumps(numbers, indent=1) + "\n").encode()
        for method, numbers in found.items()
    }


def _numbers(comparison: Comparison, method: str) -> dict[str, float]:
    gain = comparison.rows[method].gain
    interval = gain.interval if gain else None
    numbers = {
        "miou": comparison.mean(method, "miou"),
        "gain": gain.mean if gain else None,
        "gain_low": interval.low if interval else None,
        "gain_high": interval.high if interval else None,
        "seeds": len(comparison.values(method, "miou")),
        **{name: comparison.mean(method, metric) for name, metric in METRICS.items()},
    }
    return {name: value for name, value in numbers.items() if value is not None}
