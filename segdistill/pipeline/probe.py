"""Timing of trainings by running each for a few steps; nothing of them is kept."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from segdistill.data.opening import open_data
from segdistill.models.segmentor import build, freeze
from segdistill.pipeline.forecast import Cost, Key
from segdistill.pipeline.worker import pick_device
from segdistill.records import Seconds, file_hash
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import RunConfig, student_run, teacher_run
from segdistill.settings.schema import Execution, Experiment
from segdistill.stop import StopRequest
from segdistill.training.loop import SUMMARY, TrainingJob, train

STEPS = 20
COPIES = 3  # of the weights: published, in the scratch folder, in DVC's cache


class Trial(NamedTuple):
    """One training: its time by phase, and its weights' hash and bytes."""

    method: str
    seconds: Seconds
    steps: int
    sha256: str
    size: int

    @property
    def own(self) -> float:
        """Seconds of what no other method can share."""
        return self.seconds.total - self.seconds.data - self.seconds.teacher


class Trials(NamedTuple):
    """Trainings that ran as one cohort."""

    runs: tuple[Trial, ...]
    wall: float  # seconds, with what a training needs before its first step


def probe(experiment: Experiment, dataset: str, methods: Sequence[str]) -> dict[Key, Cost]:
    """Costs of `methods` ("teacher" among them or not) on `dataset`, from STEPS steps of each.

    Raises SuiteError if the data are not there.
    """
    cells = [Cell(experiment.name, dataset, m, 0) for m in methods if m != TEACHER]
    students = [student_run(experiment, cell) for cell in cells]
    teacher = teacher_run(experiment, dataset)
    trained = TEACHER in methods and teacher.source is None
    costs: dict[Key, Cost] = {}
    for cohort in ([teacher] if trained else [], students):
        for trial in run_trials(cohort, STEPS, experiment.execution).runs if cohort else ():
            cost = Cost.of(trial.seconds, trial.steps, COPIES * trial.size)
            costs[dataset, trial.method] = cost
    return costs


def run_trials(configs: Sequence[RunConfig], steps: int, execution: Execution) -> Trials:
    """Train `configs`, all of one dataset and seed, together for `steps`.

    From a teacher of fresh weights, which change no time. Raises SuiteError without the data.
    """
    first, device = configs[0], pick_device()
    split = open_data(first.dataset, first.data, first.data.train_split)
    classes = len(split.info.classes)
    torch.manual_seed(0)
    teacher = freeze(build(first.teacher, classes)).to(device) if first.teacher else None
    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            TrainingJob(_short(config, steps), Path(folder) / config.method) for config in configs
        ]
        start = time.perf_counter()
        train(jobs, split, classes, teacher, execution, device, StopRequest())
        wall = time.perf_counter() - start
        return Trials(tuple(map(_read, jobs)), wall)


def _short(config: RunConfig, steps: int) -> RunConfig:
    return replace(config, training=config.training.model_copy(update={"steps": steps}))


def _read(job: TrainingJob) -> Trial:
    summary = json.loads((job.folder / SUMMARY).read_text(encoding="utf-8"))
    weights = job.folder / "weights.safetensors"
    return Trial(
        job.config.method,
        Seconds(**summary["seconds"]),
        summary["steps"],
        file_hash(weights),
        weights.stat().st_size,
    )
