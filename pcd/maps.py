"""Feature maps in blocks of channels: everything here and in the loss is one channel's affair."""

import torch
from torch import Tensor

# Eight blocks keep what a step allocates beside the features to a fraction of the features.
BLOCKS = 8
DEAD = 1e-6


def blocks(values: Tensor, dim: int) -> tuple[Tensor, ...]:
    """`values` cut along the channel dimension `dim` into at most `BLOCKS` views."""
    return values.chunk(BLOCKS, dim=dim)


def precise(maps: Tensor) -> Tensor:
    """`maps` in float32 if their type is narrower, else as they are."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))


def rows(maps: Tensor) -> Tensor:
    """Maps N C h w as one row a channel: C (N h w)."""
    return maps.movedim(1, 0).flatten(1)


def standardise(maps: Tensor, valid: Tensor | None) -> Tensor:
    """Z (N C h w): each channel minus its mean over valid pixels, over its biased std there.

    `valid` is N h w bool (None: every pixel). Z is 0 at pixels that are not valid and in a dead
    channel, one with std <= 1e-6 x rms. Differentiable, through mean and std too.
    """
    count = maps[:, 0].numel() if valid is None else valid.sum().clamp(min=1)
    maps = only(maps, valid)
    mean = maps.sum(dim=(0, 2, 3), keepdim=True) / count
    centred = only(maps - mean, valid)
    variance = centred.square().sum(dim=(0, 2, 3), keepdim=True) / count
    alive = variance > DEAD**2 * (variance + mean.square())
    # The inner `where` keeps the gradient of the root finite where the outer one discards it.
    return centred * torch.where(alive, torch.where(alive, variance, 1.0).rsqrt(), 0.0)


def only(maps: Tensor, valid: Tensor | None) -> Tensor:
    """Maps N C h w with 0, never 0 x NaN, at every pixel outside `valid` (N h w bool)."""
    return maps if valid is None else torch.where(valid[:, None], maps, 0.0)
