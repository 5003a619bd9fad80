"""Inputs and comparisons that the unit tests of the distillation methods share."""

from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View, load

TAPS = ("head.embedding", "backbone.4")
Terms = dict[str, Tensor]


class Case(NamedTuple):
    """One training step as a method sees it; the student's maps want a gradient."""

    student: View
    teacher: View
    labels: Tensor

    def leaves(self) -> list[Tensor]:
        return [self.student.logits, *self.student.taps.values()]

    def terms(self, method: Distiller, seed: int = 5) -> Terms:
        torch.manual_seed(seed)
        return method.losses(self.student, self.teacher, self.labels)


def make_case(
    seed: int = 0,
    images: int = 2,
    classes: int = 4,
    widths: tuple[int, int] = (3, 5),
    size: tuple[int, int] = (4, 5),
    ignored: float = 0.3,
) -> Case:
    """Random float64 maps on `size` and labels of three times that size, in blocks, with 255s."""
    generator = torch.Generator().manual_seed(seed)

    def maps(channels: int) -> Tensor:
        shape = (images, channels, *size)
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    def view(width: int) -> View:
        return View(maps(classes), {tap: maps(width) for tap in TAPS})

    student, teacher = view(widths[0]), view(widths[1])
    for leaf in (student.logits, *student.taps.values()):
        leaf.requires_grad_()
    labels = torch.randint(classes, (images, *size), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = 255
    blocks = labels.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2)
    return Case(student, teacher, blocks)


def small_labels(case: Case) -> Tensor:
    """The labels on the grid of the maps: N h w."""
    return case.labels[:, ::3, ::3]


def build(name: str, case: Case, **options: Any) -> Distiller:
    """The method for the widths of `case`, in float64."""
    torch.manual_seed(11)
    specs = [
        NetSpec(view.logits.shape[1], {tap: maps.shape[1] for tap, maps in view.taps.items()})
        for view in (case.student, case.teacher)
    ]
    method_class = load(name)
    return method_class(method_class.Config(**options), *specs).double()


def assert_same(found: Terms, expected: Terms, leaves: list[Tensor]) -> None:
    """Equal terms to 1e-9, and equal gradients of their sum."""
    assert found.keys() == expected.keys()
    for name, term in found.items():
        torch.testing.assert_close(term, expected[name], rtol=1e-9, atol=1e-12)
    ours = torch.autograd.grad(sum(found.values()), leaves, allow_unused=True)
    theirs = torch.autograd.grad(sum(expected.values()), leaves, allow_unused=True)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def assert_masks(name: str, **options: Any) -> None:
    """Under "mask", NaN at ignored positions changes neither a term nor a gradient."""
    clean = make_case(seed=3)
    ignored = (small_labels(clean) == 255)[:, None]
    assert ignored.any()

    def spoil(view: View, wanted: bool) -> View:
        maps = [
            m.detach().masked_fill(ignored, torch.nan) for m in (view.logits, *view.taps.values())
        ]
        maps = [m.requires_grad_(wanted) for m in maps]
        return View(maps[0], dict(zip(view.taps, maps[1:], strict=True)))

    spoilt = Case(spoil(clean.student, True), spoil(clean.teacher, False), clean.labels)
    results = []
    for case in (clean, spoilt):
        method = build(name, case, ignore="mask", **options)
        terms = case.terms(method)
        wanted = case.leaves() + list(method.parameters())
        gradients = torch.autograd.grad(sum(terms.values()), wanted, allow_unused=True)
        results.append([*terms.values(), *(g for g in gradients if g is not None)])
    for own, other in zip(*results, strict=True):
        torch.testing.assert_close(own, other, rtol=0, atol=0)


def assert_keeps_differ(name: str, **options: Any) -> None:
    """ "keep" and "mask" are two different terms where something is ignored."""
    case = make_case(seed=3)
    kept, masked = (
        sum(case.terms(build(name, case, ignore=ignore, **options)).values())
        for ignore in ("keep", "mask")
    )
    assert not torch.isclose(kept, masked)


def assert_all_ignored_is_zero(name: str, **options: Any) -> None:
    """Nothing counted: every term is 0 and its gradient is 0, never NaN."""
    case = make_case(seed=4, ignored=2.0)
    terms = case.terms(build(name, case, ignore="mask", **options))
    assert terms
    assert all(term.item() == 0 for term in terms.values())
    for gradient in torch.autograd.grad(sum(terms.values()), case.leaves(), allow_unused=True):
        assert gradient is None or not gradient.any()


def gradcheck(name: str, **options: Any) -> None:
    """Finite differences agree with the gradient in the student's maps."""
    case = make_case(seed=6, images=2, classes=3, widths=(2, 4), size=(2, 3))
    method = build(name, case, **options)

    def total(logits: Tensor, *features: Tensor) -> Tensor:
        view = View(logits, dict(zip(TAPS, features, strict=True)))
        # A fresh copy: a queue must not remember the evaluation before.
        return sum(Case(view, case.teacher, case.labels).terms(deepcopy(method)).values())

    assert torch.autograd.gradcheck(total, case.leaves(), atol=1e-6)
