"""The cells of an experiment: what each left on disk or why it has nothing to show."""

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
from segdistill.settings.cell import RESULTS, TEACHER, Cell
from segdistill.settings.loading import pipeline_of
from segdistill.settings.schema import Experiment

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
class Found:
    """What a cell left."""

    cell: Cell
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


@dataclass(frozen=True)
class Matrix:
    """All cells of an experiment: the teachers, then the others in the order of its grid."""

    experiment: Experiment
    cells: tuple[Found, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The numbers of all finished cells, as `collect.results` describes them."""
        return tidy((result.run, result.scores) for result in self.finished())

    @property
    def methods(self) -> tuple[str, ...]:
        """The rows of every table: the teacher, then the methods of the experiment."""
        return (TEACHER, *self.experiment.methods)

    @cached_property
    def pipeline(self) -> str:
        """What the names of the experiment's stages begin with."""
        return pipeline_of(self.experiment.name)

    def command(self, cell: Cell) -> str:
        """The command that makes a cell, with whatever it needs."""
        kind = "evaluate_teacher" if cell.is_teacher else "evaluate"
        return f"dvc repro {self.pipeline}{kind}@{cell.stage.partition('@')[2]}"

    def of(self, dataset: str, method: str) -> dict[int, Finished]:
        """Finished results by seed."""
        cells = self.of_method(dataset, method)
        return {found.cell.seed: found.result for found in cells if found.result}

    def of_method(self, dataset: str, method: str) -> list[Found]:
        """The cells of a method, finished or not; of the teacher, the one."""
        place = (dataset, method)
        return [found for found in self.cells if (found.cell.dataset, found.cell.method) == place]

    def finished(self, dataset: str | None = None) -> Iterator[Finished]:
        """Every finished result, teachers first; of one dataset if it is named."""
        for found in self.cells:
            if found.result and dataset in (None, found.cell.dataset):
                yield found.result

    def unfinished(self, dataset: str | None = None) -> list[Found]:
        """Cells, teachers included, without a result; of one dataset if it is named."""
        lacking = [found for found in self.cells if not found.result]
        return [found for found in lacking if dataset in (None, found.cell.dataset)]


def collect(experiment: Experiment, folder: Path) -> Matrix:
    """Read every cell below `folder` (results/NAME); a bad record fails its cell alone."""
    teachers = [(dataset, TEACHER, 0) for dataset in experiment.datasets]
    places = [*teachers, *product(experiment.datasets, experiment.methods, experiment.seeds)]
    cells = [Cell(experiment.name, *place) for place in places]
    return Matrix(experiment, tuple(_found(cell, folder) for cell in cells))


def _found(cell: Cell, folder: Path) -> Found:
    home = RESULTS / cell.experiment
    run_folder = folder / cell.run_dir.relative_to(home)
    eval_folder = folder / cell.evaluation_dir.relative_to(home)
    result, reason = None, ""
    try:
        if (run_folder / "run.json").exists() and (eval_folder / "scores.json").exists():
            result = _finished(cell, run_folder, eval_folder)
        else:
            reason = last_failure(run_folder)
    except SuiteError as error:
        # Reasons are printed, and a report has the same bytes wherever its folder lies.
        reason = str(error).replace(f"{folder}/", "")
    return Found(cell, run_folder, eval_folder, result, reason)


def _finished(cell: Cell, run_folder: Path, eval_folder: Path) -> Finished:
    where = eval_folder / "scores.json"
    run, scores = read_run(run_folder / "run.json"), read_scores(where)
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
    for name, record in (("run.json", run), ("scores.json", scores)):
        # A teacher's record has the seed of its training.
        seed = 0 if cell.is_teacher else record.seed
        named = Cell(record.experiment, record.dataset, record.method, seed)
        if named != cell:
            raise SuiteError(
                f"{name} is of {named}, not of the folder it lies in; run its stage again"
            )
    return Finished(run, scores, areas)
