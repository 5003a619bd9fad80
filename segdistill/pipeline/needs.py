"""What an experiment needs of this machine and does not find here. Starts without torch."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from segdistill.data.catalogue import dataset_info
from segdistill.data.splits import open_split
from segdistill.errors import SuiteError
from segdistill.models.pretrained import existing_backbone
from segdistill.pipeline.cells import RESULTS, SCRATCH, TEACHER, manifest_path
from segdistill.pipeline.environment import git_commit
from segdistill.pipeline.states import TO_TRAIN, CellState
from segdistill.settings.loading import data_root, data_source, read_profile
from segdistill.settings.schema import Profile


def lacking(name: str, cells: Sequence[CellState]) -> Iterator[str]:
    """A line for all that keeps the unfinished ones of `cells` from being made, with the mend."""
    waiting = [cell for cell in cells if cell.state != "done"]
    profile = read_profile(name)
    for dataset in dict.fromkeys(cell.dataset for cell in waiting):
        yield from _data(name, profile, dataset)
    yield from _weights(profile, [cell for cell in waiting if cell.state in TO_TRAIN])
    if waiting:
        yield from filter(None, map(_unwritable, (Path("data"), SCRATCH, RESULTS / name)))
        yield from _tools()


def _data(name: str, profile: Profile, dataset: str) -> Iterator[str]:
    """Nothing for data that are there or will be drawn; no image is decoded."""
    info = dataset_info(dataset)
    if info.synthetic and not manifest_path(dataset).is_file():
        return
    try:
        source = data_source(profile, dataset, name)
        root = data_root(source, dataset, info.root_variable, info.synthetic)
        for split in info.splits:
            open_split(dataset, root, split)
    except SuiteError as error:
        get = "" if info.synthetic else " --from download"
        yield f"data {dataset}: {error}\n  get it: segdistill data {dataset}{get}"


def _weights(profile: Profile, waiting: Sequence[CellState]) -> Iterator[str]:
    """The backbones that a training begins with, and the teachers that are imported."""
    source, networks = profile.teacher.source, profile.networks
    teachers = [cell for cell in waiting if cell.method == TEACHER]
    names = [networks.teacher.pretrained] if teachers and not source else []
    names += [networks.student.pretrained] if len(waiting) > len(teachers) else []
    for backbone in dict.fromkeys(filter(None, names)):
        try:
            existing_backbone(backbone)
        except SuiteError as error:
            yield f"backbone: {error}"
    for cell in teachers if source else ():
        path = Path(str(source).replace("{dataset}", cell.dataset))
        if not path.is_file():
            yield f"teacher {cell.dataset}: {path}: no such file; see `segdistill weights --as`"


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
