"""Boundary IoU and trimap IoU: the same areas, counted near contours only.

Boundary IoU (Cheng et al., CVPR 2021, eq. 2) compares, class by class, the pixels of the
predicted mask within distance d of its own contour with those of the label mask within d of
its own. Trimap IoU (Kohli et al., IJCV 2009) compares all pixels within r of a label boundary.

Distances are chessboard distances to the nearest pixel of another value, as in the published
code of Boundary IoU. An ignored pixel belongs to no class in either map, so both masks end at
it; what was predicted there counts nowhere. The frame of the image is a contour for Boundary
IoU, as in the published code, and none for the trimap, whose lines are those of the label.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from segdistill.evaluation.iou import VALUES, Bools, Bytes, Counts, Ints

RATIOS = (0.005, 0.02)  # of the image diagonal, ascending
RADII = (1, 2, 4, 8, 16)  # pixels, ascending


def band_widths(height: int, width: int) -> list[int]:
    """Distances d of Boundary IoU in pixels, at least 1, one a ratio."""
    return [max(1, round(ratio * float(np.hypot(height, width)))) for ratio in RATIOS]


def near_contour(values: Bytes, distance: int, frame: bool) -> Bools:
    """Where another value lies within `distance`, H W; with `frame`, the outside is one too."""
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    near: Bools = cv2.dilate(values, kernel) != cv2.erode(values, kernel)
    if frame:
        near[:distance] = near[-distance:] = True
        near[:, :distance] = near[:, -distance:] = True
    return near


def levels(values: Bytes, distances: Sequence[int], frame: bool) -> Bytes:
    """Index of the narrowest of the ascending bands a pixel is in, H W; their number if in none."""
    level = np.zeros(values.shape, np.uint8)
    for distance in distances:
        level += ~near_contour(values, distance, frame)
    return level


def histogram(level: Bytes, values: Bytes, bands: int, classes: int) -> Ints:
    """Pixels per band and class (B, K): band b holds every pixel of level b or less."""
    codes = level.astype(np.uint16) * np.uint16(VALUES) + values
    counts = np.bincount(codes.ravel(), minlength=(bands + 1) * VALUES)
    return counts.reshape(bands + 1, VALUES)[:bands, :classes].cumsum(axis=0)


def trimap_counts(prediction: Bytes, right: Bytes, level: Bytes, label_area: Ints) -> Counts:
    """Areas (R, K) at every radius, from the label's trimap `level` and its areas (R, K).

    `right` is the prediction where it is right, 255 elsewhere; all maps are H W.
    """
    bands, classes = label_area.shape
    return Counts(
        histogram(level, right, bands, classes),
        histogram(level, prediction, bands, classes),
        label_area,
    )


def boundary_counts(prediction: Bytes, right: Bytes, level: Bytes, label_area: Ints) -> Counts:
    """Areas (B, K) at every ratio, from the label's contour `level` and its areas (B, K).

    `prediction` is 255 wherever the label is; `right` is it where it is right, 255 elsewhere.
    """
    bands, classes = label_area.shape
    own = levels(prediction, band_widths(*prediction.shape), frame=True)
    return Counts(
        histogram(np.maximum(own, level), right, bands, classes),
        histogram(own, prediction, bands, classes),
        label_area,
    )
