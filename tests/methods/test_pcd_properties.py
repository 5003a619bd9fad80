"""What must be true of any PCD (reconstructed from the abstract), whatever its code."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pcd_cases import features, make, step

from pcd.config import CHOICES

CLASSES = 5
SCORES = ("pairwise", "margin", "range", "fisher")
OPTIONS: list[dict[str, Any]] = [
    *({"score": score} for score in SCORES),
    {"matching": "nearest"},
    {"divergence": "mse"},
    {"ignore": "keep"},
    {"responses": "batch"},
    {"response": "classifier"},
]
MASKING = [options for options in OPTIONS if options.get("ignore") != "keep"]


@pytest.mark.parametrize("score", [*SCORES, "none"])
@pytest.mark.parametrize("responses", CHOICES["responses"])
@given(exponent=st.integers(-6, 6), offset=st.floats(-1e4, 1e4), channel=st.integers(0, 7))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_scale_and_offset_of_a_teacher_channel_change_no_score_and_no_matching(
    score: str, responses: str, exponent: int, offset: float, channel: int
) -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    plain, changed = (make(4, 8, CLASSES, score=score, responses=responses) for _ in range(2))
    for batch in (teacher, 0.3 + 2 * teacher.flip(0)):
        moved = batch.clone()
        moved[:, channel] = 10.0**exponent * (moved[:, channel] + offset)
        step(plain, student, batch, labels)
        step(changed, student, moved, labels)
        torch.testing.assert_close(changed.scores, plain.scores, rtol=1e-9, atol=1e-9)
        assert changed.matched.tolist() == plain.matched.tolist()


@pytest.mark.parametrize("score", SCORES)
def test_a_large_offset_changes_no_matching_in_float32(score: str) -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    plain, moved = (make(4, 8, CLASSES, score=score) for _ in range(2))
    for _ in range(3):
        step(plain, student.float(), teacher.float(), labels)
        step(moved, student.float() - 300, teacher.float() + 1000, labels)
    assert moved.matched.tolist() == plain.matched.tolist()
    torch.testing.assert_close(moved.scores, plain.scores, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_permuting_teacher_channels_permutes_scores_and_keeps_the_loss(
    options: dict[str, Any],
) -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(2))
    plain, permuted = (make(4, 8, CLASSES, **options) for _ in range(2))
    if permuted.classifier is not None:
        permuted.classifier.copy_(permuted.classifier[:, order])
    loss = step(plain, student, teacher, labels)
    again = step(permuted, student, teacher[:, order], labels)
    torch.testing.assert_close(permuted.scores, plain.scores[order])
    torch.testing.assert_close(again, loss, rtol=1e-12, atol=0)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_permuting_the_batch_keeps_scores_and_loss(options: dict[str, Any]) -> None:
    student, teacher, labels = features(4, 8, CLASSES, images=3)
    plain, permuted = (make(4, 8, CLASSES, **options) for _ in range(2))
    loss = step(plain, student, teacher, labels)
    again = step(permuted, student[[2, 0, 1]], teacher[[2, 0, 1]], labels[[2, 0, 1]])
    torch.testing.assert_close(permuted.scores, plain.scores)
    torch.testing.assert_close(again, loss, rtol=1e-12, atol=0)


@pytest.mark.parametrize("divergence", CHOICES["divergence"])
@pytest.mark.parametrize("matching", ["assignment", "nearest"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_student_that_has_the_kept_channels_is_perfect(
    divergence: str, matching: str, dtype: torch.dtype
) -> None:
    student, teacher, labels = features(5, 8, CLASSES)
    probe = make(5, 8, CLASSES, matching=matching, divergence=divergence)
    step(probe, student, teacher, labels)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(3))
    copy = teacher[:, probe.kept[order]].to(dtype)
    loss = step(probe, copy, teacher.to(dtype), labels)
    assert probe.matched.tolist() == probe.kept[order].tolist()
    assert probe.counters()["mean_similarity"] == pytest.approx(1.0, abs=1e-6)
    assert loss.item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("score", SCORES)
@given(seed=st.integers(0, 10**6), target=st.integers(0, CLASSES - 1))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_perfect_indicator_outranks_noise(score: str, seed: int, target: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = (
        torch.arange(CLASSES).repeat(512)[torch.randperm(2560, generator=generator)].view(2, 40, 32)
    )
    teacher = torch.randn(2, 12, 40, 32, generator=generator)
    teacher[:, 7] = 0.1 * (labels == target)
    method = make(3, 12, CLASSES, score=score, min_pixels=200)
    step(method, torch.randn(2, 3, 40, 32, generator=generator), teacher, labels)
    assert method.kept[0] == 7


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_stays_finite_up_to_1e4(options: dict[str, Any], dtype: torch.dtype) -> None:
    student, teacher, labels = features(6, 4, CLASSES)
    student, teacher = ((1e4 * maps / maps.abs().max()).to(dtype) for maps in (student, teacher))
    method = make(6, 4, CLASSES, **options)
    for _ in range(2):
        leaf = student.clone().requires_grad_()
        loss = step(method, leaf, teacher[..., ::2, ::2], labels)
        loss.backward()
        assert loss.dtype == torch.float32
        assert loss.isfinite()
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()
        assert method.scores.isfinite().all()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_channels_last_gives_the_same(options: dict[str, Any]) -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    plain, other = (make(4, 8, CLASSES, **options) for _ in range(2))
    leaves = [student.clone(), student.contiguous(memory_format=torch.channels_last)]
    for leaf in leaves:
        leaf.requires_grad_()
    loss = step(plain, leaves[0], teacher, labels)
    again = step(other, leaves[1], teacher.to(memory_format=torch.channels_last), labels)
    loss.backward()
    again.backward()
    torch.testing.assert_close(again, loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(leaves[1].grad, leaves[0].grad, check_stride=False)


@pytest.mark.parametrize("options", MASKING, ids=str)
def test_what_ignored_pixels_hold_changes_nothing_under_mask(options: dict[str, Any]) -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    results = []
    for garbage in (0.0, 1e30, float("nan")):
        ignored = (labels == 255)[:, None]
        method = make(4, 8, CLASSES, **options)
        leaf = torch.where(ignored, garbage, student).requires_grad_()
        loss = step(method, leaf, torch.where(ignored, garbage, teacher), labels)
        loss.backward()
        results.append((loss, leaf.grad, method.scores, method.matched))
    for result in results[1:]:
        torch.testing.assert_close(result, results[0], rtol=0, atol=0)
