"""A finished run with all it left behind."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from harness.cells import TEACHER, evaluation_folder, run_folder
from harness.errors import SuiteError
from harness.records import RunRecord, ScoreRecord, read_run, read_scores

NOT_LOSSES = ("step", "learning_rate")


@dataclass(frozen=True)
class Curve:
    """One logged quantity over the steps; `values` may hold NaN."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """A run as it is told."""

    name: str
    run: RunRecord
    scores: ScoreRecord | None  # None: not scored yet
    curves: tuple[Curve, ...]  # losses and counters, in the order of the log


def explain(run: str) -> Explanation:
    """The run in folder `run`, or called PROFILE/DATASET/METHOD/seedN or PROFILE/DATASET/teacher.

    Raises SuiteError if there is none or its records are malformed.
    """
    folder = _find(run)
    record = read_run(folder / "run.json")
    seed = "" if record.method == TEACHER else f"/seed{record.seed}"
    return Explanation(
        name=f"{record.profile}/{record.dataset}/{record.method}{seed}",
        run=record,
        scores=_read_scores(folder, record),
        curves=read_curves(folder / "log.jsonl"),
    )


def read_curves(path: Path) -> tuple[Curve, ...]:
    """Every quantity of a training log. Raises SuiteError naming the line if it is unreadable."""
    found: dict[str, list[tuple[int, float]]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot read the log ({error})") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            for name in (key for key in row if key not in NOT_LOSSES):
                value = math.nan if row[name] is None else float(row[name])
                found.setdefault(name, []).append((int(row["step"]), value))
        except (ValueError, TypeError, LookupError) as error:
            raise SuiteError(f"{path}:{number}: not a line of a training log") from error
    return tuple(Curve(name, *zip(*pairs, strict=True)) for name, pairs in found.items())


def _find(run: str) -> Path:
    folder = Path(run)
    folder = folder.parent if folder.name == "run.json" else folder
    parts = folder.parts
    if not (folder / "run.json").is_file():
        if len(parts) == 3 and parts[2] == TEACHER:
            folder = run_folder(parts[0], parts[1], TEACHER, 0)
        elif len(parts) == 4 and parts[3].removeprefix("seed").isdecimal():
            folder = run_folder(*parts[:3], int(parts[3].removeprefix("seed")))
    if not (folder / "run.json").is_file():
        raise SuiteError(
            f"{run}: no run.json there; name a run's folder, or PROFILE/DATASET/METHOD/seedN"
        )
    return folder


def _read_scores(folder: Path, run: RunRecord) -> ScoreRecord | None:
    """The scores in the same results folder, wherever that lies."""
    place = evaluation_folder(run.profile, run.dataset, run.method, run.seed)
    depth = len(run_folder(run.profile, run.dataset, run.method, run.seed).parts)
    path = folder.resolve().parents[depth - 1] / place / "scores.json"
    scores = read_scores(path) if path.is_file() else None
    return scores if scores and scores.weights_sha256 == run.weights_sha256 else None
