"""What an experiment needs of this machine and does not find here. Starts without torch."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from segdistill.data.catalogue import dataset_info
from segdistill.data.splits import open_split
from segdistill.errors import SuiteError
from segdistill.models.pretrained import existing_backbone
from segdistill.pipeline.cells import SCRATCH
from segdistill.pipeline.environment import git_commit
from segdistill.pipeline.states import TO_TRAIN, CellState
from segdistill.settings.cell import RESULTS, manifest_path
from segdistill.settings.loading import data_root, teacher_run
from segdistill.settings.schema import Experiment


def lacking(experiment: Experiment, states: Sequence[CellState]) -> Iterator[str]:
    """A line for all that keeps the unfinished cells from being made, with the mend."""
    waiting = [found for found in states if found.state != "done"]
    for dataset in dict.fromkeys(found.cell.dataset for found in waiting):
        yield from _data(dataset)
    yield from _weights(experiment, [found for found in waiting if found.state in TO_TRAIN])
    if waiting:
        folders = (Path("data"), SCRATCH, RESULTS / experiment.name)
        yield from filter(None, map(_unwritable, folders))
        yield from _tools()


def _data(dataset: str) -> Iterator[str]:
    """Nothing for data that are there or will be drawn; no image is decoded."""
    info = dataset_info(dataset)
    if info.synthetic and not manifest_path(dataset).is_file():
        return
    try:
        root = data_root(dataset, info.root_variable, info.synthetic)
        for split in info.splits:
            open_split(dataset, root, split)
    except SuiteError as error:
        get = "" if info.synthetic else " --from download"
        yield f"data {dataset}: {error}\n  get it: segdistill data {dataset}{get}"


def _weights(experiment: Experiment, waiting: Sequence[CellState]) -> Iterator[str]:
    """The backbones that a training begins with, and the teachers that are imported."""
    networks, taught = experiment.networks, experiment.teacher.source
    teachers = [found.cell.dataset for found in waiting if found.cell.is_teacher]
    names = [networks.teacher.pretrained] if teachers and not taught else []
    names += [networks.student.pretrained] if len(waiting) > len(teachers) else []
    for backbone in dict.fromkeys(filter(None, names)):
        try:
            existing_backbone(backbone)
        except SuiteError as error:
            yield f"backbone: {error}"
    for dataset in teachers:
        source = teacher_run(experiment, dataset).source
        if source and not source.is_file():
            yield f"teacher {dataset}: {source}: no such file; see `segdistill weights --as`"


def _unwritable(folder: Path) -> str | None:
    """Whether `folder`, or the nearest folder above it that exists, refuses to be written."""
    place = next(part for part in (folder, *folder.parents) if os.access(part, os.F_OK))
    if os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return None
    return f"folder {folder}: {place}: may not be read and written; give yourself the rights"


def _tools() -> Iterator[str]:
    if git_commit() is None:
        yield "git: no commit here, so results could name none; clone the project"
    if not Path(".dvc").is_dir():
        yield "dvc: no .dvc/ here; go to the project's folder"
    elif shutil.which("dvc") is None:
        yield "dvc: not on the PATH; activate the environment"
