"""The cells of an experiment's matrix: what each left on disk or why it has nothing to show."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Literal

import pandas as pd

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import mean_iou
from segdistill.pipeline.failures import last_failure
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores
from segdistill.report.collect import numbers, tidy
from segdistill.settings.loading import pipeline_of
from segdistill.settings.schema import Experiment as Grid

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

    def command(self, experiment: str) -> str:
        """The command that makes this cell."""
        pipeline = pipeline_of(experiment)
        if self.seed is None:
            stages = f"teacher@{self.dataset}", f"evaluate_teacher@{self.dataset}"
        else:
            place = f"{self.dataset}-{self.method}-{self.seed}"
            stages = f"train@{place}", f"evaluate@{place}"
        return " ".join(["dvc repro", *(f"{pipeline}{stage}" for stage in stages)])


@dataclass(frozen=True)
class Matrix:
    """All cells of an experiment: the teachers, then the others in the order of the grid."""

    experiment: str
    grid: Grid
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
        return [cell for cell in self.cells if (cell.dataset, cell.method) == (dataset, method)]

    def finished(self, dataset: str | None = None) -> Iterator[Finished]:
        """Every finished result, teachers first; of one dataset if it is named."""
        for cell in self.cells:
            if cell.result and dataset in (None, cell.dataset):
                yield cell.result

    def unfinished(self) -> list[Cell]:
        """Cells, teachers included, without a result."""
        return [cell for cell in self.cells if not cell.result]


def collect(experiment: str, grid: Grid, folder: Path) -> Matrix:
    """Read every cell of `grid` below `folder` (results/NAME); a bad record fails its cell."""
    teachers = [(dataset, TEACHER, None) for dataset in grid.datasets]
    places = [*teachers, *product(grid.datasets, grid.methods, grid.seeds)]
    return Matrix(experiment, grid, tuple(_cell(experiment, *place, folder) for place in places))


def _cell(experiment: str, dataset: str, method: str, seed: int | None, folder: Path) -> Cell:
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
            _check_identity(result, (experiment, dataset, method, seed))
        else:
            reason = last_failure(run_folder)
    except SuiteError as error:
        # Reasons are printed, and a report has the same bytes wherever its folder lies.
        result, reason = None, str(error).replace(f"{folder}/", "")
    return Cell(dataset, method, seed, run_folder, eval_folder, result, reason)


def _finished(run_folder: Path, eval_folder: Path) -> Finished:
    run, scores = read_run(run_folder / "run.json"), read_scores(eval_folder / "scores.json")
    where = eval_folder / "scores.json"
    for name, value in numbers(scores.model_dump()):
        if not math.isfinite(value):
            raise SuiteError(f"{where}: {name} is not a number")
    if scores.miou is None:
        raise SuiteError(f"{where}: miou is undefined (no class in the split)")
    if run.weights_sha256 != scores.weights_sha256:
        raise SuiteError(f"{where}: scores other weights than run.json holds; evaluate again")
    areas = Areas.load(eval_folder / "areas.npz")
    if not abs(float(mean_iou(areas.pixels.total())) - scores.miou) < TOLERANCE:
        raise SuiteError(f"{where}: miou does not follow from areas.npz; evaluate again")
    return Finished(run, scores, areas)


def _check_identity(result: Finished, place: tuple[str, str, str, int | None]) -> None:
    experiment, dataset, method, seed = place
    for name, record in (("run.json", result.run), ("scores.json", result.scores)):
        wrong = (record.experiment, record.dataset, record.method) != (experiment, dataset, method)
        if wrong or seed not in (None, record.seed):
            raise SuiteError(
                f"{name} is of {record.experiment}/{record.dataset}/{record.method}/"
                f"seed{record.seed}, not of the folder it lies in; run its stage again"
            )
