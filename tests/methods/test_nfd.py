"""NFD against a plain loop over images and channels, and what its normalisation ignores."""

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


def standard(values: Tensor) -> Tensor:
    centred = values - sum(values) / len(values)
    return centred / (sum(centred * centred) / len(values)).sqrt()


def reference(case: Case, matrix: Tensor | None, mask: bool) -> Tensor:
    labels, squares = small_labels(case), []
    own, other = (view.taps["head.embedding"] for view in (case.student, case.teacher))
    if matrix is not None:
        own = torch.einsum("ds,nshw->ndhw", matrix, own)
    for n in range(len(own)):
        counted = labels[n] != 255 if mask else torch.ones_like(labels[n], dtype=torch.bool)
        for c in range(own.shape[1]):
            squares.extend((standard(own[n, c][counted]) - standard(other[n, c][counted])) ** 2)
    return sum(squares) / len(squares)


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("widths", [(3, 5), (4, 4)])
def test_agrees_with_plain_loops(ignore: str, widths: tuple[int, int]) -> None:
    case = make_case(widths=widths)
    method = build("nfd", case, weight=3.0, ignore=ignore)
    matrix = method.adapter.weight[:, :, 0, 0] if widths[0] != widths[1] else None
    expected = {"feature": 3.0 * reference(case, matrix, ignore == "mask")}
    assert_same(case.terms(method), expected, [*case.leaves(), *method.parameters()])


def test_scale_and_offset_of_a_channel_change_nothing() -> None:
    case = make_case(widths=(4, 4))
    taps = {k: v * 7.0 - 2.0 for k, v in case.student.taps.items()}
    moved = Case(View(case.student.logits, taps), case.teacher, case.labels)
    method = build("nfd", case)
    torch.testing.assert_close(moved.terms(method), case.terms(method))


def test_a_constant_channel_counts_as_zero() -> None:
    case = make_case(widths=(4, 4))
    flat = View(case.student.logits, {k: v * 0 + 1e4 for k, v in case.student.taps.items()})
    found = Case(flat, case.teacher, case.labels).terms(build("nfd", case))["feature"]
    # Z(s) = 0 and the mean of Z(t)^2 is 1 by construction.
    torch.testing.assert_close(found, torch.ones_like(found))


def test_weight_zero_builds_nothing() -> None:
    case = make_case()
    off = build("nfd", case, weight=0)
    assert off.student_taps == ()
    assert case.terms(off) == {}


def test_mask() -> None:
    assert_masks("nfd")
    assert_keeps_differ("nfd")
    assert_all_ignored_is_zero("nfd")


def test_gradient() -> None:
    gradcheck("nfd")
