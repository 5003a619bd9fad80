"""Boundary and trimap areas against a plain loop over pixels and against masks and erosions."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import CLASSES, Bytes, draw_maps, measured, plain_near
from numpy.typing import NDArray

from segdistill.evaluation.boundary import RADII, RATIOS, band_widths, near_contour
from segdistill.evaluation.scores import scores


def plain_areas(
    prediction: Bytes, label: Bytes, distance: int, own_band: bool
) -> NDArray[np.int64]:
    """Areas (3, K) by a loop: each map's own band with the frame, or the label's without."""
    masked = np.where(label == 255, np.uint8(255), prediction)
    areas = np.zeros((3, len(CLASSES)), np.int64)
    for row, column in np.ndindex(*label.shape):
        if label[row, column] == 255:
            continue
        in_label = plain_near(label, row, column, distance, frame=own_band)
        in_own = plain_near(masked, row, column, distance, frame=True) if own_band else in_label
        truth, guess = label[row, column], prediction[row, column]
        areas[0, truth] += in_label and in_own and truth == guess
        areas[1, guess] += in_own
        areas[2, truth] += in_label
    return areas


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_areas_equal_a_plain_loop(seed: int, blocks: int) -> None:
    prediction, label = draw_maps(seed, 11, 14, blocks)
    areas, _ = measured([(prediction, label)])
    bands = [
        (areas.boundary[index], width, True) for index, width in enumerate(band_widths(11, 14))
    ]
    bands += [(areas.trimap[index], radius, False) for index, radius in enumerate(RADII[:3])]
    for counts, distance, own_band in bands:
        expected = plain_areas(prediction, label, distance, own_band)
        assert counts.intersection[0].tolist() == expected[0].tolist()
        assert counts.prediction[0].tolist() == expected[1].tolist()
        assert counts.label[0].tolist() == expected[2].tolist()


def test_boundary_iou_equals_eroded_masks_class_by_class() -> None:
    prediction, label = draw_maps(3, 240, 320, 24)
    label[label == 255] = 0
    areas, _ = measured([(prediction, label)])

    def band(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
        framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        inner = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
        return mask & (inner == 0)

    for index, width in enumerate(band_widths(240, 320)):
        expected = []
        for k in range(len(CLASSES)):
            ours, theirs = band(prediction == k, width), band(label == k, width)
            expected.append((ours & theirs).sum() / (ours | theirs).sum())
        value = scores(areas, None, CLASSES)["boundary_iou"][str(RATIOS[index])]
        assert value == pytest.approx(np.mean(expected), rel=1e-12)


def test_band_widths_follow_the_diagonal_and_are_at_least_one() -> None:
    assert band_widths(360, 480) == [3, 12]
    assert band_widths(10, 10) == [1, 1]


def test_a_shifted_square_has_the_trimap_iou_of_its_band() -> None:
    label = np.zeros((40, 40), np.uint8)
    label[10:30, 10:30] = 1
    prediction = np.zeros((40, 40), np.uint8)
    prediction[10:30, 11:31] = 1
    values = scores(measured([(prediction, label)])[0], None, CLASSES)
    # Within 1 px: 76 pixels inside the contour, 84 outside; 20 of each are wrong.
    assert values["trimap_miou"]["1"] == pytest.approx((56 / 96 + 64 / 104) / 2)
    assert values["trimap_miou"]["16"] > values["trimap_miou"]["4"] > values["trimap_miou"]["1"]


def test_the_frame_is_a_contour_for_boundary_iou_only() -> None:
    values = np.zeros((9, 9), np.uint8)
    assert not near_contour(values, 2, frame=False).any()
    assert near_contour(values, 2, frame=True).sum() == 81 - 25


def test_a_band_wider_than_the_image_is_all_of_it() -> None:
    values = np.zeros((3, 5), np.uint8)
    values[0, 0] = 1
    assert near_contour(values, 16, frame=True).all()
    assert near_contour(values, 16, frame=False).all()
