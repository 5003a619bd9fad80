"""AT against a plain loop over pixels, and its invariances."""

import pytest
import torch
from distiller_cases import (
    Case,
    assert_all_ignored_is_zero,
    assert_keeps_differ,
    assert_masks,
    assert_same,
    build,
    gradcheck,
    make_case,
    small_labels,
)
from torch import Tensor

from segdistill.distill import View


def reference(case: Case, tap: str, weight: float, mask: bool) -> dict[str, Tensor]:
    labels, total, count = small_labels(case), torch.zeros((), dtype=torch.float64), 0
    for image in range(len(labels)):
        places = [
            (y, x)
            for y in range(labels.shape[1])
            for x in range(labels.shape[2])
            if not mask or labels[image, y, x] != 255
        ]
        attention = []
        for view in (case.student, case.teacher):
            feature = view.taps[tap][image]
            energy = [sum(v**2 for v in feature[:, y, x]) / len(feature) for y, x in places]
            norm = torch.stack(energy).square().sum().sqrt()
            attention.append([e / norm for e in energy])
        total = total + sum((s - t) ** 2 for s, t in zip(*attention, strict=True))
        count += len(places)
    return {"attention": weight * total / count}


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("tap", ["head.embedding", "backbone.4"])
def test_agrees_with_plain_loops(ignore: str, tap: str) -> None:
    case = make_case()
    method = build("at", case, weight=7.0, tap=tap, ignore=ignore)
    expected = reference(case, tap, 7.0, ignore == "mask")
    assert_same(case.terms(method), expected, case.leaves())


def test_taps_exactly_one_map_and_none_at_weight_zero() -> None:
    case = make_case()
    assert build("at", case).student_taps == ("head.embedding",)
    off = build("at", case, weight=0)
    assert off.student_taps == off.teacher_taps == ()
    assert case.terms(off) == {}


def test_scaling_a_feature_changes_nothing() -> None:
    case = make_case()
    scaled = View(case.student.logits, {k: 3.0 * v for k, v in case.student.taps.items()})
    method = build("at", case)
    torch.testing.assert_close(
        Case(scaled, case.teacher, case.labels).terms(method), case.terms(method)
    )


def test_is_zero_for_a_dead_student_and_teacher() -> None:
    case = make_case()
    dead = View(case.student.logits, {k: 0.0 * v for k, v in case.student.taps.items()})
    assert Case(dead, dead, case.labels).terms(build("at", case))["attention"].item() == 0


def test_teacher_of_another_size_is_resized_first() -> None:
    case = make_case()
    large = {
        k: v.repeat_interleave(2, 2).repeat_interleave(2, 3) for k, v in case.teacher.taps.items()
    }
    teacher = View(case.teacher.logits, large)
    # Bilinear at half the size averages each 2 x 2 block, which gives the small map back.
    torch.testing.assert_close(
        Case(case.student, teacher, case.labels).terms(build("at", case)),
        case.terms(build("at", case)),
    )


def test_mask() -> None:
    assert_masks("at")
    assert_keeps_differ("at")
    assert_all_ignored_is_zero("at")


def test_gradient() -> None:
    gradcheck("at", weight=1.0)
