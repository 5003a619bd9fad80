"""Small objects: recall and IoU of the connected components of the label, by their size."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from segdistill.evaluation.iou import Bools, Bytes, Ints

BINS = ("tiny", "small", "large")  # below 0.1 %, up to 1 %, above 1 % of the image area
COLUMNS = ("image", "class", "bin", "pixels", "correct", "box_intersection", "box_union")


@dataclass(frozen=True)
class Components:
    """The 8-connected components of a label map, class by class."""

    ids: npt.NDArray[np.int32]  # H W, 0 where ignored, else 1 + row in the arrays below
    classes: Ints  # (n,)
    bins: Ints  # (n,) index into BINS
    pixels: Ints  # (n,)
    boxes: Ints  # (n, 4) top, bottom, left, right of the bounding box grown by half, clipped


def components(label: Bytes) -> Components:
    """Components of every class of `label` (H W, 255 = ignore)."""
    ids = np.zeros(label.shape, np.int32)
    classes: list[int] = []
    found: list[Ints] = []
    for index in (int(value) for value in np.flatnonzero(np.bincount(label.ravel())[:255])):
        mask = (label == index).view(np.uint8)
        x, y, width, height = cv2.boundingRect(mask)
        window = np.s_[y : y + height, x : x + width]
        count, part, stats, _ = cv2.connectedComponentsWithStats(mask[window], connectivity=8)
        ids[window] += np.where(part > 0, part + np.int32(len(classes)), 0)
        classes += [index] * (count - 1)
        found.append(stats[1:].astype(np.int64) + np.array([x, y, 0, 0, 0]))
    table = np.concatenate(found) if found else np.zeros((0, 5), np.int64)
    pixels = table[:, cv2.CC_STAT_AREA]
    return Components(
        ids,
        np.array(classes, np.int64),
        size_bins(pixels, label.size),
        pixels,
        _grown(table, label),
    )


def size_bins(pixels: Ints, area: int) -> Ints:
    """Index into BINS of components of `pixels` each, in an image of `area` pixels."""
    return (pixels * 1000 >= area).astype(np.int64) + (pixels * 100 > area)


def object_rows(image: int, prediction: Bytes, label: Bytes, objects: Components) -> Ints:
    """One row of COLUMNS per component of the label, (n, 7), for image number `image`.

    `prediction` and `label` are H W, both 255 where ignored. The intersection and the union
    are those of the component's class against the rest within its box.
    """
    count = len(objects.pixels)
    correct = np.bincount((objects.ids * (prediction == label)).ravel(), minlength=count + 1)[1:]
    counted = np.zeros((count, 2), np.int64)
    for index in np.unique(objects.classes):
        predicted, labelled = prediction == index, label == index
        both, either = _bytes(predicted & labelled), _bytes(predicted | labelled)
        for row in np.flatnonzero(objects.classes == index):
            top, bottom, left, right = objects.boxes[row]
            box = np.s_[top:bottom, left:right]
            counted[row] = cv2.countNonZero(both[box]), cv2.countNonZero(either[box])
    fixed = (np.full(count, image), objects.classes, objects.bins, objects.pixels)
    return np.column_stack((*fixed, correct, counted))


def size_scores(rows: Ints) -> dict[str, dict[str, int | float | None]]:
    """Per size: `count`, `recall` (share with at least half the pixels right), `iou` (mean).

    Every object weighs the same. `rows` is (O, 7); values are None where a bin is empty.
    """
    scores: dict[str, dict[str, int | float | None]] = {}
    for index, name in enumerate(BINS):
        _, _, _, pixels, correct, intersection, union = rows[rows[:, 2] == index].T
        recall = float((2 * correct >= pixels).mean()) if pixels.size else None
        iou = float((intersection / union).mean()) if pixels.size else None
        scores[name] = {"count": int(pixels.size), "recall": recall, "iou": iou}
    return scores


def _grown(table: Ints, label: Bytes) -> Ints:
    """Boxes half as large again in each direction: a quarter, rounded up, on every side."""
    left, top, width, height = table[:, :4].T
    aside, above = -(-width // 4), -(-height // 4)
    rows, columns = label.shape
    bottom = np.minimum(top + height + above, rows)
    right = np.minimum(left + width + aside, columns)
    return np.column_stack((np.maximum(top - above, 0), bottom, np.maximum(left - aside, 0), right))


def _bytes(mask: Bools) -> Bytes:
    return mask.view(np.uint8)
