"""DSD against plain loops over pixels and class pairs."""

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


def unit(values: list[Tensor]) -> list[Tensor]:
    norm = sum(v * v for v in values).sqrt()
    return [v / norm for v in values]


def residual(view: View, image: int, places: list[tuple[int, int]]) -> list[Tensor]:
    maps = (view.logits[image], view.taps["head.embedding"][image])
    last, earlier = (unit([sum(m[:, y, x] ** 2) / len(m) for y, x in places]) for m in maps)
    return unit([a - b for a, b in zip(last, earlier, strict=True)])


def correlation(
    view: View, image: int, places: list[tuple[int, int]], temperature: float
) -> Tensor:
    pixels = []
    for y, x in places:
        powers = (view.logits[image, :, y, x] / temperature).exp()
        pixels.append(powers / sum(powers))
    rows = [torch.stack(unit(list(row))) for row in torch.stack(pixels, dim=1)]
    return torch.stack([torch.stack([sum(a * b) for b in rows]) for a in rows])


def reference(case: Case, temperature: float, mask: bool) -> dict[str, Tensor]:
    labels, psd, csd, count = small_labels(case), 0.0, 0.0, 0
    for n in range(len(labels)):
        places = [
            (y, x)
            for y in range(labels.shape[1])
            for x in range(labels.shape[2])
            if not mask or labels[n, y, x] != 255
        ]
        count += len(places)
        own, other = (residual(view, n, places) for view in (case.student, case.teacher))
        psd = psd + sum((s - t) ** 2 for s, t in zip(own, other, strict=True))
        one, two = (correlation(v, n, places, temperature) for v in (case.student, case.teacher))
        csd = csd + ((one - two) ** 2).mean() / len(labels)
    return {"psd": 1000 * psd / count, "csd": 10 * csd}


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_agrees_with_plain_loops(ignore: str, temperature: float) -> None:
    case = make_case()
    method = build("dsd", case, temperature=temperature, ignore=ignore)
    expected = reference(case, temperature, ignore == "mask")
    assert_same(case.terms(method), expected, case.leaves())


def test_a_student_equal_to_its_teacher_costs_nothing() -> None:
    case = make_case(widths=(4, 4))
    for term in Case(case.student, case.student, case.labels).terms(build("dsd", case)).values():
        assert term.item() == 0


def test_category_term_alone_needs_no_tap() -> None:
    case = make_case()
    method = build("dsd", case, psd_weight=0)
    assert method.student_taps == ()
    assert set(case.terms(method)) == {"csd"}
    assert set(case.terms(build("dsd", case, csd_weight=0))) == {"psd"}


def test_rejects_a_temperature_of_zero() -> None:
    with pytest.raises(ValueError, match="temperature"):
        build("dsd", make_case(), temperature=0)


def test_mask() -> None:
    assert_masks("dsd")
    assert_keeps_differ("dsd")
    assert_all_ignored_is_zero("dsd")


def test_gradient() -> None:
    gradcheck("dsd", psd_weight=1.0, csd_weight=1.0)
