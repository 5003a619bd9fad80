"""What a run leaves behind: run.json and scores.json, with schemas, atomic writes, safe reads."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segdistill.errors import SuiteError, printable

MAX_BYTES = 32 * 1024 * 1024
Fraction = float | None


class Record(BaseModel):
    """Base of all records: frozen, no unknown keys; NaN is kept so that a report can name it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Seconds(Record):
    """Wall time of a training by phase, in seconds."""

    total: float
    data: float
    teacher: float
    student: float
    method: float
    backward: float
    optimizer: float


class Restamp(Record):
    """A digest that was exchanged because the code was rewritten and gives the same bits."""

    code_digest: str  # the one before
    git_commit: str | None  # where the same bits were shown
    why: str


class RunRecord(Record):
    """One finished training (run.json)."""

    schema_version: Literal[1] = Field(1, alias="schema")
    kind: Literal["student", "teacher"]
    experiment: str
    dataset: str
    method: str
    seed: int = Field(ge=0)  # of the training's draws
    synthetic: bool
    subset: bool
    reconstructed: bool
    paper: str
    note: str
    config: dict[str, Any]
    fingerprint: str
    code_digest: str
    manifest_sha256: str
    teacher_sha256: str | None
    pretrained_sha256: str | None = None  # of the file that the weights begin with or are from
    initial_weights_sha256: str
    order_sha256: str
    weights_sha256: str
    steps: int = Field(ge=0)
    seconds: Seconds
    parameters: int = Field(ge=0)
    determinism: str
    environment: dict[str, Any]
    git_commit: str | None
    restamps: tuple[Restamp, ...] = ()


class SizeScore(Record):
    """Small-object metric of one size bin; fractions, None where the bin is empty."""

    count: int = Field(ge=0)
    recall: Fraction
    iou: Fraction


class Cost(Record):
    """What the network costs at evaluation size."""

    parameters: int
    macs: int
    latency_ms: float | None
    latency_iqr_ms: float | None
    peak_memory_bytes: int | None = None  # of one image's forward pass; None: not measured
    energy_mj: float | None = None  # millijoules an image; no longer measured, kept to read


class ScoreRecord(Record):
    """One evaluation (scores.json).

    Every value but the cost and the features' discriminability follows from areas.npz.
    """

    schema_version: Literal[1] = Field(1, alias="schema")
    experiment: str
    dataset: str
    split: str
    method: str
    seed: int = Field(ge=0)
    images: int = Field(ge=0)
    synthetic: bool
    subset: bool
    weights_sha256: str
    classes: tuple[str, ...]
    absent_classes: tuple[str, ...]
    miou: Fraction
    iou: dict[str, Fraction]
    pixel_accuracy: Fraction
    boundary_iou: dict[str, Fraction]
    trimap_miou: dict[str, Fraction]
    small_objects: dict[str, SizeScore]
    image_miou: Fraction
    worst5_miou: Fraction
    discriminability: float | None = None  # Fisher ratio of head.embedding; None: not measured
    cost: Cost


R = TypeVar("R", bound=Record)


def read_run(path: Path) -> RunRecord:
    """The run record at `path`. Raises SuiteError if missing, too large or malformed."""
    return _read(path, RunRecord)


def read_scores(path: Path) -> ScoreRecord:
    """The score record at `path`. Raises SuiteError if missing, too large or malformed."""
    return _read(path, ScoreRecord)


def write_record(path: Path, record: Record) -> None:
    """Write `record` as JSON, atomically."""
    write_json(path, record.model_dump(by_alias=True))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as readable JSON with a final newline, atomically."""
    write_bytes(path, (json.dumps(value, indent=1) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` whole or not at all: temporary file, fsync, rename.

    Raises SuiteError naming the file if the disk or the permissions refuse.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise SuiteError(f"{path}: cannot write ({error.strerror}); nothing was changed") from error


def file_hash(path: Path) -> str:
    """sha256 of a file. Raises SuiteError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error


def _read(path: Path, model: type[R]) -> R:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_BYTES} bytes, not a record of this suite")
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = printable(".".join(str(part) for part in first["loc"])) or "the file"
        raise SuiteError(f"{path}: {where}: {first['msg']}; run its stage again") from error
