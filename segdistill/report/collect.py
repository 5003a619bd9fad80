"""Every number of an experiment as one tidy table: a row a cell and metric."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from segdistill.errors import SuiteError
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores

COLUMNS = ("experiment", "dataset", "method", "ruleset", "seed", "metric", "value")
PUBLISHED = "published"  # the ruleset of a method that runs with its authors' options
NO_METRICS = {"schema_version", "seed", "images"}  # numbers of scores.json that measure nothing
R = TypeVar("R", RunRecord, ScoreRecord)


def results(experiment: str, folder: Path | str = "results") -> pd.DataFrame:
    """The numbers of every trained and evaluated cell below `folder`/`experiment`.

    Args:
        experiment: name of the experiment, such as "camvid".
        folder: where the results of all experiments lie.

    Returns:
        A row a cell and metric, sorted by dataset, method and seed, with the columns experiment,
        dataset, method (the teacher is the method "teacher"), ruleset, seed, metric and value.
        A metric is named as in scores.json, nested keys joined by "/" ("miou", "iou/road",
        "boundary_iou/0.005", "cost/macs"); the training's are "steps", "seconds/..." and
        "seconds_per_step". Scores are fractions. What is undefined or was not measured has no row.

    Raises:
        SuiteError: there is no such folder, or a record in it is malformed.

    Example:
        >>> frame = results("camvid")
        >>> frame[frame.metric == "miou"].groupby("method")["value"].mean()
    """
    root = Path(folder) / experiment
    if not root.is_dir():
        raise SuiteError(f"{root}: no such folder; name an experiment that has results")
    runs = _by_cell(read_run(path) for path in root.rglob("run.json"))
    scores = _by_cell(read_scores(path) for path in root.rglob("scores.json"))
    return tidy((runs[cell], scores[cell]) for cell in sorted(runs.keys() & scores.keys()))


def tidy(records: Iterable[tuple[RunRecord, ScoreRecord]]) -> pd.DataFrame:
    """The table of `results` from the records of some cells, in their order."""
    rows = [
        (run.experiment, run.dataset, run.method, PUBLISHED, run.seed, metric, float(value))
        for run, scores in records
        for metric, value in _metrics(run, scores)
        if value is not None
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seed": int, "value": float})


def csv_of(frame: pd.DataFrame) -> bytes:
    """The table as CSV; every float is written so that reading it gives the same float."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number inside nested mappings, by its keys."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from numbers(part, f"{name}/{key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


def _by_cell(records: Iterator[R]) -> dict[tuple[str, str, int], R]:
    return {(record.dataset, record.method, record.seed): record for record in records}


def _metrics(run: RunRecord, scores: ScoreRecord) -> Iterator[tuple[str, float | None]]:
    yield from numbers(scores.model_dump(exclude=NO_METRICS))
    yield "steps", run.steps
    yield from numbers({"seconds": run.seconds.model_dump()})
    if run.steps:
        yield "seconds_per_step", run.seconds.total / run.steps
