"""Sums of the teacher's features by class: the one thing PCD remembers of earlier batches.

PCD (reconstructed from the abstract): means, standard deviations and responses all follow from
these sums, so a frozen teacher can be measured over every batch so far.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pcd.maps import Centred
from segdistill.distill.regions import one_hot


class ClassSums(NamedTuple):
    """Sums over pixels by class, float64; the last row holds pixels of P that have no class.

    Channels enter relative to a fixed shift, so that a large constant in a channel cancels
    before its squares are summed and not after.
    """

    shift: Tensor  # C
    pixels: Tensor  # K+1, n_k
    total: Tensor  # K+1 C, sum of T - shift
    square: Tensor  # K+1 C, sum of (T - shift)^2


class RunningSums(nn.Module):
    """The sums over every batch so far, saved with the checkpoint."""

    shift: Tensor
    pixels: Tensor
    total: Tensor
    square: Tensor

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        rows = classes + 1
        self.register_buffer("shift", torch.zeros(channels, dtype=torch.float64))
        self.register_buffer("pixels", torch.zeros(rows, dtype=torch.float64))
        self.register_buffer("total", torch.zeros(rows, channels, dtype=torch.float64))
        self.register_buffer("square", torch.zeros(rows, channels, dtype=torch.float64))

    def add(self, batch: ClassSums) -> ClassSums:
        """The sums so far, `batch` among them; the first batch sets the shift for good."""
        if not self.pixels.any():
            self.shift.copy_(batch.shift)
        moved = _shifted(batch, self.shift)
        self.pixels += moved.pixels
        self.total += moved.total
        self.square += moved.square
        return self.so_far()

    def so_far(self) -> ClassSums:
        """The sums over every batch that was added."""
        return ClassSums(self.shift, self.pixels, self.total, self.square)


def class_sums(teacher: Centred, labels: Tensor, classes: int) -> ClassSums:
    """Sums of the teacher's maps over the pixels of each label.

    `labels` is N h w; label `classes` is a pixel of P without a class, 255 one outside P. The
    shift is this batch's mean.
    """
    width = len(teacher.mean)
    pixels = torch.zeros(classes + 1, dtype=torch.float64, device=labels.device)
    total = pixels.new_zeros(classes + 1, width)
    square = torch.zeros_like(total)
    # One image at a time: the squares of a whole batch would cost as much as the features.
    for maps, label in zip(teacher.maps.flatten(2), labels, strict=True):
        members = one_hot(label[None], classes + 1, maps.dtype).flatten(2)[0]  # K+1 (h w)
        pixels += members.sum(dim=1)
        total += (maps @ members.T).T
        square += (maps.square() @ members.T).T
    return ClassSums(teacher.mean.double(), pixels, total, square)


def _shifted(sums: ClassSums, shift: Tensor) -> ClassSums:
    """The same sums relative to another `shift` (C)."""
    step = sums.shift - shift
    total = sums.total + sums.pixels[:, None] * step
    square = sums.square + step * (sums.total + total)
    return ClassSums(shift, sums.pixels, total, square)
