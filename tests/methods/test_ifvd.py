"""IFVD against a loop over images, classes and pixels in float64."""

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
ALONE = {"pixel_weight": 0.0, "holistic_weight": 0.0}


def cosines(features: Tensor, labels: Tensor) -> list[Tensor]:
    """Cosine of every labelled pixel's feature with its class's mean, image by image."""
    found = []
    for feature, label in zip(features, labels, strict=True):
        for k in label[label != 255].unique():
            pixels = feature[:, label == k].T
            mean = pixels.mean(dim=0)
            found += [pixel @ mean / (pixel.norm() * mean.norm()) for pixel in pixels]
    return found


def reference(case: Case, mask: bool) -> Tensor:
    labels = small_labels(case)
    own = cosines(case.student.taps[TAP], labels)
    other = cosines(case.teacher.taps[TAP], labels)
    squares = [(s - t) ** 2 for s, t in zip(own, other, strict=True)]
    return torch.stack(squares).sum() / (len(squares) if mask else labels.numel())


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("images", [1, 3])
def test_reference(images: int, ignore: str) -> None:
    case = make_case(images=images)
    method = build("ifvd", case, weight=7.0, ignore=ignore, **ALONE)
    expected = {"ifv": 7 * reference(case, ignore == "mask")}
    assert_same(case.terms(method), expected, case.leaves())


def test_one_pixel_a_class_costs_nothing() -> None:
    case = make_case(images=1, classes=20, size=(4, 5), ignored=0.0)
    labels = torch.arange(20).view(1, 4, 5).repeat_interleave(3, 1).repeat_interleave(3, 2)
    term = case._replace(labels=labels).terms(build("ifvd", case, **ALONE))["ifv"]
    assert term.item() == pytest.approx(0, abs=1e-15)


def test_a_dead_pixel_gets_no_gradient() -> None:
    case = make_case(ignored=0.0)
    with torch.no_grad():
        case.student.taps[TAP][0, :, 1, 2] = 0
    term = case.terms(build("ifvd", case, **ALONE))["ifv"]
    (gradient,) = torch.autograd.grad(term, case.student.taps[TAP])
    assert gradient.abs().max() < 1e3


def test_all_terms_and_their_weights() -> None:
    case = make_case(size=(8, 9))
    terms = case.terms(build("ifvd", case))
    assert terms.keys() == {"pixel", "ifv", "holistic"}
    pixel = case.terms(build("kd", case, weight=10.0))["pixel"]
    torch.testing.assert_close(terms["pixel"], pixel, rtol=1e-12, atol=0)


def test_gradient() -> None:
    gradcheck("ifvd", weight=1.0, **ALONE)


def test_ignored_pixels() -> None:
    assert_masks("ifvd", **ALONE)
    assert_keeps_differ("ifvd", **ALONE)
    assert_all_ignored_is_zero("ifvd", **ALONE)
