"""The loss of PCD (reconstructed from the abstract): divergence of matched channels."""

from typing import Literal

import torch
from torch import Tensor

from pcd.maps import standardise
from pcd.matching import UNMATCHED
from segdistill.distill.divergences import position_kl, to_float32

Divergence = Literal["kl", "mse"]
# Both divergences are one channel's affair, so eighths of the channels can follow one another,
# and what a step allocates stays below twice the two feature maps.
BLOCKS = 8


def pair_divergence(
    student: Tensor,
    teacher: Tensor,
    matched: Tensor,
    divergence: Divergence,
    temperature: float,
    valid: Tensor | None,
) -> Tensor:
    """Mean divergence of each student channel from the teacher channel it learns, a scalar.

    Features N C h w; `matched` (C_s) holds teacher channels, -1 for none; `valid` is P (N h w
    bool; None: every pixel). `kl` is temperature^2 x KL over positions, mean over images and
    pairs; `mse` is the squared difference of the standardised maps, mean over pairs and P.
    """
    pairs = int((matched != UNMATCHED).sum())
    sums = []
    for maps, choice in zip(student.chunk(BLOCKS, dim=1), matched.chunk(BLOCKS), strict=True):
        if pairs < len(matched):
            maps, choice = maps[:, choice != UNMATCHED], choice[choice != UNMATCHED]
        own, other = to_float32(maps), to_float32(teacher.index_select(1, choice))
        if divergence == "kl":
            sums.append(position_kl(own, other, temperature, valid).sum())
        else:
            gap = standardise(own, valid) - standardise(other, valid)
            sums.append(gap.square().sum())
    return torch.stack(sums).sum() / (pairs * _summands(student, divergence, valid))


def _summands(student: Tensor, divergence: Divergence, valid: Tensor | None) -> Tensor | int:
    if divergence == "kl":
        return student.shape[0]
    return student[:, 0].numel() if valid is None else valid.sum().clamp(min=1)
