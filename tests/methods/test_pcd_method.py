"""PCD (reconstructed from the abstract) as a distiller: options, state, counters, edge cases."""

import io
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pcd_cases import TAP, features, make, step

from pcd import PCD
from pcd.config import PCDConfig
from segdistill.distill import NetSpec, View, load

CLASSES = 5


def test_load_finds_it_and_it_says_what_it_is() -> None:
    assert load("pcd") is PCD
    assert "reconstructed from the abstract" in PCD.paper
    assert PCD.reconstructed


def test_defaults() -> None:
    assert PCDConfig() == PCDConfig(
        weight=50,
        temperature=4,
        score="pairwise",
        response="activation",
        responses="running",
        min_pixels=50,
        keep="student",
        matching="assignment",
        rematch_every=1,
        divergence="kl",
        ignore="mask",
        tap="head.embedding",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "pairwice"}, "score must be one of pairwise, margin, .*, got 'pairwice'"),
        ({"matching": "greedy"}, "matching must be .*, got 'greedy'"),
        ({"weight": -1.0}, "weight must be .*, got -1.0"),
        ({"temperature": 0.0}, "temperature must be .*, got 0.0"),
        ({"min_pixels": 0}, "min_pixels must be .*, got 0"),
        ({"rematch_every": 0}, "rematch_every must be .*, got 0"),
        ({"keep": 0.0}, r"keep must be 'student' or a ratio in \(0, 1\], got 0.0"),
        ({"keep": 1.5}, "keep must be .*, got 1.5"),
        ({"keep": "teacher"}, "keep must be .*, got 'teacher'"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PCDConfig(**options)


def test_an_unknown_tap_is_named() -> None:
    with pytest.raises(ValueError, match=r"tap must be one of head.embedding, got 'neck'"):
        make(3, 4, CLASSES, tap="neck")


def test_classifier_responses_need_a_classifier_of_the_tap() -> None:
    config = PCDConfig(response="classifier")
    bare = NetSpec(CLASSES, {TAP: 4})
    with pytest.raises(ValueError, match=r"needs tap 'head.embedding' and the teacher's"):
        PCD(config, bare, bare)
    with pytest.raises(ValueError, match="not all 0"):
        PCD(config, bare, bare._replace(classifier=torch.zeros(CLASSES, 4)))
    other = NetSpec(CLASSES, {TAP: 4, "backbone.4": 4}, torch.ones(CLASSES, 4))
    with pytest.raises(ValueError, match=r"tap 'head.embedding'"):
        PCD(PCDConfig(response="classifier", tap="backbone.4"), other, other)


def test_weight_0_has_no_term_and_nothing_trains() -> None:
    student, teacher, labels = features(3, 4, CLASSES)
    method = make(3, 4, CLASSES, weight=0.0)
    views = [View(maps, {TAP: maps}) for maps in (student, teacher)]
    assert method.losses(*views, labels) == {}
    assert list(method.parameters()) == []


@pytest.mark.parametrize("divergence", ["kl", "mse"])
def test_weight_is_a_factor(divergence: str) -> None:
    case = features(3, 4, CLASSES)
    one, many = (step(make(3, 4, CLASSES, weight=w, divergence=divergence), *case) for w in (1, 50))
    assert many.item() == pytest.approx(50 * one.item(), rel=1e-12)


def test_fewer_than_two_classes_skip_the_step_with_a_gradient_path() -> None:
    student, teacher, labels = features(3, 4, CLASSES)
    method = make(3, 4, CLASSES, responses="batch")
    for skipped in (1, 2):
        leaf = torch.full_like(student, float("nan")).requires_grad_()
        loss = step(method, leaf, teacher, torch.zeros_like(labels))
        loss.backward()
        assert loss.item() == 0.0
        assert leaf.grad is not None
        assert not leaf.grad.any()
        assert method.counters()["skipped_steps"] == skipped
    assert step(method, student, teacher, labels).item() > 0
    assert method.counters()["skipped_steps"] == 2


def test_min_pixels_counts_what_has_accumulated() -> None:
    student, teacher, labels = features(3, 4, 2, images=1, size=4)
    labels[:] = torch.arange(16).view(1, 4, 4) % 2  # 8 pixels a class and step
    running = make(3, 4, 2, min_pixels=24)
    batch = make(3, 4, 2, min_pixels=24, responses="batch")
    skipped = []
    for _ in range(4):
        step(running, student, teacher, labels)
        step(batch, student, teacher, labels)
        skipped.append((running.counters()["skipped_steps"], batch.counters()["skipped_steps"]))
    assert skipped == [(1, 1), (2, 2), (2, 3), (2, 4)]


def test_running_sums_make_equal_scores_of_one_batch_and_of_its_halves() -> None:
    student, teacher, labels = features(4, 8, CLASSES, images=4)
    whole, halves = make(4, 8, CLASSES), make(4, 8, CLASSES)
    step(whole, student, teacher, labels)
    for part in (slice(0, 1), slice(1, 4)):
        step(halves, student[part], teacher[part], labels[part])
    torch.testing.assert_close(halves.scores, whole.scores, rtol=1e-12, atol=1e-12)


def test_kept_channels_are_the_best_and_ties_go_to_the_lower() -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    teacher[:, 6] = teacher[:, 3]
    teacher[:, [0, 2, 5]] = 1.5  # dead: three equal scores of 0
    method = make(4, 8, CLASSES, keep=6 / 8, matching="index")
    step(method, student, teacher, labels)
    kept = method.kept.tolist()
    assert sorted(kept[:5]) == [1, 3, 4, 6, 7]
    assert kept[kept.index(3) + 1] == 6
    assert kept[5] == 0
    assert method.matched.tolist() == kept[:4]


def test_none_keeps_everything_and_random_keeps_one_draw() -> None:
    case = features(3, 8, CLASSES)
    everything = make(3, 8, CLASSES, score="none")
    step(everything, *case)
    assert everything.kept.tolist() == list(range(8))
    torch.manual_seed(5)
    first = make(3, 8, CLASSES, score="random")
    torch.manual_seed(5)
    second = make(3, 8, CLASSES, score="random")
    for _ in range(3):
        step(first, *case)
        step(second, *case)
        assert first.kept.tolist() == second.kept.tolist()
        assert first.kept.tolist() == first.scores.argsort(descending=True)[:3].tolist()
    assert len({tuple(make(3, 8, CLASSES, score="random").scores.tolist()) for _ in range(5)}) == 5


def test_only_the_control_random_draws_a_number() -> None:
    state = torch.get_rng_state()
    step(make(3, 8, CLASSES), *features(3, 8, CLASSES))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_matching_lasts_rematch_every_steps() -> None:
    _, teacher, labels = features(8, 8, CLASSES)
    method = make(8, 8, CLASSES, rematch_every=3)
    seen = []
    for index in range(7):
        student = teacher[:, torch.randperm(8, generator=torch.Generator().manual_seed(index))]
        step(method, student, teacher, labels)
        seen.append(tuple(method.matched.tolist()))
    assert seen[0] == seen[1] == seen[2]
    assert seen[3] == seen[4] == seen[5]
    assert len(set(seen)) == 3


@pytest.mark.parametrize("score", ["pairwise", "random"])
def test_a_saved_run_continues_as_if_never_stopped(score: str) -> None:
    generator = torch.Generator().manual_seed(9)
    _, teacher, labels = features(6, 8, CLASSES)
    batches = [torch.randn(2, 6, 16, 16, generator=generator).double() for _ in range(6)]
    whole = make(6, 8, CLASSES, rematch_every=4, score=score)
    for index, student in enumerate(batches):
        if index == 3:
            saved = io.BytesIO()
            torch.save(whole.state_dict(), saved)
            saved.seek(0)
            resumed = make(6, 8, CLASSES, rematch_every=4, score=score)
            resumed.load_state_dict(torch.load(saved, weights_only=True))
        loss = step(whole, student, teacher + index, labels)
        if index >= 3:
            assert step(resumed, student, teacher + index, labels).item() == loss.item()
    assert resumed.counters() == whole.counters()


def test_counters_tell_what_changed() -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    method = make(4, 8, CLASSES)
    step(method, student, teacher, labels)
    first = method.counters()
    assert (first["kept_channels"], first["kept_changed"], first["matched_changed"]) == (4, 1, 1)
    step(method, student, teacher, labels)
    second = method.counters()
    assert (second["kept_changed"], second["matched_changed"]) == (0, 0)
    swapped = student[:, [1, 0, 2, 3]]
    step(method, swapped, teacher, labels)
    assert method.counters()["kept_changed"] == 0
    assert method.counters()["matched_changed"] == 0.5
    expected = second["mean_similarity"]
    assert method.counters()["mean_similarity"] == pytest.approx(expected, rel=1e-12)


def test_a_teacher_map_of_another_size_is_resized_to_the_students() -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    small = teacher[..., :7, :9]
    large = F.interpolate(small, size=(16, 16), mode="bilinear", align_corners=False)
    method = partial(make, 4, 8, CLASSES, ignore="keep")
    losses = [step(method(), student, maps, labels).item() for maps in (small, large)]
    assert losses[0] == losses[1]


def test_gradients_reach_the_student_only() -> None:
    student, teacher, labels = features(4, 8, CLASSES)
    student.requires_grad_()
    teacher.requires_grad_()
    step(make(4, 8, CLASSES), student, teacher, labels).backward()
    assert student.grad is not None
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


def test_an_unmatched_student_channel_gets_no_gradient() -> None:
    student, teacher, labels = features(8, 3, CLASSES)
    student.requires_grad_()
    method = make(8, 3, CLASSES)
    step(method, student, teacher, labels).backward()
    assert student.grad is not None
    reached = student.grad.abs().sum(dim=(0, 2, 3)) > 0
    assert reached.tolist() == (method.matched >= 0).tolist()
    assert reached.sum() == 3


def test_autocast_changes_nothing() -> None:
    student, teacher, labels = (maps.float() for maps in features(4, 8, CLASSES))
    case = (student, teacher, labels.long())
    plain = step(make(4, 8, CLASSES), *case)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = step(make(4, 8, CLASSES), *case)
    assert mixed.dtype == torch.float32
    assert mixed.item() == plain.item()


def test_findings_are_what_the_last_step_knew() -> None:
    method = make(4, 8, CLASSES, min_pixels=80)
    student, teacher, labels = features(4, 8, CLASSES)
    for scale in (1.0, 2.0):
        step(method, student, scale * teacher, labels)
    found = method.findings()
    counts = torch.stack([2 * (labels == k).sum() for k in range(CLASSES)])
    assert found.classes.tolist() == (counts >= 80).nonzero()[:, 0].tolist()
    gaps = (found.responses[:, None] - found.responses[None]).abs().sum(dim=(0, 1))
    pairs = len(found.classes) * (len(found.classes) - 1)
    torch.testing.assert_close(found.scores, gaps / pairs)
    assert found.kept.tolist() == found.scores.argsort(descending=True)[:4].tolist()
    assert set(found.matched.tolist()) == set(found.kept.tolist())
