"""The cells of a profile's matrix: what each left on disk or why it has nothing to show."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import mean_iou
from segdistill.pipeline.failures import last_failure
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores
from segdistill.report.collect import tidy
from segdistill.settings.schema import Grid

TEACHER = "teacher"
STUDENT = "student"
TOLERANCE = 1e-9  # of mIoU, between a record and its areas
State = Literal["finished", "missing", "failed"]


@dataclass(frozen=True)
class Finished:
    """The records of one training that was evaluated."""

    run: RunRecord
    scores: ScoreRecord
    areas: Areas

    @property
    def subset(self) -> bool:
        """Whether the run or its evaluation saw only a part of the dataset."""
        return self.run.subset or self.scores.subset


@dataclass(frozen=True)
class Cell:
    """One (dataset, method, seed) of the matrix, or one dataset's teacher (seed None)."""

    dataset: str
    method: str
    seed: int | None
    run_folder: Path
    eval_folder: Path
    result: Finished | None
    reason: str  # why there is no result, "" where there is one

    @property
    def state(self) -> State:
        """`failed` if its training failed or its records are of no use, `missing` without any."""
        if self.result:
            return "finished"
        return "failed" if self.reason else "missing"

    @property
    def label(self) -> str:
        """What the cell is called beside its dataset."""
        return self.method if self.seed is None else f"{self.method} seed {self.seed}"

    def command(self, profile: str) -> str:
        """The command that makes this cell."""
        if self.seed is None:
            place = f"{profile}-{self.dataset}"
            return f"dvc repro teacher@{place} evaluate_teacher@{place}"
        place = f"{profile}-{self.dataset}-{self.method}-{self.seed}"
        return f"dvc repro train@{place} evaluate@{place}"


@dataclass(frozen=True)
class Matrix:
    """All cells of a profile in the order of its grid."""

    profile: str
    grid: Grid
    teachers: tuple[Cell, ...]
    cells: tuple[Cell, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The numbers of all finished cells, as `collect.results` describes them."""
        return tidy((result.run, result.scores) for result in self.finished())

    @property
    def methods(self) -> tuple[str, ...]:
        """The rows of every table: the teacher, then the methods of the grid."""
        return (TEACHER, *self.grid.methods)

    def of(self, dataset: str, method: str) -> dict[int, Finished]:
        """Finished results by seed."""
        found = [cell.result for cell in self.of_method(dataset, method)]
        return {result.run.seed: result for result in found if result}

    def of_method(self, dataset: str, method: str) -> list[Cell]:
        """The cells of a method, finished or not; of the teacher, the one."""
        cells = (*self.teachers, *self.cells)
        return [cell for cell in cells if (cell.dataset, cell.method) == (dataset, method)]

    def finished(self, dataset: str | None = None) -> Iterator[Finished]:
        """Every finished result, teachers first; of one dataset if it is named."""
        for cell in (*self.teachers, *self.cells):
            if cell.result and dataset in (None, cell.dataset):
                yield cell.result

    def unfinished(self) -> list[Cell]:
        """Cells, teachers included, without a result."""
        return [cell for cell in (*self.teachers, *self.cells) if not cell.result]


def collect(profile: str, grid: Grid, folder: Path) -> Matrix:
    """Read every cell of `grid` below `folder` (results/PROFILE); a bad record fails its cell."""
    teachers = tuple(_cell(profile, dataset, TEACHER, None, folder) for dataset in grid.datasets)
    cells = tuple(
        _cell(profile, dataset, method, seed, folder)
        for dataset in grid.datasets
        for method in grid.methods
        for seed in grid.seeds
    )
    return Matrix(profile, grid, teachers, cells)


def _cell(profile: str, dataset: str, method: str, seed: int | None, folder: Path) -> Cell:
    if seed is None:
        run_folder = folder / "teachers" / dataset
        eval_folder = folder / "evals" / dataset / TEACHER
    else:
        run_folder = folder / "runs" / dataset / method / f"seed{seed}"
        eval_folder = folder / "evals" / dataset / method / f"seed{seed}"
    result, reason = None, ""
    try:
        if (run_folder / "run.json").exists() and (eval_folder / "scores.json").exists():
            result = _finished(run_folder, eval_folder)
            _check_identity(result, (profile, dataset, method, seed))
        else:
            reason = last_failure(run_folder)
    except SuiteError as error:
        result, reason = None, _relative(str(error), folder)
    return Cell(dataset, method, seed, run_folder, eval_folder, result, reason)


def _finished(run_folder: Path, eval_folder: Path) -> Finished:
    run, scores = read_run(run_folder / "run.json"), read_scores(eval_folder / "scores.json")
    if bad := next(_not_numbers(scores.model_dump()), None):
        raise SuiteError(f"{eval_folder / 'scores.json'}: {bad} is not a number")
    if scores.miou is None:
        raise SuiteError(
            f"{eval_folder / 'scores.json'}: miou is undefined (no class in the split)"
        )
    if run.weights_sha256 != scores.weights_sha256:
        raise SuiteError(
            f"{eval_folder / 'scores.json'}: scores other weights than run.json holds; "
            "evaluate again"
        )
    areas = Areas.load(eval_folder / "areas.npz")
    if not abs(float(mean_iou(areas.pixels.total())) - scores.miou) < TOLERANCE:
        raise SuiteError(
            f"{eval_folder / 'scores.json'}: miou does not follow from areas.npz; evaluate again"
        )
    return Finished(run, scores, areas)


def _check_identity(result: Finished, place: tuple[str, str, str, int | None]) -> None:
    profile, dataset, method, seed = place
    for name, record in (("run.json", result.run), ("scores.json", result.scores)):
        wrong = (record.profile, record.dataset, record.method) != (profile, dataset, method)
        if wrong or seed not in (None, record.seed):
            raise SuiteError(
                f"{name} is of {record.profile}/{record.dataset}/{record.method}/seed{record.seed},"
                " not of the folder it lies in; run its stage again"
            )


def _not_numbers(value: Any, name: str = "") -> Iterator[str]:
    """Names of the NaN and infinite values inside a record."""
    if isinstance(value, float) and not math.isfinite(value):
        yield name
    items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    for key, part in items:
        yield from _not_numbers(part, f"{name}.{key}" if name else str(key))


def _relative(message: str, folder: Path) -> str:
    """Reasons are printed, and a report has the same bytes wherever its folder lies."""
    return message.replace(f"{folder}/", "")
