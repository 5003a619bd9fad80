"""Af-DCD's contrastive term against plain loops over patches, positions and groups."""

import math

import pytest
import torch
from distiller_cases import (
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

from baselines.afdcd import distances

ONLY = {"kd_weight": 0, "feature_weight": 0}


def pooled(image: Tensor, counted: Tensor, pool: int) -> dict[tuple[int, int], Tensor]:
    """Max over counted pixels of each window; windows without any are absent."""
    _, height, width = image.shape
    cells = {}
    for y in range(math.ceil(height / pool)):
        for x in range(math.ceil(width / pool)):
            rows, columns = slice(y * pool, (y + 1) * pool), slice(x * pool, (x + 1) * pool)
            values = image[:, rows, columns][:, counted[rows, columns]]
            if values.numel():
                cells[y, x] = values.max(dim=1).values
    return cells


def contrast(
    student: Tensor,
    teacher: Tensor,
    counted: Tensor,
    groups: int,
    pool: int,
    patch: int,
    tau: float,
) -> Tensor:
    losses, positions = [], 0
    for n in range(len(student)):
        own, other = (pooled(maps[n], counted[n], pool) for maps in (student, teacher))
        positions += len(own)
        for place, vector in own.items():
            corner = place[0] // patch, place[1] // patch
            mates = [p for p in other if (p[0] // patch, p[1] // patch) == corner]
            for group, part in enumerate(vector.chunk(groups)):
                positive = -(part - other[place].chunk(groups)[group]).abs().sum() / tau
                negatives = [
                    -(part - rival).abs().sum() / tau
                    for mate in mates
                    for index, rival in enumerate(other[mate].chunk(groups))
                    if index != group
                ]
                scores = torch.stack([positive, *negatives])
                losses.append(scores.exp().sum().log() - positive)
    return sum(losses) / positions


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize(
    ("size", "pool", "patch"), [((8, 8), 2, 2), ((5, 7), 2, 2), ((3, 4), 1, 4)]
)
def test_contrast_agrees_with_plain_loops(
    ignore: str, size: tuple[int, int], pool: int, patch: int
) -> None:
    case = make_case(widths=(3, 4), size=size)
    parted = {"groups": 2, "pool": pool, "patch": patch, "temperature": 0.7}
    method = build("afdcd", case, contrast_weight=3.0, ignore=ignore, **parted, **ONLY)
    counted = small_labels(case) != 255
    valid = counted if ignore == "mask" else None
    if valid is None:
        counted = torch.ones_like(counted)
    torch.manual_seed(5)
    feature = case.student.taps["backbone.4"]
    if valid is not None:
        feature = feature.masked_fill(~valid[:, None], 0)
    generated = method.generator(feature, valid)
    expected = contrast(generated, case.teacher.taps["backbone.4"], counted, 2, pool, patch, 0.7)
    leaves = [*case.leaves(), *method.parameters()]
    assert_same(case.terms(method), {"contrast": 3.0 * expected}, leaves)


def test_feature_term_is_mgd_and_kd_term_is_kd() -> None:
    case = make_case()
    terms = case.terms(build("afdcd", case, contrast_weight=0, feature_weight=2e-5))
    mgd, kd = build("mgd", case), build("kd", case)
    torch.testing.assert_close(terms["feature"], case.terms(mgd)["generation"])
    torch.testing.assert_close(terms["kd"], case.terms(kd)["pixel"])


def test_equal_widths_work() -> None:
    # The published code builds its alignment only for unequal widths and calls it always.
    case = make_case(widths=(4, 4))
    assert set(case.terms(build("afdcd", case))) == {"kd", "feature", "contrast"}


@pytest.mark.parametrize(("width", "groups"), [(32, 16), (40, 10), (7, 7), (17, 1), (1, 1)])
def test_groups_fall_to_a_divisor_of_the_width(width: int, groups: int) -> None:
    assert build("afdcd", make_case(widths=(3, width))).groups == groups


def test_one_group_has_no_negative_and_costs_nothing() -> None:
    case = make_case(widths=(3, 1))
    assert case.terms(build("afdcd", case, **ONLY))["contrast"].item() == 0


def test_weights_zero_build_nothing() -> None:
    case = make_case()
    method = build("afdcd", case, feature_weight=0, contrast_weight=0)
    assert method.student_taps == ()
    assert list(method.parameters()) == []
    assert set(case.terms(method)) == {"kd"}


@pytest.mark.parametrize("option", ["temperature", "groups", "pool", "patch"])
def test_rejects_options_that_are_not_positive(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        build("afdcd", make_case(), **{option: 0})


@pytest.mark.parametrize("numbers", [1, 2 * 6**2 * 5, 10**9])
def test_some_patches_at_a_time_are_all_of_them(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit by bit; no call's gradient holds more than `numbers` differences, or one patch's."""
    torch.manual_seed(0)
    own, other = (torch.randn(7, 6, 5, requires_grad=True) for _ in range(2))
    expected = torch.cdist(own, other, p=1.0)
    upstream = torch.randn_like(expected)
    slopes = torch.autograd.grad(expected, (own, other), upstream)
    held: list[int] = []

    def watched(some: Tensor, others: Tensor, p: float) -> Tensor:
        held.append(some.numel() * others.shape[1])
        return cdist(some, others, p=p)

    cdist = torch.cdist
    monkeypatch.setattr(torch, "cdist", watched)
    monkeypatch.setattr("baselines.afdcd.DIFFERENCES", numbers)
    found = distances(own, other)
    assert max(held) <= max(numbers, 6**2 * 5)
    assert torch.equal(found, expected)
    for slope, other_slope in zip(
        torch.autograd.grad(found, (own, other), upstream), slopes, strict=True
    ):
        assert torch.equal(slope, other_slope)


def test_mask() -> None:
    assert_masks("afdcd")
    assert_keeps_differ("afdcd")
    assert_all_ignored_is_zero("afdcd")


def test_gradient() -> None:
    gradcheck("afdcd", temperature=1.0, pool=1, patch=2, groups=2)
