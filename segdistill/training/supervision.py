"""The loss against the labels, the same for every method."""

import torch.nn.functional as F
from torch import Tensor

from segdistill.distill.divergences import to_float32

IGNORE = 255


def cross_entropy(logits: Tensor, labels: Tensor, counted: Tensor) -> Tensor:
    """Sum over pixels with label != 255, of `logits` (N K h w) resized to `labels` (N H W),
    over `counted`, the number of such pixels in the whole batch.

    Pixels are laid out in one row because only that form is deterministic on CUDA.
    """
    full = F.interpolate(
        to_float32(logits), size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    rows = full.permute(0, 2, 3, 1).reshape(-1, full.shape[1])
    total = F.cross_entropy(rows, labels.reshape(-1), ignore_index=IGNORE, reduction="sum")
    return total / counted.clamp(min=1)


def counted_pixels(labels: Tensor) -> Tensor:
    """How many pixels of `labels` (N H W) the loss counts: those that are not 255."""
    return (labels != IGNORE).sum()
