"""SKD's pair-wise term against loops over windows and node pairs in float64."""

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

from baselines.skd import pool_kernel, similarity_gap

TAP = "head.embedding"
ALONE = {"pixel_weight": 0.0, "holistic_weight": 0.0}


def windows(feature: Tensor, kept: Tensor, kernel: tuple[int, int], detach: bool) -> list[Tensor]:
    """The unit vectors of one image's nodes (C h w) that hold a kept position."""
    found = []
    for y in range(0, feature.shape[1], kernel[0]):
        for x in range(0, feature.shape[2], kernel[1]):
            inside = slice(y, y + kernel[0]), slice(x, x + kernel[1])
            pixels = feature[:, *inside][:, kept[inside]]
            if pixels.shape[1]:
                node = pixels.amax(dim=1)
                found.append(node / (node.detach() if detach else node).norm())
    return found


def reference(case: Case, kernel: tuple[int, int], detach: bool, mask: bool) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    maps = case.student.taps[TAP], case.teacher.taps[TAP], small_labels(case)
    for own, other, labels in zip(*maps, strict=True):
        kept = (labels != 255) | (not mask)
        student, teacher = (windows(image, kept, kernel, detach) for image in (own, other))
        for i in range(len(student)):
            for j in range(len(student)):
                gap = student[i] @ student[j] - teacher[i] @ teacher[j]
                total, count = total + gap**2, count + 1
    return total / count


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize(
    ("pool", "kernel"), [(1, (1, 1)), (2, (2, 2)), (3, (3, 3)), (0.5, (2, 2)), (0.9, (3, 4))]
)
def test_reference(pool: float, kernel: tuple[int, int], detach: bool, ignore: str) -> None:
    case = make_case()
    method = build("skd", case, pair_pool=pool, detach_norm=detach, ignore=ignore, **ALONE)
    expected = {"pair": reference(case, kernel, detach, ignore == "mask")}
    assert_same(case.terms(method), expected, case.leaves())


@pytest.mark.parametrize("nodes", [4, 40])
def test_both_forms_of_the_gap_agree(nodes: int) -> None:
    draw = torch.Generator().manual_seed(nodes)
    student, teacher = (
        torch.randn(2, width, nodes, dtype=torch.float64, generator=draw) for width in (3, 5)
    )
    student.requires_grad_()
    gap = student.transpose(1, 2) @ student - teacher.transpose(1, 2) @ teacher
    assert_same({"gap": similarity_gap(student, teacher)}, {"gap": gap.square().sum()}, [student])


def test_small_gaps_keep_their_digits_in_float32() -> None:
    draw = torch.Generator().manual_seed(0)
    teacher = torch.nn.functional.normalize(torch.randn(1, 8, 400, generator=draw), dim=1)
    student = teacher + 1e-3 * torch.randn(1, 8, 400, generator=draw)
    own, other = student.double(), teacher.double()
    expected = (own.transpose(1, 2) @ own - other.transpose(1, 2) @ other).square().sum()
    assert similarity_gap(student, teacher).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("pool", "kernel"),
    [(2, (2, 2)), (1.0, (1, 1)), (0.5, (7, 10)), (0.01, (1, 1)), (100, (100, 100))],
)
def test_pool_kernels(pool: float, kernel: tuple[int, int]) -> None:
    assert pool_kernel(pool, torch.Size((15, 20))) == kernel


@pytest.mark.parametrize("pool", [0, -1, 1.5, -0.5])
def test_other_pools_are_refused(pool: float) -> None:
    with pytest.raises(ValueError, match="pair_pool"):
        pool_kernel(pool, torch.Size((15, 20)))


@pytest.mark.parametrize("options", [{"pair_pool": 1}, {"pair_pool": 2}])
def test_gradient(options: dict[str, Any]) -> None:
    gradcheck("skd", **options, **ALONE)


@pytest.mark.parametrize("options", [{"pair_pool": 1}, {"pair_pool": 2}, {"detach_norm": True}])
def test_ignored_pixels(options: dict[str, Any]) -> None:
    assert_masks("skd", **options, **ALONE)
    assert_keeps_differ("skd", **options, **ALONE)
    assert_all_ignored_is_zero("skd", **options, **ALONE)


def test_terms_of_weight_0_need_nothing() -> None:
    case = make_case()
    method = build("skd", case, pair_weight=0.0, holistic_weight=0.0)
    assert method.student_taps == ()
    assert method.adversary() is None
    assert list(method.parameters()) == []
    assert case.terms(method).keys() == {"pixel"}
