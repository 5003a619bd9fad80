"""What a profile reads: datasets, backbones, a teacher to import."""

import os
from collections.abc import Iterator
from pathlib import Path

from segdistill.data.catalogue import DatasetInfo, dataset_info
from segdistill.data.manifest import read_manifest
from segdistill.data.splits import open_split
from segdistill.diagnosis.finding import Finding
from segdistill.errors import SuiteError
from segdistill.models.pretrained import backbone_path
from segdistill.pipeline.cells import manifest_path
from segdistill.settings.loading import data_root
from segdistill.settings.schema import DataSource, Params, Profile


def input_findings(grid: Params, profile: Profile) -> Iterator[Finding]:
    """Every dataset of the grid, every backbone that a network starts from, the teacher's file."""
    for dataset in grid.datasets:
        yield data_finding(dataset, profile)
    names = (profile.networks.teacher.pretrained, profile.networks.student.pretrained)
    yield from (backbone_finding(name) for name in dict.fromkeys(names) if name)
    if profile.teacher.source:
        yield from (teacher_finding(profile.teacher.source, name) for name in grid.datasets)


def teacher_finding(source: str, dataset: str) -> Finding:
    """Whether the weights that the dataset's teacher is imported from are there."""
    path, subject = Path(source.replace("{dataset}", dataset)), f"teacher {dataset}"
    if path.is_file():
        return Finding(subject, "ok", str(path))
    mend = "write it by `segdistill convert-checkpoint`, or name another in teacher.source"
    return Finding(subject, "missing", f"{path}: no such file", mend)


def data_finding(dataset: str, profile: Profile) -> Finding:
    """Whether the dataset is there, or will be drawn."""
    subject = f"data {dataset}"
    try:
        info = dataset_info(dataset)
        if dataset not in profile.data:
            raise SuiteError(f"the profile has no block data.{dataset}")
        manifest = manifest_path(dataset)
        if info.synthetic and not manifest.is_file():
            return Finding(subject, "ok", "not drawn yet; `dvc repro` draws it")
        return _present(subject, info, profile.data[dataset], manifest)
    except SuiteError as error:
        return Finding(subject, "missing", str(error), _how_to_get(dataset))


def _present(subject: str, info: DatasetInfo, source: DataSource, manifest: Path) -> Finding:
    """The splits' lists are read and their files looked for; none is decoded."""
    root = data_root(source, info.name, info.root_variable, info.synthetic)
    counts = {split: len(open_split(info.name, root, split)) for split in info.splits}
    place = f"{root} (drawn)" if info.synthetic else f"{root} ({_origin(source, info)})"
    found = f"{place}: " + ", ".join(f"{count} {split}" for split, count in counts.items())
    if not manifest.is_file():
        return Finding(subject, "ok", f"{found}; no manifest yet, `dvc repro` writes it")
    if {name: split.count for name, split in read_manifest(manifest).splits.items()} != counts:
        mend = f"segdistill data {info.name} --verify"
        return Finding(subject, "missing", f"{found}; {manifest} holds other counts", mend)
    return Finding(subject, "ok", found)


def _origin(source: DataSource, info: DatasetInfo) -> str:
    if source.root:
        return "root of the profile"
    named = info.root_variable and os.environ.get(info.root_variable)
    return f"{info.root_variable}" if named else "installed"


def _how_to_get(dataset: str) -> str:
    """How a dataset comes here; for an unknown one, which are known is said already."""
    try:
        variable = dataset_info(dataset).root_variable
    except SuiteError:
        return "mend the grid in params.yaml"
    if variable is None:
        return f"segdistill data {dataset}"
    download = f"segdistill data {dataset} --from download"
    return f"{download}, or export {variable}=FOLDER (docs/datasets.md)"


def backbone_finding(name: str) -> Finding:
    """Whether the weights that a network starts from are there."""
    path, subject = backbone_path(name), f"backbone {name}"
    if path.is_file():
        return Finding(subject, "ok", str(path))
    return Finding(subject, "missing", f"{path}: no such file", f"segdistill backbone {name}")
