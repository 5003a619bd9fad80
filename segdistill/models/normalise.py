"""From bytes to what a network reads."""

from functools import cache

import torch
from torch import Tensor

# ImageNet's statistics, which every pretrained backbone was trained with (RGB, 0..255).
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


def normalise(images: Tensor) -> Tensor:
    """uint8 RGB images (N 3 H W) as float32 with ImageNet's mean 0 and standard deviation 1.

    In channels-last layout, which convolutions keep and work faster in.
    """
    mean, std = _statistics(images.device)
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


@cache
def _statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """MEAN and STD on `device`, moved there once."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1).to(device) for values in (MEAN, STD))
    return mean, std
