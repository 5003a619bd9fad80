"""Is a published run repeatable? Train it again in a temporary folder and compare the bits."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell, evaluation_folder, plan_recorded
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.lock import locked
from segdistill.pipeline.seal import read_seal
from segdistill.pipeline.worker import evaluate_plan, pick_device, train_cells
from segdistill.records import RunRecord, file_hash, read_run, read_scores
from segdistill.stop import StopRequest

WEIGHTS, LOG = "weights.safetensors", "log.jsonl"


class Audit(NamedTuple):
    """How a repetition compares with what is published."""

    different: tuple[str, ...]  # files; none: the same bits
    notes: tuple[str, ...]  # what else differs: fingerprint, machine
    published_miou: float | None  # fractions; only if any bit differs
    repeated_miou: float | None
    seeds_miou: tuple[float, ...]  # of all the method's published seeds; fractions


def audit_run(folder: Path) -> Audit:
    """Train the run published in `folder` again.

    Raises SuiteError if its recipe, data or teacher are no longer there, Stopped if asked to stop.
    """
    record = read_run(folder / "run.json")
    # The weights themselves may be in another machine's cache alone.
    hashes = {WEIGHTS: record.weights_sha256, LOG: file_hash(folder / LOG)}
    with tempfile.TemporaryDirectory(prefix="audit-") as home:
        cell = replace(plan_recorded(record), home=Path(home))
        with locked(cell.scratch):
            stop = StopRequest()
            stop.listen()
            train_cells([cell], pick_device(), stop)
        different = tuple(n for n in hashes if file_hash(cell.scratch / n) != hashes[n])
        notes = _notes(record, cell)
        if not different:
            return Audit((), notes, None, None, ())
        return Audit(different, notes, *_scores(record, cell))


def _notes(record: RunRecord, cell: PlannedCell) -> tuple[str, ...]:
    sealed = read_seal(cell.scratch)
    if sealed is None:
        raise SuiteError(f"{cell.scratch}: the repetition's files were changed from outside")
    now = sealed.facts["environment"]
    notes = [
        f"{key}: {record.environment.get(key)} published, {now[key]} here"
        for key in now
        if now[key] != record.environment.get(key)
    ]
    if cell.fingerprint != record.fingerprint:
        notes.append("fingerprint: recipe, code, data or teacher changed; `verify` says which")
    return tuple(notes)


def _scores(
    record: RunRecord, cell: PlannedCell
) -> tuple[float | None, float | None, tuple[float, ...]]:
    names = record.profile, record.dataset, record.method, record.seed
    folder = evaluation_folder(*names)
    published = read_scores(folder / "scores.json").miou
    weights = cell.scratch / WEIGHTS
    plan = replace(plan_evaluation(*names, weights), home=cell.home)
    seeds = (read_scores(path).miou for path in sorted(folder.parent.glob("seed*/scores.json")))
    return published, evaluate_plan(plan, weights).miou, tuple(x for x in seeds if x is not None)
