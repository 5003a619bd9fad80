"""Class regions: labels on a feature grid, masks and class means that know 255 = ignore."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from segdistill.distill.divergences import resize, to_float32

IGNORE = 255
Ignore = Literal["keep", "mask"]  # what a method's terms do with pixels labelled 255


def downsample_labels(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Labels (N H W, int64) at the spatial `size` by nearest neighbour: N h w, int64."""
    if labels.shape[-2:] == torch.Size(size):
        return labels
    return F.interpolate(labels[:, None].float(), size=tuple(size), mode="nearest")[:, 0].long()


def valid_positions(labels: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Where the nearest label is not 255: N h w, bool."""
    return downsample_labels(labels, size) != IGNORE


def valid_mask(labels: Tensor, size: tuple[int, int] | torch.Size, ignore: str) -> Tensor | None:
    """The positions (N h w, bool) that a term counts, or None where it counts all of them.

    Args:
        labels: N H W, 255 = ignored.
        size: The student's grid, to which the teacher's map is resized before.
        ignore: A method's option: "keep" counts every position, as the published code of every
            method does; "mask" counts those whose nearest label is not 255.

    Raises:
        ValueError: `ignore` is another word.
    """
    if ignore == "keep":
        return None
    if ignore == "mask":
        return valid_positions(labels, size)
    raise ValueError(f"ignore must be 'keep' or 'mask', got {ignore!r}")


def on_grid(
    maps: Tensor, labels: Tensor, size: tuple[int, int] | torch.Size, ignore: str
) -> tuple[Tensor, Tensor | None]:
    """`maps` (N C h' w') on the student's grid `size`, and the positions that count there.

    Maps of another size are resized bilinearly, under `ignore` = "mask" from those positions of
    their own grid alone whose nearest label is not 255; where there is none among the neighbours,
    the position does not count.

    Returns:
        The maps N C h w, and the positions as `valid_mask` gives them.
    """
    valid = valid_mask(labels, size, ignore)
    if maps.shape[-2:] == torch.Size(size):
        return maps, valid
    maps = to_float32(maps)
    if valid is None:
        return resize(maps, size), None
    known = valid_positions(labels, maps.shape[-2:])[:, None]
    weight = resize(known.to(maps.dtype), size)
    resized = resize(maps.masked_fill(~known, 0.0), size)
    reached = weight > 0
    return resized / weight.masked_fill(~reached, 1.0), valid & reached[:, 0]


def one_hot(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Indicator maps (N K h w) of labels N h w; an ignored pixel belongs to no class."""
    index = torch.where(labels < classes, labels, classes)
    maps = torch.zeros(
        labels.shape[0], classes + 1, *labels.shape[1:], dtype=dtype, device=labels.device
    )
    return maps.scatter_(1, index[:, None], 1.0)[:, :classes]


def class_means(features: Tensor, indicator: Tensor) -> Tensor:
    """The mean feature of each class of each image: N C K; 0 for a class that is absent.

    Features N C h w and the indicator N K h w of `one_hot`, of one dtype. One matrix product
    instead of a loop over classes: no N C h w map is built per class.
    """
    sums = features.flatten(2) @ indicator.flatten(2).transpose(1, 2)
    return sums / indicator.flatten(2).sum(dim=2)[:, None].clamp(min=1)
