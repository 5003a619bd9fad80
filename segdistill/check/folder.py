"""What lies in a results folder: the places of its cells, and their records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Ints
from segdistill.pipeline.cells import TEACHER
from segdistill.records import RunRecord, ScoreRecord, read_run, read_scores

SEED = re.compile(r"seed(0|[1-9]\d*)")
MAX_UNPACKED = 1 << 30  # bytes that areas.npz may hold; the largest profile needs a hundredth


@dataclass(frozen=True)
class Place:
    """Where one cell lies."""

    profile: str
    dataset: str
    method: str
    seed: int | None  # None: the dataset's teacher
    run: Path
    evaluation: Path

    @property
    def name(self) -> str:
        """The cell as people name it."""
        place = f"{self.dataset}/{self.method}"
        return place if self.seed is None else f"{place}/seed{self.seed}"


@dataclass(frozen=True)
class Submitted:
    """The records of one cell."""

    place: Place
    run: RunRecord
    scores: ScoreRecord
    areas: Areas
    confusion: Ints  # (K, K)


def find_places(folder: Path, violations: list[str]) -> list[Place]:
    """The cells of `folder` by its sub-folders, dataset by dataset, the teacher first."""
    keys: set[tuple[str, str, int]] = set()  # -1 stands for the teacher
    for path in (*_folders(folder, "teachers/*"), *_folders(folder, f"evals/*/{TEACHER}")):
        keys.add((path.parts[1], TEACHER, -1))
    for pattern in ("runs/*/*/*", "evals/*/*/*"):
        for path in _folders(folder, pattern):
            kind, dataset, method, seed = path.parts
            if kind == "evals" and method == TEACHER:
                continue
            if SEED.fullmatch(seed):
                keys.add((dataset, method, int(seed.removeprefix("seed"))))
            else:
                violations.append(f"{path}: not named seedN")
    order = sorted(keys, key=lambda key: (key[0], key[2] >= 0, key))
    return [_place(folder, *key) for key in order]


def read(place: Place, folder: Path, violations: list[str]) -> Submitted | None:
    """All records of a cell; None if any is missing or malformed, which is a violation."""
    try:
        areas = place.evaluation / "areas.npz"
        _check_unpacked(areas)
        return Submitted(
            place,
            read_run(place.run / "run.json"),
            read_scores(place.evaluation / "scores.json"),
            Areas.load(areas),
            _confusion(place.evaluation / "confusion.npy"),
        )
    except SuiteError as error:
        violations.append(str(error).replace(f"{folder}/", ""))
        return None


def _folders(folder: Path, pattern: str) -> Iterator[Path]:
    return (path.relative_to(folder) for path in folder.glob(pattern) if path.is_dir())


def _place(folder: Path, dataset: str, method: str, seed: int) -> Place:
    profile, evals = folder.resolve().name, folder / "evals" / dataset / method
    if seed < 0:
        return Place(profile, dataset, method, None, folder / "teachers" / dataset, evals)
    run = folder / "runs" / dataset / method / f"seed{seed}"
    return Place(profile, dataset, method, seed, run, evals / f"seed{seed}")


def _check_unpacked(path: Path) -> None:
    """Refuse an archive that would fill the memory."""
    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, BadZipFile) as error:
        raise SuiteError(f"{path}: cannot read ({error}); evaluate again") from error
    if size > MAX_UNPACKED:
        raise SuiteError(f"{path}: unpacks to {size} bytes, more than {MAX_UNPACKED}")


def _confusion(path: Path) -> Ints:
    try:
        matrix = np.load(path, allow_pickle=False, mmap_mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise SuiteError(f"{path}: not a confusion matrix ({error}); evaluate again") from error
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype != np.int64:
        raise SuiteError(f"{path}: not a matrix of int64; evaluate again")
    if matrix.shape[0] != matrix.shape[1] or (matrix < 0).any():
        raise SuiteError(f"{path}: not square, or with negative counts; evaluate again")
    return np.array(matrix)
