"""Components, their sizes, and their recall and IoU in cases done by hand."""

import numpy as np
import pytest
from metric_cases import CLASSES, Bytes, draw_maps, measured
from scipy import ndimage

from segdistill.evaluation.scores import scores
from segdistill.evaluation.small_objects import components, size_bins


def scene() -> Bytes:
    """A 100 x 100 road with a 4 x 4 car and a speck of one tree pixel."""
    label = np.zeros((100, 100), np.uint8)
    label[20:24, 40:44] = 3
    label[60, 60] = 2
    return label


def test_rows_of_a_scene_done_by_hand() -> None:
    label = scene()
    prediction = np.zeros_like(label)
    prediction[20:24, 42:45] = 3  # half of the car is found, one column too many
    areas, _ = measured([(prediction, label)])
    # The boxes grow by 1 on every side: 6 x 6 for the car, 3 x 3 for the speck.
    assert areas.objects.tolist() == [
        [0, 0, 2, 9983, 9979, 9979, 9992],
        [0, 2, 0, 1, 0, 0, 1],
        [0, 3, 1, 16, 8, 8, 20],
    ]


def test_recall_counts_objects_with_half_their_pixels_right() -> None:
    label = scene()
    prediction = np.zeros_like(label)
    prediction[20:24, 42:45] = 3
    values = scores(measured([(prediction, label)])[0], None, CLASSES)["small_objects"]
    assert values["tiny"] == {"count": 1, "recall": 0.0, "iou": 0.0}
    assert values["small"] == {"count": 1, "recall": 1.0, "iou": 8 / 20}
    assert values["large"]["count"] == 1
    prediction[20, 42] = 0  # 7 of 16 pixels
    values = scores(measured([(prediction, label)])[0], None, CLASSES)["small_objects"]
    assert values["small"]["recall"] == 0.0


def test_the_middle_bin_owns_both_its_ends() -> None:
    pixels = np.array([9, 10, 100, 101])
    assert size_bins(pixels, 10_000).tolist() == [0, 1, 1, 2]


def test_boxes_grow_by_a_quarter_a_side_and_stop_at_the_frame() -> None:
    label = np.zeros((20, 20), np.uint8)
    label[0:4, 10:15] = 1
    found = components(label)
    assert found.boxes[found.classes == 1].tolist() == [[0, 5, 8, 17]]
    assert found.boxes[found.classes == 0].tolist() == [[0, 20, 0, 20]]


def test_components_equal_those_of_scipy() -> None:
    for seed in range(6):
        _, label = draw_maps(seed, 30, 40, 2)
        found = components(label)
        expected = []
        for index in range(len(CLASSES)):
            ids, count = ndimage.label(label == index, structure=np.ones((3, 3)))
            expected += [(index, int((ids == part).sum())) for part in range(1, count + 1)]
        ours = zip(found.classes.tolist(), found.pixels.tolist(), strict=True)
        assert sorted(ours) == sorted(expected)
        for row, pixels in enumerate(found.pixels):
            inside = found.ids == row + 1
            assert inside.sum() == pixels
            assert set(label[inside].tolist()) == {found.classes[row]}
        assert ((found.ids == 0) == (label == 255)).all()


def test_diagonal_pixels_are_one_object() -> None:
    label = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
    found = components(label)
    assert found.pixels[found.classes == 1].tolist() == [3]
    assert sum(found.pixels[found.classes == 0]) == 6


def test_a_bin_without_objects_has_no_score() -> None:
    label = np.zeros((10, 10), np.uint8)
    values = scores(measured([(label, label)])[0], None, CLASSES)["small_objects"]
    assert values["tiny"] == {"count": 0, "recall": None, "iou": None}
    assert values["large"] == {"count": 1, "recall": pytest.approx(1.0), "iou": pytest.approx(1.0)}
