"""Random scaling, cropping and flipping of one training sample."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from harness.data.catalogue import IGNORE
from harness.data.draws import draws
from harness.data.splits import Sample
from harness.errors import SuiteError

MEAN_COLOUR = (124, 116, 104)  # ImageNet's mean in RGB: padding is 0 after normalisation


@dataclass(frozen=True)
class Augmentation:
    """Random scaling, cropping and horizontal flipping."""

    crop: tuple[int, int]  # height, width in pixels
    scale: tuple[float, float] = (0.5, 2.0)  # bounds of the uniform scale factor
    flip: float = 0.5  # probability

    def __post_init__(self) -> None:
        low, high = self.scale
        if min(self.crop) < 1 or not 0 < low <= high or not 0 <= self.flip <= 1:
            raise SuiteError(f"{self}: needs crop >= 1, 0 < low scale <= high, flip in 0..1")


def augment(sample: Sample, augmentation: Augmentation, seed: int, counter: int) -> Sample:
    """`sample` scaled, cropped and flipped as (seed, counter) draws it, at the crop's size.

    The source window is cut before it is scaled, so the cost does not grow with the image;
    where the image is smaller than the window, it is padded below and to the right with the
    mean colour and label 255.
    """
    scale_draw, row_draw, column_draw, flip_draw = draws(seed, "augment", counter).random(4)
    low, high = augmentation.scale
    scale = low + (high - low) * scale_draw
    height, width = augmentation.crop
    rows = _window(sample.label.shape[0], height, scale, row_draw)
    columns = _window(sample.label.shape[1], width, scale, column_draw)
    size = (columns.scaled, rows.scaled)
    # The exact kernels share pixel centres (plain INTER_NEAREST is shifted by up to half a
    # source pixel) and give the same bits on every processor.
    image = cv2.resize(
        sample.image[rows.source, columns.source], size, interpolation=cv2.INTER_LINEAR_EXACT
    )
    label = cv2.resize(
        sample.label[rows.source, columns.source], size, interpolation=cv2.INTER_NEAREST_EXACT
    )
    canvas = np.full((height, width, 3), MEAN_COLOUR, np.uint8)
    target = np.full((height, width), IGNORE, np.uint8)
    canvas[: rows.scaled, : columns.scaled] = image
    target[: rows.scaled, : columns.scaled] = label
    if flip_draw < augmentation.flip:
        canvas, target = canvas[:, ::-1], target[:, ::-1]
    return Sample(sample.name, canvas, target)


class _Window(NamedTuple):
    source: slice  # what to cut from the image along one axis
    scaled: int  # its length after scaling, at most the crop's


def _window(length: int, crop: int, scale: float, draw: float) -> _Window:
    wanted = max(1, round(crop / scale))
    if wanted > length:
        return _Window(slice(0, length), min(crop, max(1, round(length * scale))))
    start = int(draw * (length - wanted + 1))
    return _Window(slice(start, start + wanted), crop)
