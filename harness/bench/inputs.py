"""The random maps on which every loss is measured, and the floor no loss can go below."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from distill import NetSpec, View
from distill.regions import IGNORE

TAP = "head.embedding"
STRIDE = 8  # label pixels per position of a map, the usual output stride
BLOCK = 8  # positions per side of an area of one label
IGNORED = 0.05  # share of such areas that are labelled 255
Map = Literal["logits", "feature"]


class Inputs(NamedTuple):
    """One batch as a method sees it; the student's maps want a gradient."""

    student: View
    teacher: View
    labels: Tensor  # N H W, H = 8 h

    def maps(self, which: Map) -> tuple[Tensor, Tensor]:
        """The student's and the teacher's map, N C h w each."""
        if which == "logits":
            return self.student.logits, self.teacher.logits
        return self.student.taps[TAP], self.teacher.taps[TAP]

    def specs(self) -> tuple[NetSpec, NetSpec]:
        """What the methods may know of the two networks."""
        return _spec(self.student), _spec(self.teacher)


def make_inputs(
    images: int,
    classes: int,
    widths: tuple[int, int],
    size: tuple[int, int],
    dtype: torch.dtype = torch.float32,
) -> Inputs:
    """Normal maps of `size` (h w) and `widths` (C_s C_t), labels in square areas; seeded."""
    generator = torch.Generator().manual_seed(0)

    def maps(channels: int) -> Tensor:
        return torch.randn(images, channels, *size, generator=generator).to(dtype)

    student, teacher = (View(maps(classes), {TAP: maps(width)}) for width in widths)
    for leaf in (student.logits, student.taps[TAP]):
        leaf.requires_grad_()
    return Inputs(student, teacher, random_labels(images, classes, size, generator))


def random_labels(
    images: int, classes: int, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Labels N 8h 8w in areas of 8 x 8 positions (h w = `size`); the first and 5 % are 255."""
    areas = [-(-side // BLOCK) for side in size]
    labels = torch.randint(classes, (images, *areas), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < IGNORED] = IGNORE
    labels[0, 0, 0] = IGNORE
    full = labels.repeat_interleave(BLOCK * STRIDE, dim=1).repeat_interleave(BLOCK * STRIDE, dim=2)
    return full[:, : size[0] * STRIDE, : size[1] * STRIDE].contiguous()


def floor(inputs: Inputs, reads: Sequence[Map]) -> Callable[[], None]:
    """Read and write once both maps of `reads` and a gradient as large as the student's."""
    pairs = [inputs.maps(which) for which in reads]
    sources = [maps.detach() for own, other in pairs for maps in (own, other, own)]
    targets = [torch.empty_like(source) for source in sources]

    def work() -> None:
        for target, source in zip(targets, sources, strict=True):
            target.copy_(source)

    return work


def _spec(view: View) -> NetSpec:
    return NetSpec(view.logits.shape[1], {tap: maps.shape[1] for tap, maps in view.taps.items()})
