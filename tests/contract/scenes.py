"""Random batches as both networks see them, and what may be done to them."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from segdistill.distill import NetSpec, View

CLASSES = 5
STUDENT_WIDTH, TEACHER_WIDTH = 6, 10
SIZE, STRIDE = (12, 10), 4
TAPS = (*(f"backbone.{stage}" for stage in range(1, 5)), "head.embedding")


class Scene(NamedTuple):
    """One batch as both networks see it."""

    student: View
    teacher: View
    labels: Tensor

    def leaves(self) -> dict[str, Tensor]:
        """The student's tensors by name."""
        return {"logits": self.student.logits, **self.student.taps}


def spec(width: int) -> NetSpec:
    weights = torch.randn(CLASSES, width, generator=torch.Generator().manual_seed(width))
    return NetSpec(CLASSES, dict.fromkeys(TAPS, width), weights)


def view(count: int, width: int, size: tuple[int, int], seed: int, scale: float = 1.0) -> View:
    draw = torch.Generator().manual_seed(seed)
    maps = {tap: scale * torch.randn(count, width, *size, generator=draw) for tap in TAPS}
    logits = scale * torch.randn(count, CLASSES, *size, generator=draw)
    image = torch.randn(count, 3, *(STRIDE * side for side in size), generator=draw)
    return View(logits, maps, image)


def scene(
    count: int = 2,
    size: tuple[int, int] = SIZE,
    teacher_size: tuple[int, int] | None = None,
    seed: int = 0,
    scale: float = 1.0,
) -> Scene:
    """Random maps; labels in blocks of one position, with an ignored corner and rim."""
    labels = torch.randint(
        0, CLASSES, (count, *size), generator=torch.Generator().manual_seed(seed)
    )
    labels[0, : size[0] // 3] = 255
    labels[-1, :, -1] = 255 if size[1] > 1 else labels[-1, :, -1]
    return Scene(
        view(count, STUDENT_WIDTH, size, seed + 1, scale),
        view(count, TEACHER_WIDTH, teacher_size or size, seed + 2, scale),
        labels.repeat_interleave(STRIDE, 1).repeat_interleave(STRIDE, 2),
    )


def scattered(seed: int, teacher_size: tuple[int, int]) -> Scene:
    """A scene in which a drawn share of the single label pixels is ignored as well."""
    batch = scene(seed=seed, teacher_size=teacher_size)
    draw = torch.Generator().manual_seed(seed)
    share = 0.6 * torch.rand((), generator=draw)
    lost = torch.rand(batch.labels.shape, generator=draw) < share
    return batch._replace(labels=batch.labels.masked_fill(lost, 255))


def changed(batch: Scene, function: Any) -> Scene:
    """`batch` with `function` applied to every map of both networks."""

    def apply(seen: View) -> View:
        taps = {tap: function(maps) for tap, maps in seen.taps.items()}
        return View(function(seen.logits), taps, seen.image)

    return Scene(apply(batch.student), apply(batch.teacher), batch.labels)


def spoiled(batch: Scene, garbage: float) -> Scene:
    """`batch` with `garbage`, or noise as large, wherever the nearest label is 255.

    In the image as well as in the maps, on whatever grid each of them lies.
    """

    def spoil(maps: Tensor) -> Tensor:
        noise = torch.randn(maps.shape, generator=torch.Generator().manual_seed(9))
        filling = noise * garbage if math.isfinite(garbage) else torch.full_like(maps, garbage)
        return torch.where(ignored_at(batch.labels, maps)[:, None], filling, maps)

    dirty = changed(batch, spoil)
    student, teacher = (
        seen._replace(image=spoil(seen.image)) for seen in (dirty.student, dirty.teacher)
    )
    return Scene(student, teacher, batch.labels)


def ignored_at(labels: Tensor, maps: Tensor) -> Tensor:
    """Where on the grid of `maps` the nearest label is 255: N h w."""
    height, width = maps.shape[-2:]
    rows = torch.arange(height) * labels.shape[1] // height
    columns = torch.arange(width) * labels.shape[2] // width
    return labels[:, rows[:, None], columns] == 255
