"""summary.json: every number of the report, for machines."""

from collections.abc import Sequence
from typing import Any

from segdistill.report.comparison import Comparison
from segdistill.report.headline import row_values
from segdistill.report.names import is_subset, is_synthetic
from segdistill.report.tables.matrix import TEACHER, Finished, Matrix
from segdistill.report.tables.metric_tables import by_method

Numbers = dict[str, Any]


def summarise(
    matrix: Matrix, comparisons: Sequence[Comparison], problems: Sequence[str]
) -> Numbers:
    """Nested by dataset and method; fractions and seconds, null where there is no value."""
    states = [cell.state for cell in (*matrix.teachers, *matrix.cells)]
    return {
        "schema": 1,
        "profile": matrix.profile,
        "cells": {state: states.count(state) for state in ("finished", "missing", "failed")},
        "datasets": {c.dataset: _dataset(matrix, c) for c in comparisons},
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


def _dataset(matrix: Matrix, comparison: Comparison) -> Numbers:
    dataset = comparison.dataset
    found = next(matrix.finished(dataset), None)
    rows = {row.method: row_values(dataset, row, comparison.confidence) for row in comparison.rows}
    return {
        "synthetic": is_synthetic(matrix, dataset),
        "subset": any(is_subset(result) for result in matrix.finished(dataset)),
        "split": found.scores.split if found else None,
        "images": found.scores.images if found else None,
        "confidence": comparison.confidence,
        "warnings": list(comparison.warnings),
        "methods": {
            method: {
                **{k: v for k, v in rows.get(method, {}).items() if k not in ("dataset", "method")},
                "seeds": {str(result.run.seed): _run(result) for result in group},
            }
            for method, group in by_method(comparison).items()
            if group or method != TEACHER
        },
    }


def _run(result: Finished) -> Numbers:
    scores, run = result.scores, result.run
    left_out = {"schema_version", "profile", "dataset", "split", "method", "seed", "images",
                "synthetic", "subset", "classes"}  # fmt: skip
    return {
        **scores.model_dump(mode="json", exclude=left_out),
        "seconds": run.seconds.model_dump(),
        "steps": run.steps,
        "git_commit": run.git_commit,
        "fingerprint": run.fingerprint,
        "manifest_sha256": run.manifest_sha256,
        "teacher_sha256": run.teacher_sha256,
    }
