"""Random maps, labels and images to measure on; seeded, so the same in every run."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from segdistill.distill import NetSpec, View
from segdistill.distill.regions import IGNORE

TAP = "head.embedding"
STRIDE = 8  # label pixels per position of a map, the usual output stride
AREA = 64  # label pixels per side of an area of one label
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

    def specs(self) -> list[NetSpec]:
        """What the methods may know of the student and of the teacher."""
        return [
            NetSpec(view.logits.shape[1], {tap: maps.shape[1] for tap, maps in view.taps.items()})
            for view in (self.student, self.teacher)
        ]


def make_inputs(
    images: int,
    classes: int,
    widths: tuple[int, int],
    size: tuple[int, int],
    dtype: torch.dtype = torch.float32,
) -> Inputs:
    """Normal maps of `size` (h w) and `widths` (C_s C_t), labels in square areas."""
    generator = torch.Generator().manual_seed(0)

    def maps(channels: int) -> Tensor:
        return torch.randn(images, channels, *size, generator=generator).to(dtype)

    student, teacher = (View(maps(classes), {TAP: maps(width)}) for width in widths)
    for leaf in (student.logits, student.taps[TAP]):
        leaf.requires_grad_()
    height, width = (STRIDE * side for side in size)
    return Inputs(student, teacher, random_labels(images, classes, (height, width), generator))


def random_labels(
    images: int, classes: int, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Labels N H W (H W = `size`) in areas of 64 x 64 pixels; the first and 5 % are 255."""
    areas = [-(-side // AREA) for side in size]
    labels = torch.randint(classes, (images, *areas), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < IGNORED] = IGNORE
    labels[0, 0, 0] = IGNORE
    full = labels.repeat_interleave(AREA, dim=1).repeat_interleave(AREA, dim=2)
    return full[:, : size[0], : size[1]].contiguous()


def photograph(classes: int, size: tuple[int, int], seed: int) -> tuple[Tensor, Tensor]:
    """An image H W 3 that compresses as photographs do, and a label map H W; both uint8."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3 + classes, size[0] // 32, size[1] // 32, generator=generator)
    smooth = F.interpolate(coarse, size=size, mode="bicubic")[0]
    grain = 2 * torch.randn(3, *size, generator=generator)  # grey levels
    image = (128 + 50 * smooth[:3] + grain).clamp(0, 255).byte()
    return image.movedim(0, -1).contiguous(), smooth[3:].argmax(dim=0).byte()
