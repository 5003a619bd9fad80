"""mIoU and accuracy against torchmetrics, mmsegmentation and their own invariances."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from metric_cases import CLASSES, Bytes, draw_maps, measured, seeds

from segdistill.evaluation.iou import confusion_matrix
from segdistill.evaluation.scores import scores
from segdistill.models import vision  # noqa: F401  torchmetrics and mmseg import torchvision


def score(pairs: list[tuple[Bytes, Bytes]]) -> dict[str, Any]:
    areas, confusion = measured(pairs)
    return scores(areas, confusion, CLASSES)


def test_confusion_has_labels_in_rows_and_skips_ignored_pixels() -> None:
    label = np.array([[0, 0, 1], [1, 255, 2]], np.uint8)
    prediction = np.array([[0, 1, 1], [1, 2, 0]], np.uint8)
    expected = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert confusion_matrix(prediction, label, 3).tolist() == expected


def test_scores_of_a_case_done_by_hand() -> None:
    label = np.array([[0, 0, 1], [1, 255, 1]], np.uint8)
    prediction = np.array([[0, 1, 1], [1, 2, 0]], np.uint8)
    values = score([(prediction, label)])
    assert values["iou"] == {"road": 1 / 3, "sky": 2 / 4, "tree": None, "car": None}
    assert values["miou"] == pytest.approx((1 / 3 + 2 / 4) / 2, abs=1e-15)
    assert values["pixel_accuracy"] == 3 / 5
    assert values["absent_classes"] == ["tree", "car"]


def test_a_class_never_labelled_still_costs_the_class_it_replaces() -> None:
    label = np.zeros((2, 2), np.uint8)
    prediction = np.array([[0, 0], [0, 3]], np.uint8)
    assert score([(prediction, label)])["miou"] == 0.75


def test_all_ignored_leaves_every_fraction_undefined() -> None:
    label, prediction = np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.uint8)
    values = score([(prediction, label)])
    assert values["miou"] is values["pixel_accuracy"] is values["image_miou"] is None
    assert values["worst5_miou"] is None
    assert set(values["boundary_iou"].values()) == set(values["trimap_miou"].values()) == {None}
    assert values["absent_classes"] == list(CLASSES)


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_miou_equals_torchmetrics(drawn: list[int]) -> None:
    from torchmetrics.classification import MulticlassJaccardIndex

    pairs = [draw_maps(seed) for seed in drawn]
    index = MulticlassJaccardIndex(len(CLASSES), ignore_index=255, average="none")
    for prediction, label in pairs:
        index.update(torch.from_numpy(prediction)[None].int(), torch.from_numpy(label)[None].int())
    ours = score(pairs)
    theirs = index.compute().double().tolist()
    expected = [theirs[k] for k, name in enumerate(CLASSES) if name not in ours["absent_classes"]]
    assert [value for value in ours["iou"].values() if value is not None] == pytest.approx(expected)
    assert ours["miou"] == pytest.approx(np.mean(expected))


def test_areas_equal_those_of_mmsegmentation() -> None:
    from mmseg.evaluation.metrics import IoUMetric

    for seed in range(5):
        prediction, label = draw_maps(seed)
        areas, _ = measured([(prediction, label)])
        theirs = IoUMetric.intersect_and_union(
            torch.from_numpy(prediction), torch.from_numpy(label), len(CLASSES), 255
        )
        ours = (areas.intersection, areas.pixels.union, areas.prediction, areas.label)
        for part, other in zip(ours, theirs, strict=True):
            assert part[0].tolist() == other.tolist()


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_a_perfect_prediction_scores_one_everywhere(drawn: list[int]) -> None:
    labels = [draw_maps(seed)[1] for seed in drawn]
    values = score([(np.where(label == 255, np.uint8(1), label), label) for label in labels])
    perfect = [values[key] for key in ("miou", "pixel_accuracy", "image_miou", "worst5_miou")]
    perfect += [*values["boundary_iou"].values(), *values["trimap_miou"].values()]
    for size in values["small_objects"].values():
        perfect += [size["recall"], size["iou"]] if size["count"] else []
    assert set(perfect) == {1.0}


@settings(deadline=None, max_examples=10)
@given(seeds)
def test_the_order_of_images_changes_no_score(drawn: list[int]) -> None:
    pairs = [draw_maps(seed) for seed in drawn]
    forward, backward = score(pairs), score(pairs[::-1])
    assert flat(forward) == pytest.approx(flat(backward), rel=1e-12)


@settings(deadline=None, max_examples=10)
@given(seeds, seeds)
def test_areas_of_a_split_are_the_sums_of_its_parts(first: list[int], second: list[int]) -> None:
    halves = [[draw_maps(seed) for seed in drawn] for drawn in (first, second)]
    both, _ = measured([*halves[0], *halves[1]])
    parts = [measured(half)[0] for half in halves]
    for group in ("pixels", "boundary", "trimap"):
        for part in ("intersection", "prediction", "label"):
            whole = getattr(getattr(both, group).total(), part)
            sums = [getattr(getattr(areas, group).total(), part) for areas in parts]
            np.testing.assert_array_equal(whole, sums[0] + sums[1])
    assert len(both.objects) == sum(len(areas.objects) for areas in parts)


@settings(deadline=None, max_examples=10)
@given(seeds)
def test_renaming_classes_permutes_their_iou_and_keeps_the_means(drawn: list[int]) -> None:
    pairs = [draw_maps(seed) for seed in drawn]
    renamed = np.arange(256, dtype=np.uint8)
    renamed[:4] = 2, 0, 3, 1
    before = score(pairs)
    after = score([(renamed[prediction], renamed[label]) for prediction, label in pairs])
    for old, name in enumerate(CLASSES):
        assert after["iou"][CLASSES[renamed[old]]] == before["iou"][name]
    for key in ("iou", "absent_classes"):
        before.pop(key), after.pop(key)
    assert flat(after) == pytest.approx(flat(before), rel=1e-12)


@settings(deadline=None, max_examples=10)
@given(seeds)
def test_predictions_on_ignored_pixels_count_nowhere(drawn: list[int]) -> None:
    pairs = [draw_maps(seed) for seed in drawn]
    other = [
        (np.where(label == 255, (prediction + 1) % 4, prediction).astype(np.uint8), label)
        for prediction, label in pairs
    ]
    assert score(pairs) == score(other)


def test_image_miou_and_the_worst_images() -> None:
    label = np.zeros((1, 10), np.uint8)
    pairs = []
    for wrong in range(21):
        prediction = label.copy()
        prediction[0, : wrong % 10] = 1
        pairs.append((prediction, label))
    shares = sorted(1 - (wrong % 10) / 10 for wrong in range(21))
    values = score(pairs)
    assert values["image_miou"] == pytest.approx(np.mean(shares))
    assert values["worst5_miou"] == pytest.approx(np.mean(shares[:2]))  # ceil(0.05 * 21) = 2


def test_the_worst_twentieth_of_twenty_images_is_one() -> None:
    label = np.zeros((1, 20), np.uint8)
    predictions = [label.copy() for _ in range(20)]
    for wrong, prediction in enumerate(predictions):
        prediction[0, :wrong] = 1
    values = score([(prediction, label) for prediction in predictions])
    assert values["worst5_miou"] == pytest.approx(1 / 20)


def test_a_confusion_matrix_of_other_pixels_is_refused() -> None:
    areas, confusion = measured([draw_maps(0)])
    confusion[0, 1] += 1
    with pytest.raises(ValueError, match="confusion matrix and areas differ"):
        scores(areas, confusion, CLASSES)
    with pytest.raises(ValueError, match="areas of 4 classes, but 2 names"):
        scores(areas, None, ("a", "b"))


def flat(value: Any) -> list[float]:
    """All numbers of nested dicts in order, None as -1."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in flat(part)]
    if isinstance(value, list):
        return []
    return [-1.0 if value is None else value]
