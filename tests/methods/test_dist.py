"""DIST against a plain loop over rows and columns of the probabilities."""

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


def pearson(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - sum(a) / len(a), b - sum(b) / len(b)
    return sum(a * b) / (sum(a * a).sqrt() * sum(b * b).sqrt() + 1e-8)


def reference(case: Case, temperature: float, mask: bool) -> tuple[Tensor, Tensor]:
    labels, rows = small_labels(case), ([], [])
    for n, y, x in torch.cartesian_prod(*(torch.arange(length) for length in labels.shape)):
        if not mask or labels[n, y, x] != 255:
            for pixels, view in zip(rows, (case.student, case.teacher), strict=True):
                powers = (view.logits[n, :, y, x] / temperature).exp()
                pixels.append(powers / sum(powers))
    own, other = (torch.stack(pixels) for pixels in rows)
    inter = [pearson(s, t) for s, t in zip(own, other, strict=True)]
    intra = [pearson(s, t) for s, t in zip(own.T, other.T, strict=True)]
    return 1 - sum(inter) / len(inter), 1 - sum(intra) / len(intra)


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_agrees_with_plain_loops(ignore: str, temperature: float) -> None:
    case = make_case()
    method = build(
        "dist", case, weight=2.0, beta=3.0, gamma=0.5, temperature=temperature, ignore=ignore
    )
    inter, intra = reference(case, temperature, ignore == "mask")
    assert_same(case.terms(method), {"inter": 6.0 * inter, "intra": intra}, case.leaves())


def test_equal_logits_up_to_an_offset_per_pixel_cost_nothing() -> None:
    case = make_case()
    shifted = View(case.student.logits + torch.arange(5.0).double(), case.student.taps)
    terms = Case(case.student, shifted, case.labels).terms(build("dist", case))
    for term in terms.values():
        assert abs(term.item()) < 1e-6  # the published epsilon leaves 1e-8 / |p|^2


def test_a_term_of_weight_zero_is_absent() -> None:
    case = make_case()
    assert set(case.terms(build("dist", case, beta=0))) == {"intra"}
    assert set(case.terms(build("dist", case, gamma=0))) == {"inter"}
    assert case.terms(build("dist", case, weight=0)) == {}


def test_one_image_of_one_pixel_has_a_gradient() -> None:
    # Ports that correlate over the batch axis have gradient 0 for N = 1.
    case = make_case(images=1, size=(1, 1), ignored=0)
    terms = case.terms(build("dist", case))
    assert torch.autograd.grad(terms["inter"], case.student.logits)[0].abs().sum() > 0


def test_rejects_a_temperature_of_zero() -> None:
    case = make_case()
    with pytest.raises(ValueError, match="temperature"):
        case.terms(build("dist", case, temperature=0))


def test_mask() -> None:
    assert_masks("dist")
    assert_keeps_differ("dist")
    assert_all_ignored_is_zero("dist")


def test_gradient() -> None:
    gradcheck("dist")
