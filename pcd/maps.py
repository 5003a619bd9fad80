"""Feature maps centred over the pixels P that count: the form in which both processes read them."""

from typing import NamedTuple

import torch
from torch import Tensor

from segdistill.distill.divergences import to_float32

DEAD = 1e-6


class Centred(NamedTuple):
    """Maps minus each channel's mean over P, in float32 at least, and what made them so."""

    maps: Tensor  # N C h w, 0 outside P
    mean: Tensor  # C
    scale: Tensor  # C, 1 / biased std; 0 for a dead channel, so that maps x scale is Z
    pixels: Tensor  # |P|, a scalar, at least 1


def centre(maps: Tensor, valid: Tensor | None) -> Centred:
    """`maps` (N C h w) centred over P = `valid` (N h w bool; None: every pixel).

    Differentiable, through mean and scale too. What stands outside P, NaN included, is lost.
    """
    maps = to_float32(maps)
    if valid is None:
        pixels = maps.new_tensor(maps.shape[0] * maps.shape[2:].numel())
        mean = maps.sum(dim=(0, 2, 3), keepdim=True) / pixels
        centred = maps - mean
    else:
        inside = valid[:, None]
        pixels = inside.sum().clamp(min=1).to(maps.dtype)
        known = torch.where(inside, maps, 0.0)
        mean = known.sum(dim=(0, 2, 3), keepdim=True) / pixels
        centred = known.addcmul_(mean, inside.to(maps.dtype), value=-1)
    mean = mean.flatten()
    variance = torch.linalg.vector_norm(centred, dim=(2, 3)).square().sum(dim=0) / pixels
    return Centred(centred, mean, inverse_std(variance, mean), pixels)


def standardise(maps: Tensor, valid: Tensor | None) -> Tensor:
    """Z (N C h w): `maps` minus mean, over biased std, both over P; 0 outside P or if dead."""
    centred = centre(maps, valid)
    return centred.maps * centred.scale[:, None, None]


def inverse_std(variance: Tensor, mean: Tensor) -> Tensor:
    """1 / std of every channel (C); 0 for a dead one, whose std is at most 1e-6 of its rms."""
    alive = variance > DEAD**2 * (variance + mean.square())
    # The inner `where` keeps the gradient of the root finite where the outer one discards it.
    return torch.where(alive, torch.where(alive, variance, 1.0).rsqrt(), 0.0)
