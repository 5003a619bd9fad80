"""What lies in a results folder: its cells and their records, read and never executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Ints
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores
from segdistill.settings.cell import RESULTS, TEACHER, Cell

RUNS, TEACHERS = "runs", "teachers"
DEPTH = {RUNS: 3, TEACHERS: 1}  # DATASET/METHOD/seedN, DATASET


@dataclass(frozen=True)
class Target:
    """Cells to check in one folder results/EXPERIMENT."""

    root: Path
    folders: tuple[Path, ...]  # of trainings
    whole: bool  # all that there are, so that they can be compared with one another


@dataclass(frozen=True)
class Published:
    """One training and its evaluation, with all their records."""

    folder: Path  # EXPERIMENT/runs/DATASET/METHOD/seedN, or EXPERIMENT/teachers/DATASET
    evaluation: Path
    run: RunRecord
    scores: ScoreRecord
    areas: Areas
    confusion: Ints  # (K, K)

    @property
    def cell(self) -> Cell:
        """Which training its record says it is."""
        run = self.run
        return Cell(run.experiment, run.dataset, run.method, 0 if self.is_teacher else run.seed)

    @property
    def is_teacher(self) -> bool:
        """Whether this is a dataset's teacher."""
        return self.folder.parent.name == TEACHERS

    @property
    def weights(self) -> Path:
        """The file of the weights, there or not."""
        return self.folder / "weights.safetensors"


def find_targets(paths: Sequence[Path]) -> list[Target]:
    """The cells that `paths` name, by default those of every experiment with results.

    Raises SuiteError if there is nothing to check at a path.
    """
    found = list(paths) or sorted(filter(_is_root, RESULTS.glob("*/")))
    if not found:
        raise SuiteError(f"{RESULTS}/: no results here; name a run or a folder results/EXPERIMENT")
    return [_target(path) for path in found]


def read(folder: Path) -> Published:
    """The cell of a training's folder. Raises SuiteError if a record is missing or malformed."""
    evaluation = _evaluation(folder)
    return Published(
        folder,
        evaluation,
        read_run(folder / "run.json"),
        read_scores(evaluation / "scores.json"),
        Areas.load(evaluation / "areas.npz"),
        _confusion(evaluation / "confusion.npy"),
    )


def _evaluation(folder: Path) -> Path:
    if folder.parent.name == TEACHERS:
        return folder.parents[1] / "evals" / folder.name / TEACHER
    return folder.parents[3] / "evals" / Path(*folder.parts[-3:])


def _is_root(path: Path) -> bool:
    return (path / RUNS).is_dir() or (path / TEACHERS).is_dir()


def _target(path: Path) -> Target:
    if _is_root(path):
        found = [*path.glob(f"{TEACHERS}/*/"), *path.glob(f"{RUNS}/*/*/*/")]
        depth = len(path.parts) + 1  # of the dataset's name
        return Target(path, tuple(sorted(found, key=lambda p: (p.parts[depth], p))), whole=True)
    folder = path.absolute()
    if (folder / "run.json").is_file():
        for root in folder.parents:
            kind, *rest = folder.relative_to(root).parts
            if DEPTH.get(kind) == len(rest):
                return Target(root, (folder,), whole=False)
    raise SuiteError(f"{path}: neither a published run nor a folder results/EXPERIMENT")


def _confusion(path: Path) -> Ints:
    try:
        matrix = np.load(path, allow_pickle=False, mmap_mode="r")
        if matrix.dtype != np.int64 or matrix.ndim != 2 or len(set(matrix.shape)) > 1:
            raise ValueError(f"{matrix.dtype} of shape {matrix.shape}")
        return np.array(matrix)
    except (OSError, EOFError, ValueError, AttributeError) as error:
        raise SuiteError(f"{path}: not a confusion matrix ({error}); evaluate again") from error
