"""Confusion matrix and IoU: ratios of summed pixel areas, never averages of per-image ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

IGNORE = 255
VALUES = 256  # of a uint8 map


@dataclass(frozen=True)
class Counts:
    """Pixel areas per class over valid pixels, int64, each of one shape (..., K)."""

    intersection: Ints
    prediction: Ints
    label: Ints

    @property
    def union(self) -> Ints:
        """Area of prediction or label (..., K)."""
        return self.prediction + self.label - self.intersection

    def __getitem__(self, index: int) -> "Counts":
        """The counts of one entry of the first axis."""
        return Counts(self.intersection[index], self.prediction[index], self.label[index])

    def total(self) -> "Counts":
        """The counts summed over the last axis but one, the images."""
        return Counts(
            *(part.sum(axis=-2) for part in (self.intersection, self.prediction, self.label))
        )


def confusion_matrix(prediction: Bytes, label: Bytes, classes: int) -> Ints:
    """Pixels of label class `row` that were called `column`, (K, K).

    `prediction` and `label` are H W; pixels with label 255 are left out.
    """
    codes = label.astype(np.uint16) * np.uint16(classes) + prediction
    # Codes of ignored pixels are 255 K and above, beyond the K x K that are kept.
    counts = np.bincount(codes.ravel(), minlength=VALUES * classes)
    return counts[: classes * classes].reshape(classes, classes)


def counts_of(confusion: Ints) -> Counts:
    """Areas (K,) that a confusion matrix (K, K) holds."""
    return Counts(confusion.diagonal().copy(), confusion.sum(axis=0), confusion.sum(axis=1))


def stack(counts: Sequence[Counts], axis: int) -> Counts:
    """Counts of one shape joined along a new axis."""
    return Counts(
        np.stack([part.intersection for part in counts], axis),
        np.stack([part.prediction for part in counts], axis),
        np.stack([part.label for part in counts], axis),
    )


def iou(counts: Counts) -> Floats:
    """Intersection over union per class (..., K); NaN where a class has no label pixel."""
    ratio = np.full(counts.label.shape, np.nan)
    np.divide(counts.intersection, counts.union, out=ratio, where=counts.label > 0)
    return ratio


def mean_iou(counts: Counts) -> Floats:
    """Mean of `iou` over the classes with a label pixel (...); NaN where there is none."""
    ratios = iou(counts)
    present = np.isfinite(ratios).sum(axis=-1)
    mean = np.full(present.shape, np.nan)
    np.divide(np.nansum(ratios, axis=-1), present, out=mean, where=present > 0)
    return mean
