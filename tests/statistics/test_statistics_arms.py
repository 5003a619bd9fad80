"""Arms: mIoU of every seed, its influence per image, and what may be paired."""

import numpy as np
import pytest
from metric_cases import CLASSES, draw_maps, measured

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.scores import scores
from segdistill.statistics import Arm, arm_of
from segdistill.statistics.arms import pair


def evaluation(seed: int, images: int = 4) -> Areas:
    """Another network for every `seed`, always the same labels."""
    rng = np.random.default_rng(seed)
    pairs = []
    for image in range(images):
        prediction, label = draw_maps(image)
        noise = rng.integers(0, 4, label.shape).astype(np.uint8)
        pairs.append((np.where(rng.random(label.shape) < 0.2, noise, prediction), label))
    return measured(pairs)[0]


def without_image(arm: Arm, image: int) -> Arm:
    keep = [index for index in range(len(arm.names)) if index != image]
    names = tuple(arm.names[index] for index in keep)
    return Arm(arm.seeds, names, arm.intersection[:, keep], arm.union[:, keep], arm.label[keep])


def test_mious_are_those_of_the_scores() -> None:
    areas = {seed: evaluation(seed) for seed in (3, 1)}
    arm = arm_of(areas)
    assert arm.seeds == (1, 3)
    expected = [scores(areas[seed], None, CLASSES)["miou"] for seed in (1, 3)]
    assert arm.mious() == pytest.approx(expected, rel=1e-14)


def test_influences_are_the_jackknife_and_average_to_the_miou() -> None:
    arm = arm_of({seed: evaluation(seed) for seed in (0, 1)})
    images = len(arm.names)
    left_out = np.stack([without_image(arm, image).mious() for image in range(images)], axis=1)
    pseudo = images * arm.mious()[:, None] - (images - 1) * left_out
    centred = pseudo - pseudo.mean(axis=1, keepdims=True) + arm.mious()[:, None]
    np.testing.assert_allclose(arm.influences(), centred, rtol=1e-12)
    np.testing.assert_allclose(arm.influences().mean(axis=1), arm.mious(), rtol=1e-14)


def test_a_class_that_one_image_shows_moves_nothing() -> None:
    intersection = np.array([[[5, 3], [6, 0]]])
    union = np.array([[[10, 9], [10, 0]]])
    arm = Arm((0,), ("a", "b"), intersection, union, np.array([[10, 9], [10, 0]]))
    alone = Arm((0,), ("a", "b"), intersection[..., :1], union[..., :1], arm.label[:, :1])
    spread = arm.influences() - arm.mious()[:, None]
    expected = (alone.influences() - alone.mious()[:, None]) / 2
    np.testing.assert_allclose(spread, expected, atol=1e-15)


def test_an_absent_class_is_in_no_mean_though_it_was_predicted() -> None:
    arm = Arm((0,), ("a",), np.array([[[8, 0]]]), np.array([[[10, 2]]]), np.array([[10, 0]]))
    assert arm.mious().tolist() == [0.8]


def test_other_areas_can_be_picked() -> None:
    areas = evaluation(0)
    arm = arm_of({0: areas}, lambda one: one.boundary[1])
    expected = scores(areas, None, CLASSES)["boundary_iou"]["0.02"]
    assert arm.mious()[0] == pytest.approx(expected, rel=1e-14)


def test_pairing_keeps_the_shared_seeds() -> None:
    ours = arm_of({seed: evaluation(seed) for seed in (0, 2, 3)})
    theirs = arm_of({seed: evaluation(10 + seed) for seed in (1, 2, 3)})
    first, second = pair(ours, theirs)
    assert first.seeds == second.seeds == (2, 3)
    np.testing.assert_array_equal(first.mious(), ours.mious()[1:])
    np.testing.assert_array_equal(second.mious(), theirs.mious()[1:])


def test_other_images_are_refused() -> None:
    with pytest.raises(SuiteError, match="seeds 0 and 1 were scored on other images"):
        arm_of({0: evaluation(0), 1: evaluation(1, images=3)})
    with pytest.raises(SuiteError, match="two methods were scored on other images"):
        pair(arm_of({0: evaluation(0)}), arm_of({0: evaluation(0, images=3)}))
