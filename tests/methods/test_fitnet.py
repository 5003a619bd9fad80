"""FitNet against a plain loop over pixels."""

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


def reference(case: Case, matrix: Tensor, weight: float, mask: bool) -> dict[str, Tensor]:
    labels, squares = small_labels(case), []
    own, other = (view.taps["head.embedding"] for view in (case.student, case.teacher))
    for n, y, x in torch.cartesian_prod(*(torch.arange(length) for length in labels.shape)):
        if not mask or labels[n, y, x] != 255:
            squares.extend((matrix @ own[n, :, y, x] - other[n, :, y, x]).square())
    return {"hint": weight * sum(squares) / len(squares)}


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("widths", [(3, 5), (4, 4)])
def test_agrees_with_plain_loops(ignore: str, widths: tuple[int, int]) -> None:
    case = make_case(widths=widths)
    method = build("fitnet", case, weight=7.0, ignore=ignore)
    matrix = method.adapter.weight[:, :, 0, 0]
    expected = reference(case, matrix, 7.0, ignore == "mask")
    leaves = [*case.leaves(), *method.parameters()]
    assert_same(case.terms(method), expected, leaves)


def test_is_zero_where_the_regressor_gives_the_teacher() -> None:
    case = make_case(widths=(4, 4))
    method = build("fitnet", case)
    with torch.no_grad():
        method.adapter.weight.copy_(torch.eye(4, dtype=torch.float64)[:, :, None, None])
    assert Case(case.student, case.student, case.labels).terms(method)["hint"].item() == 0


def test_has_neither_tap_nor_parameter_at_weight_zero() -> None:
    case = make_case()
    off = build("fitnet", case, weight=0)
    assert off.student_taps == ()
    assert list(off.parameters()) == []
    assert case.terms(off) == {}


def test_mask() -> None:
    assert_masks("fitnet")
    assert_keeps_differ("fitnet")
    assert_all_ignored_is_zero("fitnet")


def test_gradient() -> None:
    gradcheck("fitnet")
