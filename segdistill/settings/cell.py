"""A cell: one training and its evaluation, by the four names that tell it from all others."""

from dataclasses import dataclass
from pathlib import Path

RESULTS = Path("results")
TEACHER = "teacher"  # the method of a data set's teacher; its seed is 0


@dataclass(frozen=True, order=True)
class Cell:
    """One training: where its results lie, and what it is called.

    Example:
        >>> str(Cell("camvid", "camvid", "kd", 0).run_dir)
        'results/camvid/runs/camvid/kd/seed0'
    """

    experiment: str
    dataset: str
    method: str  # a key of the experiment's options, or TEACHER
    seed: int

    def __str__(self) -> str:
        return f"{self.experiment}/{self.name}"

    @property
    def name(self) -> str:
        """What people call it within its experiment."""
        place = f"{self.dataset}/{self.method}"
        return place if self.is_teacher else f"{place}/seed{self.seed}"

    @property
    def is_teacher(self) -> bool:
        """Whether this is the data set's teacher."""
        return self.method == TEACHER

    @property
    def teacher(self) -> "Cell":
        """The teacher of this cell's data set."""
        return Cell(self.experiment, self.dataset, TEACHER, 0)

    @property
    def run_dir(self) -> Path:
        """Where the training is published."""
        if self.is_teacher:
            return RESULTS / self.experiment / "teachers" / self.dataset
        return RESULTS / self.experiment / "runs" / self.dataset / self.method / f"seed{self.seed}"

    @property
    def evaluation_dir(self) -> Path:
        """Where the evaluation is published."""
        folder = RESULTS / self.experiment / "evals" / self.dataset / self.method
        return folder if self.is_teacher else folder / f"seed{self.seed}"

    @property
    def stage(self) -> str:
        """The DVC stage that trains it."""
        if self.is_teacher:
            return f"teacher@{self.dataset}"
        return f"train@{self.dataset}-{self.method}-{self.seed}"

    @property
    def manifest(self) -> Path:
        """The manifest of its data set."""
        return manifest_path(self.dataset)


def manifest_path(dataset: str) -> Path:
    """The manifest of a prepared data set."""
    return Path("data") / dataset / "MANIFEST.json"
