"""CWD against a loop over images and channels in float64."""

from typing import Any

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

TAP = "head.embedding"


def reference(case: Case, own: Tensor, other: Tensor, temperature: float, mask: bool) -> Tensor:
    images, channels = own.shape[:2]
    total = torch.zeros((), dtype=torch.float64)
    for n in range(images):
        kept = small_labels(case)[n] != 255 if mask else torch.ones(own.shape[2:], dtype=torch.bool)
        for c in range(channels):
            student = torch.softmax(own[n, c][kept] / temperature, dim=0)
            teacher = torch.softmax(other[n, c][kept] / temperature, dim=0)
            total = total + (teacher * (teacher / student).log()).sum()
    return temperature**2 / (images * channels) * total


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_logits(temperature: float, ignore: str) -> None:
    case = make_case()
    method = build("cwd", case, weight=2.0, temperature=temperature, ignore=ignore)
    maps = case.student.logits, case.teacher.logits
    expected = {"channel": 2 * reference(case, *maps, temperature, ignore == "mask")}
    assert method.student_taps == ()
    assert_same(case.terms(method), expected, case.leaves())


@pytest.mark.parametrize("ignore", ["keep", "mask"])
def test_features_of_unequal_width_are_divided_by_the_teacher_s(ignore: str) -> None:
    case = make_case(widths=(3, 5))
    method = build("cwd", case, weight=50.0, temperature=1.0, tap=TAP, ignore=ignore)
    weight: Tensor = method.adapter.weight  # type: ignore[union-attr, assignment]
    assert method.adapter.bias is None  # type: ignore[union-attr]
    adapted = torch.einsum("dc,nchw->ndhw", weight[:, :, 0, 0], case.student.taps[TAP])
    expected = {
        "channel": 50 * reference(case, adapted, case.teacher.taps[TAP], 1.0, ignore == "mask")
    }
    assert_same(case.terms(method), expected, [*case.leaves(), weight])


def test_equal_widths_need_no_adapter() -> None:
    case = make_case(widths=(4, 4))
    assert list(build("cwd", case, tap=TAP).parameters()) == []


def test_images_without_a_valid_pixel_count_0() -> None:
    case = make_case(images=2)
    case.labels[1] = 255
    alone = Case(
        case.student._replace(logits=case.student.logits[:1]),
        case.teacher._replace(logits=case.teacher.logits[:1]),
        case.labels[:1],
    )
    method = build("cwd", case, ignore="mask")
    torch.testing.assert_close(case.terms(method)["channel"], alone.terms(method)["channel"] / 2)


@pytest.mark.parametrize("options", [{}, {"tap": TAP}])
def test_gradient(options: dict[str, Any]) -> None:
    gradcheck("cwd", ignore="mask", **options)


@pytest.mark.parametrize("options", [{}, {"tap": TAP}])
def test_ignored_pixels(options: dict[str, Any]) -> None:
    assert_masks("cwd", **options)
    assert_keeps_differ("cwd", **options)
    assert_all_ignored_is_zero("cwd", **options)
