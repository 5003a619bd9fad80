"""For machines: summary.json, and the few numbers of every method that `dvc metrics show` lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from segdistill.report.comparison import Comparison
from segdistill.report.files import Files
from segdistill.report.matrix import Matrix

# In metrics/, names without dots and blanks, which DVC's command line would split.
METRICS = {
    "boundary_iou": "boundary_iou/0.005",
    "small_iou": "small_objects/small/iou",
    "discriminability": "discriminability",
}


def summarise(matrix: Matrix, problems: Sequence[str]) -> dict[str, Any]:
    """What is finished, and what is not, why, and how to get it; the numbers are in results.csv."""
    states = [cell.state for cell in matrix.cells]
    return {
        "schema": 2,
        "experiment": matrix.experiment.name,
        "cells": {state: states.count(state) for state in ("finished", "missing", "failed")},
        "unfinished": [
            {
                "cell": found.cell.name,
                "state": found.state,
                "reason": found.reason,
                "command": matrix.command(found.cell),
            }
            for found in matrix.unfinished()
        ],
        "problems": list(problems),
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
