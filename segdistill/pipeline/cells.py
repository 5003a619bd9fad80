"""Trainings as they would be made now: their fingerprints, and what is already computed.

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
from segdistill.records import file_hash, read_run
from segdistill.settings.cell import Cell, manifest_path
from segdistill.settings.loading import RunConfig, read_experiment, run_config, student_run

SCRATCH = Path(".scratch")


@dataclass(frozen=True)
class PlannedCell:
    """One training with everything that its fingerprint covers."""

    config: RunConfig
    code: str  # its digest
    data: str  # sha256 of the data manifest
    teacher: str | None  # sha256 of the teacher's weights
    pretrained: str | None = None  # sha256 of the file that the weights begin with or are from
    home: Path = SCRATCH  # of the scratch folder

    @property
    def cell(self) -> Cell:
        """Which training it is."""
        return self.config.cell

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints give equal bits on one machine."""
        return fingerprint_of(
            self.config.as_dict(), self.code, self.data, self.teacher, self.pretrained
        )

    @property
    def scratch(self) -> Path:
        """Where its state lives while it trains, and its results until they are published."""
        return self.home / self.fingerprint

    @property
    def trained(self) -> bool:
        """Whether the results wait in the scratch folder, undamaged."""
        return read_seal(self.scratch) is not None

    @property
    def published(self) -> bool:
        """Whether the published record is of this very fingerprint."""
        try:
            return read_run(self.cell.run_dir / "run.json").fingerprint == self.fingerprint
        except SuiteError:
            return False


def fingerprint_of(
    config: Mapping[str, Any],
    code: str,
    data: str,
    teacher: str | None,
    pretrained: str | None,
) -> str:
    """The fingerprint of a training with these values, which run.json holds under these names."""
    parts = [dict(config), code, data, teacher, pretrained]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def plan(cell: Cell) -> PlannedCell:
    """A cell's training. Raises SuiteError if its data or teacher are not there yet."""
    return plan_run(run_config(cell))


def plan_run(config: RunConfig) -> PlannedCell:
    """The training of a configuration. Raises SuiteError if data or teacher are not there yet."""
    cell = config.cell
    code = code_digest("train", training_choices(config))
    teacher = None if cell.is_teacher else weights_hash(cell.teacher.run_dir)
    return PlannedCell(config, code, manifest_hash(cell.dataset), teacher, _pretrained_hash(config))


def unfinished_cohort(planned: PlannedCell) -> list[PlannedCell]:
    """`planned` and, if the experiment trains in cohorts, its dataset's other unfinished cells."""
    cell = planned.cell
    experiment = read_experiment(cell.experiment)
    if cell.is_teacher or not experiment.execution.cohort:
        return [planned]
    others = [
        plan_run(student_run(experiment, Cell(experiment.name, cell.dataset, method, seed)))
        for seed in experiment.seeds
        for method in experiment.methods
    ]
    rest = [o for o in others if o != planned and not o.trained and not o.published]
    return [planned, *rest]


def weights_hash(folder: Path) -> str:
    """sha256 of the weights published in `folder`. Raises SuiteError if not run.json's."""
    found = file_hash(folder / "weights.safetensors")
    if read_run(folder / "run.json").weights_sha256 != found:
        raise SuiteError(
            f"{folder}/weights.safetensors: not the weights of run.json beside it; "
            "restore the file or run its stage again"
        )
    return found


def manifest_hash(dataset: str) -> str:
    """sha256 of a data set's manifest. Raises SuiteError if it is not prepared."""
    path = manifest_path(dataset)
    if not path.is_file():
        raise SuiteError(f"{path}: missing; prepare the data with `segdistill data {dataset}`")
    return file_hash(path)


def pretrained_path(config: RunConfig) -> Path | None:
    """The file of weights that a training begins with or is imported from, there or not."""
    name = config.student.pretrained
    return config.source or (backbone_path(name) if name else None)


def _pretrained_hash(config: RunConfig) -> str | None:
    path = pretrained_path(config)
    if path is None:
        return None
    if path.is_file():
        return file_hash(path)
    record = config.cell.run_dir / "run.json"
    if record.is_file():  # as in a clone: what is published stands without the file
        run = read_run(record)
        if run.pretrained_sha256 and run.config == config.as_dict():
            return run.pretrained_sha256
    name = config.student.pretrained
    return file_hash(existing_backbone(name) if name and path == backbone_path(name) else path)
