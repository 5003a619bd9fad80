"""Trainings of a few steps on drawn scenes, for tests of the harness."""

import copy
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segdistill.data.catalogue import DatasetInfo, dataset_info
from segdistill.data.splits import Sample, Split
from segdistill.evaluation.evaluate import Subject, evaluate
from segdistill.models.segmentor import SegmentationNet, build, freeze
from segdistill.records import ScoreRecord
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, Term
from segdistill.settings.schema import DataSource, Evaluation, Execution, Network, Training
from segdistill.stop import StopRequest
from segdistill.training.determinism import draw_seed, set_determinism
from segdistill.training.loop import TrainingJob, teach, train
from segdistill.training.student_trainer import StudentTrainer

CPU = torch.device("cpu")
DATASET = "scenes_camvid"
CLASSES = len(dataset_info(DATASET).classes)
SMALL = Network(decoder="pspnet", backbone="resnet", depth=18, width=8, head_width=8)
TEACHER = Network(decoder="pspnet", backbone="resnet", depth=18, width=8, head_width=16)
STEPS = 5
TRAINING = Training(steps=STEPS, batch=2, learning_rate=0.02, log_every=2)
EVERY_STEP = Execution(checkpoint_every=1)
# Methods that carry state of every kind over a step: nothing, adapters, a player, queues.
STATEFUL = ("student", "kd", "skd", "cirkd", "pcd")


class Noise(Split):
    """A split of random images whose labels are bands of classes, made on demand."""

    def __init__(self, count: int = 6, shape: tuple[int, int] = (72, 80)) -> None:
        info: DatasetInfo = dataset_info(DATASET)
        self.info, self.split, self.root = info, "train", Path("nowhere")
        self.names = tuple(f"noise{index}" for index in range(count))
        self.pairs = ()
        self.shape = shape

    def __len__(self) -> int:
        return len(self.names)

    def size(self, index: int) -> tuple[int, int]:
        del index
        return self.shape

    def read(self, index: int, rows: slice | None = None) -> Sample:
        draw = np.random.default_rng(index)
        image = draw.integers(0, 256, (*self.shape, 3)).astype(np.uint8)
        bands = np.arange(self.shape[0]) // 8 + index
        label = np.repeat((bands % len(self.info.classes)).astype(np.uint8), self.shape[1])
        label = label.reshape(self.shape)
        label[:3] = 255
        wanted = rows or slice(None)
        return Sample(self.names[index], image[wanted], label[wanted])


class StopAfter(StopRequest):
    """A request that comes while step `steps` is at work."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    @property
    def requested(self) -> bool:
        return self.left <= 0

    @requested.setter
    def requested(self, value: bool) -> None:
        del value

    def leave_if_requested(self) -> None:
        super().leave_if_requested()
        self.left -= 1


def run_config(
    method: str = "kd", seed: int = 0, dataset: str = DATASET, **changes: Any
) -> RunConfig:
    """A cell of the matrix whose block is named after its one method."""
    values: dict[str, Any] = {
        "cell": Cell("test", dataset, method, seed),
        "data": DataSource(crop=(64, 64)),
        "student": SMALL,
        "teacher": TEACHER,
        "training": TRAINING,
        "terms": (Term(method, {}),),
    }
    return RunConfig(**{**values, **changes})


@cache
def frozen_teacher(classes: int = 11) -> SegmentationNet:
    """An untrained teacher with spread logits, as the worker hands it to the trainer."""
    torch.manual_seed(draw_seed(0, "test teacher"))
    net = build(TEACHER, classes)
    with torch.no_grad():
        net.head.conv_seg.weight.mul_(20)
    return net.eval().requires_grad_(requires_grad=False)


def run(
    folder: Path,
    configs: Sequence[RunConfig],
    execution: Execution = EVERY_STEP,
    stop: StopRequest | None = None,
    device: torch.device = CPU,
) -> list[Path]:
    """Train `configs` together; the folders of their results, one below `folder` each."""
    cells = [TrainingJob(config, folder / config.method) for config in configs]
    for cell in cells:
        cell.folder.mkdir(parents=True, exist_ok=True)
    teacher = copy.deepcopy(frozen_teacher()).to(device)
    train(cells, Noise(), CLASSES, teacher, execution, device, stop or StopRequest())
    return [cell.folder for cell in cells]


def results(folder: Path) -> tuple[bytes, bytes]:
    """The bytes that a training leaves: weights and log."""
    return (folder / "weights.safetensors").read_bytes(), (folder / "log.jsonl").read_bytes()


def first_row(folder: Path) -> dict[str, float]:
    """What a training logged of its first step."""
    row: dict[str, float] = json.loads((folder / "log.jsonl").read_text().splitlines()[0])
    return row


def evaluate_noise(folder: Path, device: torch.device, latency_runs: int = 0) -> ScoreRecord:
    """The teacher's scores on `Noise`, with two pictures, in `folder`."""
    set_determinism("exact", threads=1)
    subject = Subject(Cell("test", DATASET, "kd", 0), False, "0" * 64)
    recipe = Evaluation(pictures=2, latency_runs=latency_runs)
    return evaluate(copy.deepcopy(frozen_teacher()), Noise(), recipe, subject, folder, device)


def distilled_step(name: str, decoder: str, device: torch.device) -> Callable[[], object]:
    """A call is one more step of a student whose teacher, like itself, has `decoder`."""
    student, teacher = (net.model_copy(update={"decoder": decoder}) for net in (SMALL, TEACHER))
    taught_by = freeze(build(teacher, CLASSES)).to(device)
    trainer = StudentTrainer(run_config(name, student=student), CLASSES, taught_by.spec(), device)
    images = torch.randn(TRAINING.batch, 3, 64, 64).to(device)
    labels = torch.randint(0, CLASSES, (TRAINING.batch, 64, 64)).to(device)
    taps = sorted(trainer.teacher_taps())
    return lambda: trainer.training_step(images, labels, teach(taught_by, images, taps, "fp32"))
