"""BPKD against plain loops, and its edge map on drawn labels."""

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

from baselines.bpkd import edges_at
from segdistill.distill import View


def edge_loops(labels: Tensor, size: tuple[int, int], width: int) -> Tensor:
    count, height, length = labels.shape
    result, reach = torch.zeros(count, *size, dtype=torch.bool), width // 2
    for n in range(count):
        for i in range(size[0]):
            for j in range(size[1]):
                y, x = i * height // size[0], j * length // size[1]
                window = labels[
                    n, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1
                ]
                result[n, i, j] = len(set(window.flatten().tolist()) - {255}) > 1
    return result


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    log_s, log_t = (z - z.exp().sum().log() for z in (student, teacher))
    return sum(log_t.exp() * (log_t - log_s))


def reference(case: Case, width: int, temperature: float, mask: bool) -> dict[str, Tensor]:
    own, other = case.student.logits / temperature, case.teacher.logits / temperature
    edge = edge_loops(case.labels, own.shape[-2:], width)
    known = small_labels(case) != 255 if mask else torch.ones_like(edge)
    pixels = (edge & known).nonzero().tolist()
    edges = [kl(own[n, :, y, x], other[n, :, y, x]) for n, y, x in pixels]
    bodies = []
    for n in range(len(own)):
        body = ~edge[n] & known[n]
        for k in range(own.shape[1]):
            bodies.append(kl(own[n, k][body], other[n, k][body]) if body.any() else 0.0)
    scale = temperature**2
    return {
        "edge": 50 * scale * sum(edges) / len(edges),
        "body": 20 * scale * sum(bodies) / len(bodies),
    }


def blocks(seed: int = 1) -> Case:
    """Labels of a few large areas, so that both edges and bodies exist."""
    case = make_case(seed=seed, size=(6, 8))
    labels = torch.zeros_like(case.labels)
    labels[0, :, 15:], labels[0, 9:12, :5] = 1, 255
    labels[1, 12:, :], labels[1, :4, :4] = 2, 255
    return case._replace(labels=labels)


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize(("width", "temperature"), [(3, 1.0), (7, 2.0)])
def test_agrees_with_plain_loops(ignore: str, width: int, temperature: float) -> None:
    case = blocks()
    method = build(
        "bpkd",
        case,
        edge_width=width,
        edge_temperature=temperature,
        body_temperature=temperature,
        ignore=ignore,
    )
    expected = reference(case, width, temperature, ignore == "mask")
    assert_same(case.terms(method), expected, case.leaves())


@pytest.mark.parametrize("width", [3, 5, 7])
def test_the_edge_map_equals_a_loop_over_windows(width: int) -> None:
    labels = make_case(seed=9, images=3, size=(5, 6)).labels
    for size in ((15, 18), (5, 6), (4, 7), (1, 1)):
        assert torch.equal(
            edges_at(labels, torch.Size(size), width), edge_loops(labels, size, width)
        )


def test_the_rim_of_an_ignored_area_is_no_edge() -> None:
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, 2:5, 2:5] = 255
    assert not edges_at(labels, torch.Size((8, 8)), 7).any()


def test_edge_and_body_part_the_image() -> None:
    case = blocks()
    edge = edges_at(case.labels, case.student.logits.shape[-2:], 3)
    changed = case.student.logits.detach().clone()
    changed[edge[:, None].expand_as(changed)] += torch.randn(int(edge.sum()) * 4).double()
    other = Case(View(changed, case.student.taps), case.teacher, case.labels)
    method = build("bpkd", case, edge_width=3)
    before, after = case.terms(method), other.terms(method)
    assert torch.equal(before["body"], after["body"])
    assert not torch.isclose(before["edge"], after["edge"])


def test_one_class_everywhere_has_no_edge_term() -> None:
    case = make_case()
    terms = case._replace(labels=torch.zeros_like(case.labels)).terms(build("bpkd", case))
    assert terms["edge"].item() == 0
    assert terms["body"].item() > 0


@pytest.mark.parametrize("width", [0, 1, 4])
def test_rejects_an_even_or_empty_window(width: int) -> None:
    with pytest.raises(ValueError, match="edge_width"):
        build("bpkd", make_case(), edge_width=width)


def test_a_term_of_weight_zero_is_absent() -> None:
    case = make_case()
    assert set(case.terms(build("bpkd", case, edge_weight=0))) == {"body"}
    assert set(case.terms(build("bpkd", case, body_weight=0))) == {"edge"}


def test_mask() -> None:
    assert_masks("bpkd")
    assert_keeps_differ("bpkd")
    assert_all_ignored_is_zero("bpkd")


def test_gradient() -> None:
    gradcheck("bpkd")
