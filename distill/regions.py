"""Class regions: labels on a feature grid, masks and class means that know 255 = ignore."""

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORE = 255


def labels_at(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Labels (N H W, int64) at the spatial `size` by nearest neighbour: N h w, int64."""
    if labels.shape[-2:] == torch.Size(size):
        return labels
    return F.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest")[:, 0].long()


def valid_at(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Where the nearest label is not 255: N h w, bool."""
    return labels_at(labels, size) != IGNORE


def one_hot(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Indicator maps (N K h w) of labels N h w; an ignored pixel belongs to no class."""
    index = torch.where(labels < classes, labels, classes)
    maps = torch.zeros(
        labels.shape[0], classes + 1, *labels.shape[1:], dtype=dtype, device=labels.device
    )
    return maps.scatter_(1, index[:, None], 1.0)[:, :classes]
