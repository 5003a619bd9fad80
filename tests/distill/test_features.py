"""The pair of feature maps that the feature methods share, in closed forms."""

import pytest
import torch

from segdistill.distill import View
from segdistill.distill.features import feature_pair, position_mean


def view(maps: torch.Tensor) -> View:
    return View(torch.zeros(1, 2, 1, 1), {"backbone.4": maps})


def test_maps_are_widened_resized_and_masked() -> None:
    student = torch.full((1, 2, 1, 2), 3.0, dtype=torch.bfloat16)
    teacher = torch.tensor([[[[1.0, 1.0, 5.0, 5.0], [1.0, 1.0, 5.0, 5.0]]]], dtype=torch.float16)
    labels = torch.tensor([[[0, 0, 255, 255]]])
    pair = feature_pair(view(student), view(teacher), "backbone.4", labels, "mask")
    assert pair.student.dtype == pair.teacher.dtype == torch.float32
    assert pair.student.tolist() == [[[[3.0, 0.0]], [[3.0, 0.0]]]]
    assert pair.teacher.tolist() == [[[[1.0, 0.0]]]]
    assert pair.valid is not None
    assert pair.valid.tolist() == [[[True, False]]]


def test_keep_leaves_the_maps_alone() -> None:
    maps = torch.randn(1, 2, 3, 3, dtype=torch.float64)
    labels = torch.full((1, 6, 6), 255)
    pair = feature_pair(view(maps), view(maps), "backbone.4", labels, "keep")
    assert pair.student is maps
    assert pair.teacher is maps
    assert pair.valid is None


def test_masked_maps_have_no_gradient_where_nothing_counts() -> None:
    maps = torch.full((1, 1, 1, 2), torch.nan, requires_grad=True)
    labels = torch.tensor([[[255, 255]]])
    pair = feature_pair(view(maps), view(maps), "backbone.4", labels, "mask")
    (gradient,) = torch.autograd.grad(pair.student.square().sum(), maps)
    assert gradient.tolist() == [[[[0.0, 0.0]]]]


def test_position_mean_divides_by_what_counts() -> None:
    values = torch.tensor([[[[2.0, 4.0, 0.0]], [[6.0, 8.0, 0.0]]]])
    valid = torch.tensor([[[True, True, False]]])
    assert position_mean(values, None).item() == pytest.approx(20 / 6)
    assert position_mean(values, valid).item() == 5.0
    assert position_mean(values[:, 0], valid).item() == 3.0
    assert position_mean(values * 0, valid & False).item() == 0.0
