"""The cells of the matrix: their paths, their fingerprints, and what is already computed.

Starts without torch, so that publishing what is there costs nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segdistill.digest.choices import training_choices
from segdistill.digest.walk import code_digest
from segdistill.errors import SuiteError
from segdistill.models.pretrained import backbone_path, existing_backbone
from segdistill.pipeline.seal import read_seal
from segdistill.records import RunRecord, file_hash, read_run
from segdistill.settings.limits import check_limits
from segdistill.settings.loading import (
    RunConfig,
    read_params,
    read_profile,
    student_run,
    teacher_run,
)
from segdistill.settings.names import profile_name, seed_number

RESULTS = Path("results")
SCRATCH = Path(".scratch")
TEACHER = "teacher"


@dataclass(frozen=True)
class PlannedCell:
    """One training with everything that its fingerprint covers."""

    config: RunConfig
    code: str  # its digest
    manifest: str  # sha256 of the data manifest
    teacher: str | None  # sha256 of the teacher's weights
    pretrained: str | None = (
        None  # sha256 of the file that the weights begin with or are taken from
    )
    home: Path = SCRATCH  # of the scratch folder

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints give equal bits on one machine."""
        return fingerprint_of(
            self.config.as_dict(), self.code, self.manifest, self.teacher, self.pretrained
        )

    @property
    def scratch(self) -> Path:
        """Where its state lives while it trains, and its results until they are published."""
        return self.home / self.fingerprint

    @property
    def output(self) -> Path:
        """The published folder."""
        return run_folder(
            self.config.profile, self.config.dataset, self.config.method, self.config.seed
        )

    @property
    def trained(self) -> bool:
        """Whether the results wait in the scratch folder, undamaged."""
        return read_seal(self.scratch) is not None

    @property
    def published(self) -> bool:
        """Whether the published record is of this very fingerprint."""
        try:
            return read_run(self.output / "run.json").fingerprint == self.fingerprint
        except SuiteError:
            return False


def fingerprint_of(
    config: Mapping[str, Any],
    code: str,
    manifest: str,
    teacher: str | None,
    pretrained: str | None,
) -> str:
    """The fingerprint of a training with these values, which run.json holds under these names."""
    parts = [dict(config), code, manifest, teacher, pretrained]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def run_folder(profile: str, dataset: str, method: str, seed: int) -> Path:
    """Where a training's results are published; the teacher has a place of its own."""
    if method == TEACHER:
        return RESULTS / profile / "teachers" / dataset
    return RESULTS / profile / "runs" / dataset / method / f"seed{seed}"


def evaluation_folder(profile: str, dataset: str, method: str, seed: int) -> Path:
    """Where an evaluation's results are published."""
    folder = RESULTS / profile / "evals" / dataset / method
    return folder if method == TEACHER else folder / f"seed{seed}"


def weights_hash(folder: Path) -> str:
    """sha256 of the weights published in `folder`. Raises SuiteError if not run.json's."""
    found = file_hash(folder / "weights.safetensors")
    if read_run(folder / "run.json").weights_sha256 != found:
        raise SuiteError(
            f"{folder}/weights.safetensors: not the weights of run.json beside it; "
            "restore the file or run its stage again"
        )
    return found


def manifest_path(dataset: str) -> Path:
    """The manifest that `prepare` wrote for `dataset`."""
    return Path("data") / dataset / "MANIFEST.json"


def plan_student(profile: str, dataset: str, method: str, seed: int) -> PlannedCell:
    """The cell of a student. Raises SuiteError if its data or teacher are not there yet."""
    config = student_run(profile_name(profile), dataset, method, seed_number(seed))
    check_limits(config)
    digest = code_digest("train", training_choices(config))
    teacher = weights_hash(run_folder(profile, dataset, TEACHER, 0))
    pretrained = _pretrained_hash(config, run_folder(profile, dataset, method, seed))
    return PlannedCell(config, digest, _manifest_hash(dataset), teacher, pretrained)


def plan_teacher(profile: str, dataset: str) -> PlannedCell:
    """The cell of a dataset's teacher. Raises SuiteError if its data are not there yet."""
    config = teacher_run(profile_name(profile), dataset)
    check_limits(config)
    pretrained = _pretrained_hash(config, run_folder(profile, dataset, TEACHER, 0))
    digest = code_digest("train", training_choices(config))
    return PlannedCell(config, digest, _manifest_hash(dataset), None, pretrained)


def plan_recorded(record: RunRecord) -> PlannedCell:
    """A published training as recipes, code, data and teacher would make it now."""
    if record.kind == TEACHER:
        return plan_teacher(record.profile, record.dataset)
    return plan_student(record.profile, record.dataset, record.method, record.seed)


def unfinished_cohort(cell: PlannedCell) -> list[PlannedCell]:
    """`cell` and, if the profile trains in cohorts, its dataset's other unfinished cells."""
    if cell.config.teacher is None:
        return [cell]
    profile, params = read_profile(cell.config.profile), read_params()
    if not profile.execution.cohort or params.profile != cell.config.profile:
        return [cell]
    others = [
        plan_student(params.profile, cell.config.dataset, method, seed)
        for seed in params.seeds
        for method in params.methods
    ]
    rest = [o for o in others if o != cell and not o.trained and not o.published]
    return [cell, *rest]


def _manifest_hash(dataset: str) -> str:
    path = manifest_path(dataset)
    if not path.is_file():
        raise SuiteError(f"{path}: missing; prepare the data with `segdistill data {dataset}`")
    return file_hash(path)


def pretrained_path(config: RunConfig) -> Path | None:
    """The file of weights that a training begins with or is imported from, there or not."""
    name = config.student.pretrained
    return config.source or (backbone_path(name) if name else None)


def _pretrained_hash(config: RunConfig, published: Path) -> str | None:
    path = pretrained_path(config)
    if path is None:
        return None
    if path.is_file():
        return file_hash(path)
    record = published / "run.json"
    if record.is_file():  # as in a clone: what is published stands without the file
        run = read_run(record)
        if run.pretrained_sha256 and run.config == config.as_dict():
            return run.pretrained_sha256
    name = config.student.pretrained
    return file_hash(existing_backbone(name) if name and path == backbone_path(name) else path)
