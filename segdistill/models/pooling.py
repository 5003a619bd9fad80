"""Pooling to a grid whose gradient repeats itself bit for bit, also on CUDA."""

from functools import cache

import torch
from torch import Tensor, nn


class GridMeans(nn.Module):
    """Means over a `size` x `size` grid of cells: torch's adaptive average pooling.

    Written as two matrix products, since the gradient of torch's own form adds up in no fixed
    order on CUDA. Cells of uneven maps overlap as torch's do.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        """N C h w to N C size size."""
        if self.size == 1:
            return maps.mean(dim=(2, 3), keepdim=True)
        rows = _cells(maps.shape[2], self.size).to(maps)
        columns = _cells(maps.shape[3], self.size).to(maps)
        return rows @ maps @ columns.T


def use_exact_pooling(net: nn.Module) -> None:
    """Put GridMeans in the place of every adaptive average pooling to a square in `net`."""
    for name, child in net.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d):
            assert isinstance(child.output_size, int)
            setattr(net, name, GridMeans(child.output_size))
        else:
            use_exact_pooling(child)


@cache
def _cells(length: int, count: int) -> Tensor:
    """count x length: cell i averages places floor(i length / count) to ceil((i+1) length / count).

    torch documents no such formula; its reference implementation has it.
    """
    means = torch.zeros(count, length, dtype=torch.float64)
    for cell in range(count):
        first, end = cell * length // count, -(-(cell + 1) * length // count)
        means[cell, first:end] = 1 / (end - first)
    return means
