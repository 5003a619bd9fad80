"""KD against a loop over pixels in float64."""

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


def reference(case: Case, temperature: float, mask: bool) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    images, _, height, width = case.student.logits.shape
    for n in range(images):
        for y in range(height):
            for x in range(width):
                if mask and small_labels(case)[n, y, x] == 255:
                    continue
                own = torch.softmax(case.student.logits[n, :, y, x] / temperature, dim=0)
                other = torch.softmax(case.teacher.logits[n, :, y, x] / temperature, dim=0)
                total = total + (other * (other / own).log()).sum()
                count += 1
    return temperature**2 * total / count


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_reference(temperature: float, ignore: str) -> None:
    case = make_case()
    method = build("kd", case, weight=3.0, temperature=temperature, ignore=ignore)
    expected = {"pixel": 3 * reference(case, temperature, ignore == "mask")}
    assert_same(case.terms(method), expected, case.leaves())


def test_identical_logits_cost_nothing() -> None:
    case = make_case()
    same = case._replace(teacher=case.student)
    assert same.terms(build("kd", case))["pixel"].item() == pytest.approx(0, abs=1e-15)


def test_gradient() -> None:
    gradcheck("kd", temperature=2.0, ignore="mask")


def test_ignored_pixels() -> None:
    assert_masks("kd")
    assert_keeps_differ("kd")
    assert_all_ignored_is_zero("kd")


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_is_not_positive_is_refused(temperature: float) -> None:
    case = make_case()
    with pytest.raises(ValueError, match="temperature must be positive"):
        case.terms(build("kd", case, temperature=temperature))
