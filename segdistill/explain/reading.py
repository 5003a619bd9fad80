"""A finished run with all it left behind."""

from dataclasses import dataclass
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import TEACHER, evaluation_folder, run_folder
from segdistill.pipeline.training_log import read_rows
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores

NOT_LOSSES = ("learning_rate",)
GRADIENT = "gradient/"  # what the names of gradient norms begin with


@dataclass(frozen=True)
class Curve:
    """One logged quantity over the steps; `values` may hold NaN."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def of_gradient(self) -> bool:
        """Whether it is the norm of a term's gradient."""
        return self.name.startswith(GRADIENT)


@dataclass(frozen=True)
class Explanation:
    """A run as it is told."""

    name: str
    run: RunRecord
    scores: ScoreRecord | None  # None: not scored yet
    curves: tuple[Curve, ...]  # losses, gradient norms and counters, in the order of the log
    pictures: tuple[Path, ...]  # label maps that its evaluation kept, palette PNG


def explain(run: str) -> Explanation:
    """The run in folder `run`, or called PROFILE/DATASET/METHOD/seedN or PROFILE/DATASET/teacher.

    Raises SuiteError if there is none or its records are malformed.
    """
    folder = _find(run)
    record = read_run(folder / "run.json")
    seed = "" if record.method == TEACHER else f"/seed{record.seed}"
    evaluation = _evaluation(folder, record)
    scores = _read_scores(evaluation, record)
    return Explanation(
        name=f"{record.profile}/{record.dataset}/{record.method}{seed}",
        run=record,
        scores=scores,
        curves=read_curves(folder / "log.jsonl"),
        pictures=tuple(sorted((evaluation / "pictures").glob("*.png"))) if scores else (),
    )


def read_curves(path: Path) -> tuple[Curve, ...]:
    """Every quantity of a training log. Raises SuiteError naming the line if it is unreadable."""
    found: dict[str, list[tuple[int, float]]] = {}
    for step, values in read_rows(path):
        for name in (key for key in values if key not in NOT_LOSSES):
            found.setdefault(name, []).append((step, values[name]))
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


def _evaluation(folder: Path, run: RunRecord) -> Path:
    """The evaluation's folder in the same results folder, wherever that lies."""
    place = evaluation_folder(run.profile, run.dataset, run.method, run.seed)
    depth = len(run_folder(run.profile, run.dataset, run.method, run.seed).parts)
    return folder.resolve().parents[depth - 1] / place


def _read_scores(evaluation: Path, run: RunRecord) -> ScoreRecord | None:
    """The evaluation's scores; None if there are none or they are of other weights."""
    path = evaluation / "scores.json"
    scores = read_scores(path) if path.is_file() else None
    return scores if scores and scores.weights_sha256 == run.weights_sha256 else None
