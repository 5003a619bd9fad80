"""The numbers of an evaluation, every one a function of its areas; fractions, None if undefined."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from segdistill.evaluation.areas import Areas
from segdistill.evaluation.boundary import RADII, RATIOS
from segdistill.evaluation.iou import Floats, Ints, counts_of, iou, mean_iou
from segdistill.evaluation.small_objects import size_scores

WORST_SHARE = 0.05


def scores(areas: Areas, confusion: Ints | None, classes: Sequence[str]) -> dict[str, Any]:
    """All metrics of `areas`, as the keys of ScoreRecord.

    `confusion` (K, K), if given, must hold the same pixels; ValueError if it does not.
    Classes with no label pixel are left out of every mean and named in `absent_classes`.
    """
    totals = areas.pixels.total()
    _check(areas, confusion, classes)
    ratios = iou(totals)
    boundary, trimap = areas.boundary.total(), areas.trimap.total()
    images = image_mious(areas)
    return {
        "absent_classes": [
            name for name, area in zip(classes, totals.label, strict=True) if not area
        ],
        "miou": fraction(mean_iou(totals)),
        "iou": {name: fraction(value) for name, value in zip(classes, ratios, strict=True)},
        "pixel_accuracy": _share(int(totals.intersection.sum()), int(totals.label.sum())),
        "boundary_iou": {
            str(ratio): fraction(mean_iou(boundary[index])) for index, ratio in enumerate(RATIOS)
        },
        "trimap_miou": {
            str(radius): fraction(mean_iou(trimap[index])) for index, radius in enumerate(RADII)
        },
        "small_objects": size_scores(areas.objects),
        "image_miou": fraction(images.mean()) if images.size else None,
        "worst5_miou": fraction(worst_share(images)) if images.size else None,
    }


def image_mious(areas: Areas) -> Floats:
    """mIoU of each image over the classes its label shows, for the images with a label pixel.

    The fine-grained mIoU of Wang et al., NeurIPS 2023, is their mean.
    """
    values = mean_iou(areas.pixels)
    return values[np.isfinite(values)]


def worst_share(values: Floats) -> float:
    """Mean of the lowest 5 % of `values`, at least one of them."""
    return float(np.sort(values)[: math.ceil(WORST_SHARE * values.size)].mean())


def fraction(value: Any) -> float | None:
    """A plain float, None for NaN."""
    return float(value) if np.isfinite(value) else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _check(areas: Areas, confusion: Ints | None, classes: Sequence[str]) -> None:
    if areas.label.shape[1] != len(classes):
        raise ValueError(f"areas of {areas.label.shape[1]} classes, but {len(classes)} names")
    if confusion is None:
        return
    totals, same = areas.pixels.total(), counts_of(confusion)
    for part in ("intersection", "prediction", "label"):
        if not np.array_equal(getattr(totals, part), getattr(same, part)):
            raise ValueError(f"confusion matrix and areas differ in {part}")
