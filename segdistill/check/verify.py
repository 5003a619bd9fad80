"""Does a published run hold what its record says? Hashes, fingerprint, log, and every area."""

import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from segdistill.check.outcome import differences, outcome
from segdistill.data.catalogue import dataset_info
from segdistill.data.manifest import verify as verify_data
from segdistill.data.opening import open_data
from segdistill.data.stream import order_hash
from segdistill.errors import SuiteError
from segdistill.malformed import MALFORMED
from segdistill.pipeline.cells import (
    TEACHER,
    PlannedCell,
    evaluation_folder,
    fingerprint_of,
    manifest_path,
    plan_recorded,
    pretrained_path,
    run_folder,
    weights_hash,
)
from segdistill.pipeline.evaluations import plan_evaluation
from segdistill.pipeline.worker import evaluate_plan
from segdistill.records import RunRecord, file_hash, read_run, read_scores
from segdistill.settings.loading import data_root, read_profile


class Check(NamedTuple):
    """One thing looked at; `fault` is None if it is as recorded."""

    what: str
    fault: str | None


def verify_run(folder: Path) -> Iterator[Check]:
    """Check the run published in `folder`, up to the first kind of damage.

    Raises SuiteError if a file that is needed cannot be read.
    """
    record = read_run(folder / "run.json")
    first = [*_files(folder, record)]
    yield from first
    if any(check.fault for check in first):
        return
    cell = plan_recorded(record)
    yield from _fingerprint(record, cell)
    yield _order(record, cell)
    yield from _evaluation(folder, record)


def _files(folder: Path, record: RunRecord) -> Iterator[Check]:
    home = run_folder(record.profile, record.dataset, record.method, record.seed)
    here = folder.resolve() == home.resolve()
    yield Check("place", None if here else f"run.json is that of {home}")
    weights = file_hash(folder / "weights.safetensors")
    yield _same("weights.safetensors", weights, record.weights_sha256)
    yield Check("log.jsonl", _log_fault(folder / "log.jsonl", record.steps))
    manifest = manifest_path(record.dataset)
    check = _same(str(manifest), file_hash(manifest), record.manifest_sha256)
    yield check
    if check.fault is None:
        faults = verify_data(manifest, _data_root(record))
        found = f"{len(faults)} at fault: {faults[0]}" if faults else None
        yield Check("files of the dataset", found)
    if record.teacher_sha256:
        teacher = weights_hash(run_folder(record.profile, record.dataset, TEACHER, 0))
        yield _same("the teacher", teacher, record.teacher_sha256)


def _data_root(record: RunRecord) -> Path:
    info = dataset_info(record.dataset)
    source = read_profile(record.profile).data[record.dataset]
    return data_root(source, record.dataset, info.root_variable, info.synthetic)


def _fingerprint(record: RunRecord, cell: PlannedCell) -> Iterator[Check]:
    own = fingerprint_of(
        record.config,
        record.code_digest,
        record.manifest_sha256,
        record.teacher_sha256,
        record.pretrained_sha256,
    )
    yield _same("fingerprint in run.json", own, record.fingerprint)
    config = cell.config.as_dict()
    changed = sorted(
        k for k in config.keys() | record.config if config.get(k) != record.config.get(k)
    )
    yield Check("recipe", f"changed since: {', '.join(changed)}" if changed else None)
    same = cell.code == record.code_digest
    yield Check("code", None if same else "what the training reaches has changed since")
    path = pretrained_path(cell.config)
    if record.pretrained_sha256 and path is not None and path.is_file():
        yield _same("pretrained weights", file_hash(path), record.pretrained_sha256)


def _order(record: RunRecord, cell: PlannedCell) -> Check:
    config, training = cell.config, cell.config.training
    split = open_data(config.dataset, config.data, config.data.train_split)
    order = order_hash(len(split), config.seed, training.batch, training.steps)
    return _same("order of the training images", order, record.order_sha256)


def _evaluation(folder: Path, record: RunRecord) -> Iterator[Check]:
    names = record.profile, record.dataset, record.method, record.seed
    published = evaluation_folder(*names)
    scores = read_scores(published / "scores.json")
    yield _same("weights of scores.json", scores.weights_sha256, record.weights_sha256)
    with tempfile.TemporaryDirectory(prefix="verify-") as home:
        plan = replace(plan_evaluation(*names), home=Path(home))
        again = evaluate_plan(plan, folder / "weights.safetensors")
        found, expected = outcome(plan.scratch), outcome(published)
    for name in ("seal.json", "lock"):
        found.pop(name)
    different = differences(found, expected)
    fault = f"{', '.join(different)}: miou {scores.miou} published, {again.miou} now"
    yield Check("evaluation, area by area", fault if different else None)


def _same(what: str, found: str, expected: str) -> Check:
    return Check(what, None if found == expected else f"is {found[:12]}, recorded {expected[:12]}")


def _log_fault(path: Path, steps: int) -> str | None:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        logged = [row["step"] for row in rows]
        finite = all(math.isfinite(value) for row in rows for value in row.values())
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
    except MALFORMED as error:
        return f"not a log of this suite ({type(error).__name__}: {error})"
    if not finite:
        return "holds NaN or Inf"
    whole = logged == sorted(set(logged)) and logged[-1:] == ([steps - 1] if steps else [])
    return None if whole else f"its steps do not ascend to {steps - 1}"
