"""MGD against convolutions written as loops, with the same random mask."""

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
from torch import Tensor, nn

from segdistill.distill import Distiller


def convolve(image: Tensor, layer: nn.Conv2d) -> Tensor:
    """3 x 3, padding 1, of one image C h w."""
    _, height, width = image.shape
    rows = []
    for y in range(height):
        for x in range(width):
            value = layer.bias
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    if 0 <= y + dy < height and 0 <= x + dx < width:
                        kernel = layer.weight[:, :, dy + 1, dx + 1]
                        value = value + kernel @ image[:, y + dy, x + dx]
            rows.append(value)
    return torch.stack(rows, dim=1).view(-1, height, width)


def generated(method: Distiller, case: Case, mask: bool) -> list[Tensor]:
    feature, labels = case.student.taps["backbone.4"], small_labels(case)
    torch.manual_seed(5)
    draw = torch.rand(len(feature), 1, *feature.shape[-2:])
    results = []
    for n in range(len(feature)):
        align, (first, _, second) = method.generator.align, method.generator.generate
        aligned = feature[n]
        if isinstance(align, nn.Conv2d):
            aligned = torch.einsum("ds,shw->dhw", align.weight[:, :, 0, 0], feature[n])
            aligned = aligned + align.bias[:, None, None]
        shown = draw[n, 0] <= 1 - method.config.mask_ratio
        if mask:
            shown = shown & (labels[n] != 255)
        results.append(convolve(convolve(aligned * shown, first).clamp(min=0), second))
    return results


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("widths", [(3, 5), (4, 4)])
def test_agrees_with_plain_loops(ignore: str, widths: tuple[int, int]) -> None:
    case = make_case(widths=widths)
    method = build("mgd", case, weight=2.0, mask_ratio=0.4, ignore=ignore)
    total = torch.zeros((), dtype=torch.float64)
    for n, feature in enumerate(generated(method, case, ignore == "mask")):
        squares = (feature - case.teacher.taps["backbone.4"][n]).square()
        if ignore == "mask":
            squares = squares[:, small_labels(case)[n] != 255]
        total = total + squares.sum()
    expected = {"generation": 2.0 * total / 2}
    leaves = [*case.leaves(), *method.parameters()]
    assert_same(case.terms(method), expected, leaves)


def test_equal_widths_need_no_alignment() -> None:
    case = make_case(widths=(4, 4))
    names = [name for name, _ in build("mgd", case).named_parameters()]
    assert not any("align" in name for name in names)
    assert len(names) == 4


def test_the_mask_comes_from_the_global_generator() -> None:
    case = make_case()
    method = build("mgd", case)
    assert torch.equal(case.terms(method, 1)["generation"], case.terms(method, 1)["generation"])
    assert not torch.equal(case.terms(method, 1)["generation"], case.terms(method, 2)["generation"])


def test_the_hidden_share_is_mask_ratio() -> None:
    case = make_case(images=4, widths=(1, 1), size=(60, 60))
    method = build("mgd", case, mask_ratio=0.75)
    seen = []
    method.generator.generate = nn.Identity()
    with torch.no_grad():
        seen = method.generator(torch.ones(4, 1, 60, 60, dtype=torch.float64), None)
    assert abs(seen.mean().item() - 0.25) < 4 * (0.25 * 0.75 / seen.numel()) ** 0.5


def test_rejects_a_ratio_that_hides_everything() -> None:
    with pytest.raises(ValueError, match="mask_ratio"):
        build("mgd", make_case(), mask_ratio=1.0)


def test_weight_zero_builds_nothing() -> None:
    case = make_case()
    off = build("mgd", case, weight=0)
    assert list(off.parameters()) == []
    assert case.terms(off) == {}


def test_mask() -> None:
    assert_masks("mgd")
    assert_keeps_differ("mgd")
    assert_all_ignored_is_zero("mgd")


def test_gradient() -> None:
    gradcheck("mgd", weight=1.0, mask_ratio=0.3)
