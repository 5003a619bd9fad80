"""What FeatureDistiller does for every feature method, seen from a formula that only counts."""

from dataclasses import dataclass

import pytest
import torch
from distiller_cases import Case, make_case, small_labels
from torch import Tensor, nn

from segdistill.distill import FeatureDistiller, NetSpec, View


class Recorded(FeatureDistiller):
    """Keeps what `loss` is given."""

    name = "recorded"
    paper = "none"
    term = "sum"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        pass

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        self.seen = student, teacher, valid
        return student.sum()


def recorded(case: Case, **options: object) -> Recorded:
    specs = [
        NetSpec(view.logits.shape[1], {tap: maps.shape[1] for tap, maps in view.taps.items()})
        for view in (case.student, case.teacher)
    ]
    method: Recorded = Recorded(Recorded.Config(**options), *specs).double()
    return method


def test_the_loss_is_weighted_and_named() -> None:
    case = make_case(widths=(4, 4))
    terms = case.terms(recorded(case, weight=3.0))
    assert terms.keys() == {"sum"}
    torch.testing.assert_close(terms["sum"], 3 * case.student.taps["head.embedding"].sum())


def test_weight_zero_asks_for_nothing_and_builds_nothing() -> None:
    case = make_case(widths=(3, 5))
    method = recorded(case, weight=0.0)
    assert case.terms(method) == {}
    assert method.student_taps == method.teacher_taps == ()
    assert list(method.parameters()) == []


def test_unequal_widths_get_a_convolution_without_bias() -> None:
    case = make_case(widths=(3, 5))
    method = recorded(case)
    assert isinstance(method.adapter, nn.Conv2d)
    assert method.adapter.bias is None
    case.terms(method)
    own = case.student.taps["head.embedding"]
    adapted = torch.einsum("dc,nchw->ndhw", method.adapter.weight[:, :, 0, 0], own)
    torch.testing.assert_close(method.seen[0], adapted)


def test_logits_need_neither_tap_nor_adapter() -> None:
    case = make_case(widths=(3, 5))
    method = recorded(case, tap="logits")
    case.terms(method)
    assert method.student_taps == ()
    assert list(method.parameters()) == []
    assert method.seen == (case.student.logits, case.teacher.logits, None)


def test_ignored_positions_are_0_in_both_maps() -> None:
    case = make_case(widths=(4, 4))
    method = recorded(case, ignore="mask")
    case.terms(method)
    student, teacher, valid = method.seen
    assert torch.equal(valid, small_labels(case) != 255)
    kept = valid[:, None]
    for seen, view in ((student, case.student), (teacher, case.teacher)):
        maps = view.taps["head.embedding"]
        assert torch.equal(seen, torch.where(kept, maps, 0.0))


def test_the_teacher_is_resized_to_the_student() -> None:
    case = make_case(widths=(4, 4))
    taps = {tap: torch.ones(2, 4, 9, 7, dtype=torch.float64) for tap in case.teacher.taps}
    method = recorded(case)
    case._replace(teacher=View(case.teacher.logits, taps)).terms(method)
    assert torch.equal(method.seen[1], torch.ones(2, 4, 4, 5, dtype=torch.float64))


def test_an_unknown_tap_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of head\.embedding, backbone\.4, got 'backbone\.9'"):
        recorded(make_case(), tap="backbone.9")
