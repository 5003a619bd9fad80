"""What training the methods of a seed together saves, and that it changes no bit."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from harness.config import RunConfig
from harness.data.splits import Split
from harness.nets import SegmentationNet, build, freeze
from harness.recipe import Execution
from harness.records import Seconds, file_hash
from harness.stop import StopRequest
from harness.trainer import SUMMARY, Cell, train
from harness.worker import open_data


class Trained(NamedTuple):
    """One training: its time by phase and the hash of its weights."""

    method: str
    seconds: Seconds
    sha256: str

    @property
    def own(self) -> float:
        """Seconds of what no other method can share."""
        return self.seconds.total - self.seconds.data - self.seconds.teacher


class Together(NamedTuple):
    """The same trainings one by one and as a cohort."""

    alone: tuple[Trained, ...]
    cohort: tuple[Trained, ...]
    alone_wall: float  # seconds, with what a training needs before its first step
    cohort_wall: float

    @property
    def over_parts(self) -> float:
        """The cohort's time over one loading and teacher's forward and the methods' own parts."""
        return _shared_once(self.cohort) / _shared_once(self.alone)

    @property
    def over_separate(self) -> float:
        """The cohort's wall time over that of the trainings one by one."""
        return self.cohort_wall / self.alone_wall

    @property
    def same_bits(self) -> bool:
        """Whether every training has the same weights both ways."""
        return [run.sha256 for run in self.alone] == [run.sha256 for run in self.cohort]


def measure_cohort(configs: Sequence[RunConfig], steps: int) -> Together:
    """`configs`, all of one dataset and seed, trained for `steps` both ways.

    From a teacher of fresh weights, which change no time. Raises SuiteError without the data.
    """
    short = [replace(c, training=c.training.model_copy(update={"steps": steps})) for c in configs]
    first = short[0]
    split = open_data(first.dataset, first.data, first.data.train_split)
    classes = len(split.info.classes)
    torch.manual_seed(0)
    assert first.teacher is not None
    untrained = first.teacher.model_copy(update={"pretrained": None})
    teacher = freeze(build(untrained, classes))
    alone, alone_wall = [], 0.0
    for config in short:
        found, seconds = _train([config], split, classes, teacher)
        alone += found
        alone_wall += seconds
    cohort, cohort_wall = _train(short, split, classes, teacher)
    return Together(tuple(alone), tuple(cohort), alone_wall, cohort_wall)


def _train(
    configs: Sequence[RunConfig], split: Split, classes: int, teacher: SegmentationNet
) -> tuple[list[Trained], float]:
    with tempfile.TemporaryDirectory() as folder:
        cells = [Cell(config, Path(folder) / config.method) for config in configs]
        start = time.perf_counter()
        train(cells, split, classes, teacher, Execution(), torch.device("cpu"), StopRequest())
        seconds = time.perf_counter() - start
        return [_read(cell) for cell in cells], seconds


def _read(cell: Cell) -> Trained:
    summary = json.loads((cell.folder / SUMMARY).read_text(encoding="utf-8"))
    digest = file_hash(cell.folder / "weights.safetensors")
    return Trained(cell.config.method, Seconds(**summary["seconds"]), digest)


def _shared_once(runs: Sequence[Trained]) -> float:
    """Seconds of all own parts and of one loading and teacher's forward."""
    shared = max(run.seconds.data + run.seconds.teacher for run in runs)
    return shared + sum(run.own for run in runs)
