"""Random scaling, cropping and flipping of one training sample.

The result is that of scaling the whole image, cropping it and mirroring the crop, as
mmsegmentation's Resize, RandomCrop and RandomFlip do; but only the crop is computed.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE
from segdistill.data.draws import draws
from segdistill.data.splits import Sample
from segdistill.errors import SuiteError

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


class Axis(NamedTuple):
    """One axis of a crop: pixels start .. start + taken - 1 of the scaled image."""

    length: int  # of the image before scaling
    scaled: int  # of the image after scaling
    start: int
    taken: int

    @property
    def source(self) -> slice:
        """The image's own pixels that the crop is made of."""
        first, last = self.centre(0), self.centre(self.taken - 1)
        nearest = self.nearest()
        start = max(0, min(math.floor(first), int(nearest[0])))
        return slice(start, min(self.length, max(math.floor(last) + 1, int(nearest[-1])) + 1))

    def centre(self, index: int) -> float:
        """Where, in the image's own pixels, the centre of the crop's pixel `index` lies."""
        return (self.start + index + 0.5) * self.length / self.scaled - 0.5

    def nearest(self) -> NDArray[np.intp]:
        """The image's own pixel behind every pixel of the crop, by OpenCV's INTER_NEAREST."""
        step = 1.0 / (self.scaled / self.length)  # rounded as OpenCV rounds it
        places = np.arange(self.start, self.start + self.taken) * step
        return np.minimum(places.astype(np.intp), self.length - 1)


class Placement(NamedTuple):
    """Where a crop lies, and whether it is mirrored."""

    rows: Axis
    columns: Axis
    flip: bool


def place(augmentation: Augmentation, seed: int, counter: int, size: tuple[int, int]) -> Placement:
    """The crop that (seed, counter) draws in an image of `size` (height, width)."""
    scale_draw, row_draw, column_draw, flip_draw = draws(seed, "augment", counter).random(4)
    low, high = augmentation.scale
    scale = low + (high - low) * scale_draw
    rows = _axis(size[0], augmentation.crop[0], scale, row_draw)
    columns = _axis(size[1], augmentation.crop[1], scale, column_draw)
    return Placement(rows, columns, bool(flip_draw < augmentation.flip))


def augment(sample: Sample, augmentation: Augmentation, seed: int, counter: int) -> Sample:
    """`sample` scaled, cropped and flipped as (seed, counter) draws it, at the crop's size."""
    placement = place(augmentation, seed, counter, sample.label.shape[:2])
    return cut(sample, placement, augmentation.crop)


def cut(sample: Sample, placement: Placement, crop: tuple[int, int], top: int = 0) -> Sample:
    """The crop of `placement`, padded below and to the right to the size `crop`.

    `sample` may hold only some of the image's rows, from row `top` on, as long as those of
    `placement.rows.source` are among them. Padding is of the mean colour and labelled 255.
    """
    rows, columns, flip = placement
    image, label = (
        _image(sample.image, rows, columns, top),
        _label(sample.label, rows, columns, top),
    )
    if flip:
        image, label = image[:, ::-1], label[:, ::-1]
    if (rows.taken, columns.taken) == crop:
        return Sample(sample.name, image, label)
    canvas = np.full((*crop, 3), MEAN_COLOUR, np.uint8)
    target = np.full(crop, IGNORE, np.uint8)
    canvas[: rows.taken, : columns.taken] = image
    target[: rows.taken, : columns.taken] = label
    return Sample(sample.name, canvas, target)


def _axis(length: int, crop: int, scale: float, draw: float) -> Axis:
    scaled = max(1, int(length * scale + 0.5))
    margin = max(0, scaled - crop)
    return Axis(length, scaled, int(draw * (margin + 1)), min(crop, scaled))


def _image(pixels: NDArray[np.uint8], rows: Axis, columns: Axis, top: int) -> NDArray[np.uint8]:
    """Bilinear, without smoothing where it shrinks, as OpenCV's INTER_LINEAR."""
    down, across = rows.source, columns.source
    # The same window is cut whatever rows are at hand, so that the sums round alike.
    window = pixels[down.start - top : down.stop - top, across]
    matrix = np.array(
        [
            [columns.length / columns.scaled, 0.0, columns.centre(0) - across.start],
            [0.0, rows.length / rows.scaled, rows.centre(0) - down.start],
        ]
    )
    found = cv2.warpAffine(
        window,
        matrix,
        (columns.taken, rows.taken),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.uint8)


def _label(ids: NDArray[np.uint8], rows: Axis, columns: Axis, top: int) -> NDArray[np.uint8]:
    return ids.take(rows.nearest() - top, axis=0).take(columns.nearest(), axis=1)
