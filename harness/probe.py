"""Timing of a profile's trainings by running each for a few steps; nothing of it is kept."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from harness.cells import TEACHER
from harness.config import RunConfig, read_profile, student_run, teacher_run
from harness.forecast import Cost, Key
from harness.nets import build, freeze
from harness.recipe import TeacherTraining
from harness.records import Seconds
from harness.stop import StopRequest
from harness.trainer import SUMMARY, Cell, train
from harness.worker import open_data

STEPS = 20


def probe(profile: str, dataset: str, methods: Sequence[str]) -> dict[Key, Cost]:
    """Costs of `methods` ("teacher" among them or not) on `dataset`, from STEPS steps of each.

    The teacher's weights do not matter for the time, so students learn from a fresh one. Raises
    SuiteError if the data are not there.
    """
    students = [student_run(profile, dataset, m, 0) for m in methods if m != TEACHER]
    teacher = teacher_run(profile, dataset)
    imported = isinstance(teacher.training, TeacherTraining) and teacher.training.source
    costs: dict[Key, Cost] = {}
    for cohort in ([teacher] if TEACHER in methods and not imported else [], students):
        if cohort:
            costs |= _time([_short(config) for config in cohort])
    return costs


def _short(config: RunConfig) -> RunConfig:
    return replace(config, training=config.training.model_copy(update={"steps": STEPS}))


def _time(configs: Sequence[RunConfig]) -> dict[Key, Cost]:
    first = configs[0]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    split = open_data(first.dataset, first.data, first.data.train_split)
    classes = len(split.info.classes)
    teacher = None
    if first.teacher:
        teacher = freeze(build(first.teacher, classes)).to(device)
    with tempfile.TemporaryDirectory() as folder:
        cells = [Cell(config, Path(folder) / config.method) for config in configs]
        execution = read_profile(first.profile).execution
        train(cells, split, classes, teacher, execution, device, StopRequest())
        return {(first.dataset, cell.config.method): _cost(cell.folder) for cell in cells}


def _cost(folder: Path) -> Cost:
    """Of a finished short run; its weights count thrice: published, in scratch, in the cache."""
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    size = (folder / "weights.safetensors").stat().st_size
    return Cost.of(Seconds(**summary["seconds"]), summary["steps"], 3 * size)
