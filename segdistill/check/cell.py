"""What one cell's records must say, each by itself and of one another."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from segdistill.check.differences import differences
from segdistill.check.published import Published
from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.evaluation.scores import scores
from segdistill.malformed import MALFORMED
from segdistill.pipeline.cells import fingerprint_of
from segdistill.records import RunRecord, ScoreRecord, file_hash
from segdistill.settings.cell import RESULTS, Cell

SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}\+?")
ENVIRONMENT = ("python", "platform", "processor", "cores", "threads", "device", "packages")
HASHES = ("code_digest", "manifest_sha256", "initial_weights_sha256", "order_sha256",
          "weights_sha256", "teacher_sha256")  # fmt: skip


def cell_faults(cell: Published) -> Iterator[str]:
    """Every rule that the cell breaks, as a line that begins with the file."""
    for file, faults in (
        (cell.folder / "run.json", [*_identity(cell.run, cell.folder), *_provenance(cell)]),
        (cell.folder / "log.jsonl", _log(cell)),
        (cell.weights, _weights(cell)),
        (cell.evaluation / "scores.json", [*_identity(cell.scores, cell.evaluation),
                                           *_names(cell), *_scores(cell)]),
    ):  # fmt: skip
        yield from (f"{file}: {fault}" for fault in faults)


def _identity(record: RunRecord | ScoreRecord, lies: Path) -> Iterator[str]:
    """A record lies in the folder whose cell it names, wherever the results lie."""
    cell = Cell(record.experiment, record.dataset, record.method, record.seed)
    home = cell.run_dir if isinstance(record, RunRecord) else cell.evaluation_dir
    own = home.relative_to(RESULTS) if home.is_relative_to(RESULTS) else home
    if lies.absolute().parts[-len(own.parts) :] != own.parts:
        yield f"is that of {home}"


def _provenance(cell: Published) -> Iterator[str]:
    """All that is needed to make the run again is there and hangs together."""
    run = cell.run
    if run.kind != ("teacher" if cell.is_teacher else "student"):
        yield f"kind is {run.kind!r}"
    for name in HASHES:
        absent = name == "teacher_sha256" and cell.is_teacher and run.teacher_sha256 is None
        if not absent and not SHA256.fullmatch(getattr(run, name) or ""):
            yield f"{name} is no sha256"
    if not COMMIT.fullmatch(run.git_commit or ""):
        yield "git_commit names no commit"
    hashes = run.code_digest, run.manifest_sha256, run.teacher_sha256, run.pretrained_sha256
    if run.fingerprint != fingerprint_of(run.config, *hashes):
        yield "fingerprint does not follow from config, code, data and teacher"
    for key in ("experiment", "dataset", "method", "seed"):
        if run.config.get(key) != getattr(run, key):
            yield f"config.{key} is not the record's {key}"
    if missing := [key for key in ENVIRONMENT if not run.environment.get(key)]:
        yield f"environment lacks {', '.join(missing)}"


def _log(cell: Published) -> Iterator[str]:
    """The steps ascend to the last one, and every value is finite."""
    try:
        text = (cell.folder / "log.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        steps = [int(row["step"]) for row in rows]
        finite = all(math.isfinite(value) for row in rows for value in row.values())
    except OSError as error:
        yield f"cannot read ({error.strerror})"
        return
    except MALFORMED as error:
        yield f"no log of this suite ({type(error).__name__})"
        return
    last = [cell.run.steps - 1] if cell.run.steps else []
    if steps != sorted(set(steps)) or steps[-1:] != last:
        yield f"its steps do not ascend to {cell.run.steps - 1}"
    if not finite:
        yield "holds NaN or Inf"


def _weights(cell: Published) -> Iterator[str]:
    if cell.weights.is_file() and file_hash(cell.weights) != cell.run.weights_sha256:
        yield "its sha256 is not that of run.json"


def _names(cell: Published) -> Iterator[str]:
    """Both records speak of the same weights and call the data by their names."""
    run, scored = cell.run, cell.scores
    if scored.weights_sha256 != run.weights_sha256:
        yield "scores other weights than run.json names"
    if scored.subset != run.subset:
        yield f"subset is {scored.subset}, in run.json {run.subset}"
    if run.dataset in dataset_names():
        info = dataset_info(run.dataset)
        if scored.classes != info.classes:
            yield f"classes are not those of {run.dataset}"
        if not run.synthetic == scored.synthetic == info.synthetic:
            yield f"synthetic is not {info.synthetic}, here or in run.json"


def _scores(cell: Published) -> Iterator[str]:
    """Every score follows from the areas, and the confusion matrix holds the same pixels."""
    found = cell.scores.model_dump()
    try:
        values = scores(cell.areas, cell.confusion, cell.scores.classes)
    except ValueError as error:
        yield f"{error}"
        return
    yield from differences({key: found[key] for key in values}, values)
    if cell.scores.images != len(cell.areas.names):
        yield f"images is {cell.scores.images}, areas.npz holds {len(cell.areas.names)}"
