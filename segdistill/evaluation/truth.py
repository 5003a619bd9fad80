"""What the metrics need of one label map alone; it can be kept for the next network."""

from dataclasses import dataclass

import numpy as np

from segdistill.evaluation.boundary import RADII, band_widths, histogram, levels
from segdistill.evaluation.iou import IGNORE, Bytes, Ints
from segdistill.evaluation.small_objects import Components, components


@dataclass(frozen=True)
class Truth:
    """A label map with its contours and components."""

    label: Bytes  # H W, 255 = ignore
    void: Bytes  # H W, 255 where ignored, else 0
    boundary_level: Bytes  # H W
    boundary_area: Ints  # (2, K)
    trimap_level: Bytes  # H W
    trimap_area: Ints  # (5, K)
    objects: Components


def truth_of(label: Bytes, classes: int) -> Truth:
    """Everything that follows from `label` (H W uint8, 255 = ignore)."""
    widths = band_widths(*label.shape)
    boundary_level = levels(label, widths, frame=True)
    trimap_level = levels(label, RADII, frame=False)
    return Truth(
        label,
        np.where(label == IGNORE, np.uint8(IGNORE), np.uint8(0)),
        boundary_level,
        histogram(boundary_level, label, len(widths), classes),
        trimap_level,
        histogram(trimap_level, label, len(RADII), classes),
        components(label),
    )
