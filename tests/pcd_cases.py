"""Small networks' views for the tests of PCD (reconstructed from the abstract)."""

from typing import Any

import torch
from torch import Tensor

from pcd import PCD
from pcd.config import PCDConfig
from segdistill.distill import NetSpec, View

TAP = "head.embedding"


def make(own: int, width: int, classes: int, **options: Any) -> PCD:
    """PCD between networks of `own` and `width` channels at the tap."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    student = NetSpec(classes, {TAP: own})
    return PCD(PCDConfig(**options), student, NetSpec(classes, {TAP: width}, weights))


def step(method: PCD, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    """The term of one training step on the features."""
    own, other = (View(maps, {TAP: maps}) for maps in (student, teacher))
    return method.losses(own, other, labels)["channel"]


def features(
    own: int, width: int, classes: int, images: int = 2, size: int = 16
) -> tuple[Tensor, Tensor, Tensor]:
    """Student and teacher features in float64 and labels, 255 on about a tenth of the pixels.

    Half of the teacher's channels follow the label, each in its own measure.
    """
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(classes, (images, size, size), generator=generator)
    student = torch.randn(images, own, size, size, generator=generator, dtype=torch.float64)
    teacher = torch.randn(images, width, size, size, generator=generator, dtype=torch.float64)
    level = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    level[:, ::2] = 0
    teacher += level[labels].movedim(3, 1)
    labels[torch.rand(labels.shape, generator=generator) < 0.1] = 255
    return student, teacher, labels
