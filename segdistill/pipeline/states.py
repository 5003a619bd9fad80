"""How far every cell of an experiment is. Starts without torch."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell, plan_run
from segdistill.pipeline.failures import last_failure
from segdistill.records import RunRecord, read_run, read_scores
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, student_run, teacher_run
from segdistill.settings.schema import Experiment

State = Literal["done", "trained", "running", "failed", "started", "stale", "missing"]
MEANINGS: dict[State, str] = {
    "done": "published and scored",
    "trained": "trained; `dvc repro` only has to publish or score it",
    "running": "a process is training it now",
    "failed": "its last training ended with an error; `dvc repro` tries again",
    "started": "a checkpoint is there, from which training goes on",
    "stale": "results of other settings, code, data or teacher; will be made anew",
    "missing": "nothing yet",
}
WAITING = "waits for its teacher"
TO_TRAIN: tuple[State, ...] = ("running", "failed", "started", "stale", "missing")


@dataclass(frozen=True)
class CellState:
    """One cell and how far it is."""

    cell: Cell
    state: State
    reason: str  # why it failed, is stale or cannot be planned yet, else ""
    steps: int  # that its training takes


@dataclass(frozen=True)
class _Candidate:
    """A cell's configuration, and its plan or what keeps it from being planned."""

    config: RunConfig
    plan: PlannedCell | None
    obstacle: str

    def with_seed(self, seed: int) -> "_Candidate":
        """The same with another seed, without reading settings and code again."""
        config = replace(self.config, cell=replace(self.config.cell, seed=seed))
        plan = self.plan and replace(self.plan, config=config)
        return _Candidate(config, plan, self.obstacle)


def cell_states(experiment: Experiment) -> Iterator[CellState]:
    """All cells of `experiment`, dataset by dataset, each teacher first.

    Data or a teacher that are not there are no error.
    """
    for dataset in experiment.datasets:
        ready = _state(_candidate(teacher_run(experiment, dataset)))
        yield ready
        for method in experiment.methods:
            cell = Cell(experiment.name, dataset, method, experiment.seeds[0])
            first = _candidate(student_run(experiment, cell))
            if first.plan is None and ready.state == "missing":
                first = replace(first, obstacle=WAITING)
            for seed in experiment.seeds:
                yield _state(first.with_seed(seed))


def _candidate(config: RunConfig) -> _Candidate:
    try:
        return _Candidate(config, plan_run(config), "")
    except SuiteError as error:
        return _Candidate(config, None, str(error))


def _state(found: _Candidate) -> CellState:
    state, reason = _progress(found)
    return CellState(found.config.cell, state, reason, found.config.training.steps)


def _progress(found: _Candidate) -> tuple[State, str]:
    cell, planned = found.config.cell, found.plan
    path = cell.run_dir / "run.json"
    try:
        record = read_run(path) if path.exists() else None
    except SuiteError as error:
        return "stale", str(error)
    if planned is None:
        return ("stale" if record else "missing"), found.obstacle
    if record and record.fingerprint == planned.fingerprint:
        scored = _scored(cell.evaluation_dir, record)
        return ("done", "") if scored else ("trained", "not scored yet")
    if planned.trained:
        return "trained", "not published yet"
    if _running(planned.scratch):
        return "running", ""
    if failure := last_failure(cell.run_dir):
        return "failed", failure
    if any(planned.scratch.glob("checkpoint-*.pt")):
        return "started", ""
    return ("stale", changes(record, planned)) if record else ("missing", "")


def _scored(folder: Path, record: RunRecord) -> bool:
    try:
        return read_scores(folder / "scores.json").weights_sha256 == record.weights_sha256
    except SuiteError:
        return False


def _running(scratch: Path) -> bool:
    """Whether the process that the lock names is alive.

    The lock itself is not tried: holding it for a moment would turn away a starting training.
    """
    try:
        holder = int((scratch / "lock").read_text(encoding="utf-8"))
        if holder > 0:  # 0 and less name groups of processes
            os.kill(holder, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return holder > 0


def changes(record: RunRecord, planned: PlannedCell) -> str:
    """What differs between a published record and the cell as it would be trained now."""
    old, new = _flat(record.config), _flat(planned.config.as_dict())
    words = [
        f"{key} {old.get(key, 'unset')} -> {new.get(key, 'unset')}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    words += ["code"] * (record.code_digest != planned.code)
    words += ["data"] * (record.manifest_sha256 != planned.data)
    words += ["teacher"] * (record.teacher_sha256 != planned.teacher)
    words += ["pretrained weights"] * (record.pretrained_sha256 != planned.pretrained)
    return ", ".join(words)


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Leaves of nested JSON values as text, by their dotted names."""
    if not isinstance(value, dict | list):
        return {name: json.dumps(value)}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    leaves: dict[str, str] = {}
    for key, part in items:
        leaves |= _flat(part, f"{name}.{key}" if name else str(key))
    return leaves
