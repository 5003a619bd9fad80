"""Two processes on gloo against one with the same global batch, for every method."""

from copy import deepcopy
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from harness_cases import CPU, SMALL, frozen_teacher, run_config
from torch import Tensor

from segdistill.distill import method_names
from segdistill.models.segmentor import SegmentationNet
from segdistill.settings.loading import Term
from segdistill.settings.schema import Training
from segdistill.training.process_group import ProcessGroup
from segdistill.training.student_trainer import StudentTrainer

STEPS, CLASSES = 20, 11
TRAINING = Training(steps=STEPS, batch=2, learning_rate=0.01, log_every=10)
FIELDS: dict[str, dict[str, Any]] = {
    "cirkd": {"pixel_queue": 200, "region_queue": 40},  # keeps the queues small
    # At its published weight so small a network diverges, and any rounding with it.
    "at": {"weight": 10.0},
}
# Every method, and the other kind of adversary beside the published one.
CASES: dict[str, Term] = {name: Term(name, FIELDS.get(name, {})) for name in method_names()} | {
    "hinge": Term("skd", {"adversary": "hinge"})
}


def trainer(name: str, ranks: ProcessGroup) -> StudentTrainer:
    # Dropout is drawn by each rank for its own part, so it must not take part here.
    student = SMALL.model_copy(update={"dropout": 0.0})
    config = run_config(name, student=student, terms=(CASES[name],), training=TRAINING)
    own = StudentTrainer(config, CLASSES, teacher().spec(), CPU, ranks)
    for module in (own.net, *own.methods):
        module.double()  # in float32, rounding alone grows past the tolerance in so many steps
    return own


def teacher() -> SegmentationNet:
    return deepcopy(frozen_teacher()).double()


def batch(step: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(step)
    images = torch.randn(2, 3, 64, 64, generator=draw, dtype=torch.float64)
    labels = torch.randint(0, CLASSES, (2, 8, 8), generator=draw)
    labels[0, :4] = 255  # the first rank has fewer pixels that count
    return images, labels.repeat_interleave(8, 1).repeat_interleave(8, 2)


def trained(name: str, ranks: ProcessGroup) -> dict[str, Any]:
    """Weights, adapters and logged losses after STEPS steps."""
    own, watched, losses = trainer(name, ranks), teacher(), []
    part = slice(ranks.rank * 2 // ranks.world, (ranks.rank + 1) * 2 // ranks.world)
    for step in range(STEPS):
        images, labels = (tensor[part] for tensor in batch(step))
        with torch.no_grad():
            output = watched(images, sorted(own.teacher_taps()))
        losses.append(own.training_step(images, labels, output))
    state = own.state()
    return {"net": state["net"], "methods": state["methods"], "losses": losses}


def train_on_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    found = {name: trained(name, ProcessGroup(rank, 2)) for name in CASES}
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(train_on_rank, args=(str(folder),), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_as_one(name: str, ranks: list[dict[str, Any]]) -> None:
    alone = trained(name, ProcessGroup())
    for found in (each[name] for each in ranks):
        for step, (own, expected) in enumerate(zip(found["losses"], alone["losses"], strict=True)):
            assert own.keys() == expected.keys()
            torch.testing.assert_close(
                own, expected, rtol=1e-6, atol=1e-6, msg=lambda m, s=step: f"{s}: {m}"
            )
        torch.testing.assert_close(found["net"], alone["net"], rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(found["methods"], alone["methods"], rtol=1e-6, atol=1e-6)
