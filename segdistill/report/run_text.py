"""A finished run as text: what ran, how it went, and what came of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from segdistill.errors import SuiteError
from segdistill.pipeline.training_log import read_rows
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores
from segdistill.settings.cell import TEACHER, Cell

HASHES = ("fingerprint", "code_digest", "git_commit")  # and whatever ends in _sha256
NOT_METRICS = {"schema_version", "experiment", "dataset", "method", "seed", "synthetic", "subset",
               "weights_sha256", "classes", "discriminability", "cost"}  # fmt: skip
COUNTS = ("images", ".count")  # all other numbers among the metrics are fractions
Rows = list[tuple[str, ...]]


def find_run(name: str) -> Path:
    """The folder of the run that lies in folder `name`, or is called EXPERIMENT/DATASET/teacher or
    EXPERIMENT/DATASET/METHOD/seedN.

    Raises SuiteError if there is none.
    """
    folder = Path(name)
    folder = folder.parent if folder.name == "run.json" else folder
    parts = folder.parts
    if not (folder / "run.json").is_file():
        if len(parts) == 3 and parts[2] == TEACHER:
            folder = Cell(*parts, seed=0).run_dir
        elif len(parts) == 4 and parts[3].removeprefix("seed").isdecimal():
            folder = Cell(*parts[:3], int(parts[3].removeprefix("seed"))).run_dir
    if not (folder / "run.json").is_file():
        raise SuiteError(
            f"{name}: no run.json there; name a run's folder, or EXPERIMENT/DATASET/METHOD/seedN"
        )
    return folder


def run_lines(folder: Path) -> Iterator[str]:
    """The run in `folder` as titled, aligned sections.

    Raises SuiteError if a record or the log is malformed.
    """
    record = read_run(folder / "run.json")
    scores = _scores(folder, record)
    for title, rows in (
        *_recorded(record),
        ("log", [("quantity", "first", "last", "mean"), *log_rows(folder / "log.jsonl")]),
        ("scores", _metrics(scores) if scores else [("not scored yet",)]),
    ):
        yield title
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            first, *others = zip(row, widths, strict=True)
            # Of two columns the second is text; numbers stand to the right, under one another.
            cells = [text if len(row) == 2 else f"{text:>{width}}" for text, width in others]
            yield "  " + "  ".join([f"{first[0]:{first[1]}}", *cells]).rstrip()
        yield ""


def log_rows(path: Path) -> Rows:
    """First, last and mean value of every quantity in a training log."""
    found: dict[str, list[float]] = {}
    for _, values in read_rows(path):
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return [
        (name, *(f"{value:.5g}" for value in (values[0], values[-1], fmean(values))))
        for name, values in found.items()
    ]


def _recorded(record: RunRecord) -> Iterator[tuple[str, Rows]]:
    """What run.json holds: plain values, then a section for each that has parts, then hashes."""
    values = record.model_dump(exclude={"schema_version"})
    hashes = {n: v for n, v in values.items() if n in HASHES or n.endswith("_sha256")}
    parts = {n: v for n, v in values.items() if isinstance(v, dict | list | tuple) and v}
    plain = {n: v for n, v in values.items() if n not in hashes and not _has_parts(v)}
    yield "run", _pairs(plain)
    for name, part in parts.items():
        yield name, _pairs(_flat(part))
    yield "hashes", _pairs(hashes)


def _has_parts(value: object) -> bool:
    return isinstance(value, dict | list | tuple)


def _metrics(scores: ScoreRecord) -> Rows:
    """Fractions in percent, costs in their own units."""
    shown: dict[str, object] = {}
    for name, value in _flat(scores.model_dump(exclude=NOT_METRICS)).items():
        fraction = isinstance(value, float | int) and not name.endswith(COUNTS)
        shown[name] = f"{100 * value:.2f} %" if fraction else value
    costs = _flat(scores.cost.model_dump(), "cost")
    return _pairs({**shown, "discriminability": scores.discriminability, **costs})


def _scores(folder: Path, run: RunRecord) -> ScoreRecord | None:
    """The evaluation's record in the same results folder, wherever that lies; None if there is
    none or it is of other weights.
    """
    cell = Cell(run.experiment, run.dataset, run.method, run.seed)
    root = folder.resolve().parents[len(cell.run_dir.parts) - 1]
    path = root / cell.evaluation_dir / "scores.json"
    scores = read_scores(path) if path.is_file() else None
    return scores if scores and scores.weights_sha256 == run.weights_sha256 else None


def _pairs(values: Mapping[str, object]) -> Rows:
    return [(name, _text(value)) for name, value in values.items()]


def _text(value: object) -> str:
    """Six digits of a number; run.json and scores.json have the others."""
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Leaves by their dotted names; a list of plain values is a leaf."""
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list | tuple) and any(map(_has_parts, value)):
        items = enumerate(value)
    else:
        return {name: value}
    leaves: dict[str, Any] = {}
    for key, part in items:
        leaves |= _flat(part, f"{name}.{key}" if name else str(key))
    return leaves
