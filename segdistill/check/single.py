"""What one cell's records must say, each by itself and of one another."""

import json
import math
import re
from collections.abc import Iterator

from segdistill.check.differences import differences
from segdistill.check.folder import Submitted
from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.scores import scores
from segdistill.malformed import MALFORMED
from segdistill.pipeline.cells import TEACHER, fingerprint_of
from segdistill.records import RunRecord, file_hash

SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}\+?")
ENVIRONMENT = ("python", "platform", "processor", "cores", "threads", "device", "packages")
HASHES = ("code_digest", "manifest_sha256", "initial_weights_sha256", "order_sha256",
          "weights_sha256", "teacher_sha256")  # fmt: skip


def cell_faults(cell: Submitted) -> Iterator[str]:
    """Every rule that the cell breaks, as a message that names the file."""
    yield from _identity(cell)
    yield from (f"scores.json: {fault}" for fault in _scores(cell))
    yield from (f"run.json: {fault}" for fault in _provenance(cell.run))
    yield from _weights(cell)
    yield from (f"log.jsonl: {fault}" for fault in _log(cell))


def _identity(cell: Submitted) -> Iterator[str]:
    """Records are of the folder they lie in, and call their data by the right name."""
    place = cell.place
    for file, record in (("run.json", cell.run), ("scores.json", cell.scores)):
        wanted = {"profile": place.profile, "dataset": place.dataset, "method": place.method}
        if place.seed is not None:
            wanted["seed"] = str(place.seed)
        for key, value in wanted.items():
            if (got := str(getattr(record, key))) != value:
                yield f"{file}: {key} is {got!r} but its folder says {value!r}"
    if cell.run.kind != ("teacher" if place.method == TEACHER else "student"):
        yield f"run.json: kind is {cell.run.kind!r}"
    if place.dataset in dataset_names():
        info = dataset_info(place.dataset)
        if cell.scores.classes != info.classes:
            yield f"scores.json: classes are not those of {place.dataset}"
        if not cell.run.synthetic == cell.scores.synthetic == info.synthetic:
            yield f"run.json, scores.json: synthetic is not {info.synthetic}"
    if cell.run.subset != cell.scores.subset:
        yield "run.json, scores.json: only one of them is called a subset"


def _scores(cell: Submitted) -> Iterator[str]:
    """Every score follows from the areas, and the confusion matrix holds the same pixels."""
    try:
        values = scores(cell.areas, cell.confusion, cell.scores.classes)
    except ValueError as error:
        yield f"{error}"
        return
    found = cell.scores.model_dump()
    yield from differences({key: found[key] for key in values}, values)
    if cell.scores.images != len(cell.areas.names):
        yield f"images is {cell.scores.images}, areas.npz holds {len(cell.areas.names)}"
    if not 0 <= (cell.scores.discriminability or 0) < math.inf:
        yield "discriminability is no ratio of variances"
    if _bands_exceed(cell.areas):
        yield "areas.npz has more label pixels near contours than on the whole image"


def _bands_exceed(areas: Areas) -> bool:
    bands = (areas.boundary.label, areas.trimap.label)
    return any(bool((band > areas.label).any()) for band in bands)


def _provenance(run: RunRecord) -> Iterator[str]:
    """Everything needed to make the run again is there and hangs together."""
    for name in HASHES:
        value = getattr(run, name)
        if value is None and (name, run.kind) == ("teacher_sha256", "teacher"):
            continue
        if not SHA256.fullmatch(value or ""):
            yield f"{name} is no sha256"
    if not COMMIT.fullmatch(run.git_commit or ""):
        yield "git_commit names no commit"
    hashes = run.code_digest, run.manifest_sha256, run.teacher_sha256, run.pretrained_sha256
    if run.fingerprint != fingerprint_of(run.config, *hashes):
        yield "fingerprint does not follow from config, code, data and teacher"
    for key in ("profile", "dataset", "method", "seed"):
        if run.config.get(key) != getattr(run, key):
            yield f"config.{key} is not the record's {key}"
    if missing := [key for key in ENVIRONMENT if not run.environment.get(key)]:
        yield f"environment lacks {', '.join(missing)}"
    if run.config.get("terms") and not run.paper:
        yield "paper is empty"
    if not all(0 <= value < math.inf for value in run.seconds.model_dump().values()):
        yield "seconds are no times"


def _weights(cell: Submitted) -> Iterator[str]:
    if cell.scores.weights_sha256 != cell.run.weights_sha256:
        yield "scores.json: scores other weights than run.json names"
    path = cell.place.run / "weights.safetensors"
    if path.is_file() and file_hash(path) != cell.run.weights_sha256:
        yield "weights.safetensors: its sha256 is not that of run.json"


def _log(cell: Submitted) -> Iterator[str]:
    """The log reaches the last step, with finite losses."""
    try:
        text = (cell.place.run / "log.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        steps = [int(row["step"]) for row in rows]
        losses = [float(row["loss"]) for row in rows if "loss" in row]
    except (OSError, *MALFORMED) as error:
        yield f"cannot be read ({type(error).__name__})"
        return
    if cell.run.steps and max(steps, default=-1) != cell.run.steps - 1:
        yield f"does not end at the last step, {cell.run.steps - 1}"
    if not all(map(math.isfinite, losses)):
        yield "a loss is not finite"
