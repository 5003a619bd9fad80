"""Sums of the teacher's features by class: the one thing PCD remembers of earlier batches.

PCD (reconstructed from the abstract): means, standard deviations and responses all follow from
these sums, so a frozen teacher can be measured over every batch so far.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from distill.regions import one_hot
from pcd.maps import blocks, only, precise, rows
from pcd.ranks import sum_over_ranks


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
    """The sums over every batch so far, over all ranks, saved with the checkpoint."""

    shift: Tensor
    pixels: Tensor
    total: Tensor
    square: Tensor

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        shapes = {
            "shift": (channels,),
            "pixels": (classes + 1,),
            "total": (classes + 1, channels),
            "square": (classes + 1, channels),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def add(self, features: Tensor, labels: Tensor, valid: Tensor | None) -> ClassSums:
        """The sums so far, after this batch: features N C h w, labels and P `valid` N h w."""
        if not self.pixels.any():
            self.shift.copy_(channel_means(features, valid))
        batch = class_sums(features, labels, valid, len(self.pixels) - 1, self.shift)
        self.pixels += batch.pixels
        self.total += batch.total
        self.square += batch.square
        return ClassSums(self.shift, self.pixels, self.total, self.square)


def batch_sums(features: Tensor, labels: Tensor, valid: Tensor | None, classes: int) -> ClassSums:
    """The sums of this batch alone: features N C h w, labels and P `valid` N h w, all ranks."""
    return class_sums(features, labels, valid, classes, channel_means(features, valid))


def channel_means(features: Tensor, valid: Tensor | None) -> Tensor:
    """Mean (C, float64) of each channel of `features` (N C h w) over valid pixels, all ranks."""
    sums = [only(precise(block), valid).sum(dim=(0, 2, 3)) for block in blocks(features, 1)]
    everything = features[:, 0].numel()
    pixels = sums[0].new_full((1,), everything) if valid is None else valid.sum().reshape(1)
    sums_and_pixels = sum_over_ranks(torch.cat([*sums, pixels]).double())
    return sums_and_pixels[:-1] / sums_and_pixels[-1].clamp(min=1)


def class_sums(
    features: Tensor, labels: Tensor, valid: Tensor | None, classes: int, shift: Tensor
) -> ClassSums:
    """Sums of `features` (N C h w) by label (N h w), relative to `shift` (C), over all ranks.

    `valid` is P (N h w bool; None: every pixel).
    """
    dtype = precise(features[:0]).dtype
    members = rows(one_hot(labels.clamp(max=classes), classes + 1, dtype))  # K+1 (N h w)
    if valid is not None:
        members = members * valid.flatten()
    totals, squares = [], []
    for block, offset in zip(blocks(features, 1), blocks(shift, 0), strict=True):
        centred = rows(only(precise(block) - offset.to(dtype)[:, None, None], valid))
        totals.append(members @ centred.T)
        squares.append(members @ centred.square().T)
    parts = [members.sum(dim=1, keepdim=True), *totals, *squares]
    sums = sum_over_ranks(torch.cat([part.double() for part in parts], dim=1))
    width = len(shift)
    return ClassSums(shift, sums[:, 0], sums[:, 1 : width + 1], sums[:, width + 1 :])
