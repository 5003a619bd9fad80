"""CIRKD against plain loops over image pairs and queued vectors; what its queues hold."""

from copy import deepcopy

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

from baselines.cirkd import Projection, one_draw, region_means
from segdistill.distill import Distiller, View, similarity

TAP = "head.embedding"
WIDTHS = [(3, 16), (4, 4)]  # 16: no pixel loses every channel in the projection's ReLU
SMALL = {"pixel_queue": 6, "region_queue": 3, "queued_pixels": 2}
ALONE = {"memory_pixel_weight": 0, "memory_region_weight": 0, "kd_weight": 0}
MEMORY = {"minibatch_weight": 0, "kd_weight": 0, **SMALL}


def unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.square().sum(dim=-1, keepdim=True).sqrt()


def pixels(
    method: Distiller, case: Case, counted: Tensor
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Unit vectors of the counted pixels of each image: student, teacher, and their labels."""
    own, other = (view.taps[TAP].movedim(1, -1) for view in (case.student, case.teacher))
    sizes = counted.flatten(1).sum(dim=1).tolist()
    projected = method.projection(own[counted])
    rows = [unit(vectors).split(sizes) for vectors in (projected, other[counted])]
    return list(rows[0]), list(rows[1]), list(small_labels(case)[counted].split(sizes))


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    log_s, log_t = (z - z.exp().sum().log() for z in (student, teacher))
    return sum(log_t.exp() * (log_t - log_s))


@pytest.mark.parametrize("ignore", ["keep", "mask"])
@pytest.mark.parametrize("widths", WIDTHS)
def test_minibatch_agrees_with_plain_loops(ignore: str, widths: tuple[int, int]) -> None:
    case = make_case(images=3, size=(2, 4), widths=widths)
    method = build("cirkd", case, minibatch_weight=2.0, temperature=0.3, ignore=ignore, **ALONE)
    counted = small_labels(case) != 255
    counted = counted if ignore == "mask" else torch.ones_like(counted)
    own, other, _ = pixels(method, case, counted)
    means = []
    for i in range(3):
        for j in range(3):
            rows = [
                kl(own[j] @ s / 0.3, other[j] @ t / 0.3)
                for s, t in zip(own[i], other[i], strict=True)
            ]
            means.append(sum(rows) / len(rows))
    expected = {"minibatch": 2.0 * sum(means) / 9}
    assert_same(case.terms(method), expected, [*case.leaves(), *method.projection.parameters()])


def test_images_without_a_counted_pixel_leave_the_mean_over_pairs() -> None:
    case = make_case(images=3, ignored=0)
    case.labels[1] = 255
    kept = [0, 2]

    def some(view: View) -> View:
        return View(view.logits[kept], {tap: maps[kept] for tap, maps in view.taps.items()})

    fewer = Case(some(case.student), some(case.teacher), case.labels[kept])
    found, expected = (
        step.terms(build("cirkd", step, ignore="mask", **ALONE)) for step in (case, fewer)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("widths", WIDTHS)
def test_memory_terms_agree_with_plain_loops(widths: tuple[int, int]) -> None:
    case = make_case(images=3, widths=widths)
    method = build("cirkd", case, temperature=0.3, **MEMORY)
    terms = case.terms(method)
    every = torch.ones_like(small_labels(case), dtype=torch.bool)
    own, other, labels = (torch.cat(parts) for parts in pixels(method, case, every))
    known = labels != 255
    expected = {}
    for name, queues in (("pixel", method.pixels), ("region", method.regions)):
        held = [
            vectors[:count]
            for vectors, count in zip(queues.entries, queues.filled.tolist(), strict=True)
        ]
        columns = torch.cat(held)
        rows = [
            kl(columns @ s / 0.3, columns @ t / 0.3)
            for s, t in zip(own[known], other[known], strict=True)
        ]
        expected[name] = 0.1 * sum(rows) / len(rows)
    assert_same(terms, expected, [*case.leaves(), *method.projection.parameters()])


def test_kd_term_is_kd() -> None:
    case = make_case()
    off = {"minibatch_weight": 0, "memory_pixel_weight": 0, "memory_region_weight": 0}
    method = build("cirkd", case, **off)
    assert method.student_taps == ()
    assert list(method.state_dict()) == []
    torch.testing.assert_close(case.terms(method)["kd"], case.terms(build("kd", case))["pixel"])


def test_every_queued_vector_is_of_the_right_class() -> None:
    case = make_case(images=3, widths=(5, 5))
    method = build("cirkd", case, **MEMORY)
    seen_pixels: dict[int, list[Tensor]] = {k: [] for k in range(4)}
    seen_regions: dict[int, list[Tensor]] = {k: [] for k in range(4)}
    for step in range(12):  # enough to go round both rings several times
        case = make_case(seed=step, images=3, widths=(5, 5))
        case.terms(method, seed=step)
        vectors, labels = unit(case.teacher.taps[TAP].movedim(1, -1)), small_labels(case)
        for k in range(4):
            seen_pixels[k].extend(vectors[labels == k])
            for image, label in zip(vectors, labels, strict=True):
                if (label == k).any():
                    seen_regions[k].append(unit(image[label == k].mean(dim=0)))
    for queues, seen in ((method.pixels, seen_pixels), (method.regions, seen_regions)):
        assert (queues.filled == queues.size).all()
        for k, entries in enumerate(queues.entries):
            gaps = (entries[:, None] - torch.stack(seen[k])).abs().amax(dim=2).amin(dim=1)
            assert (gaps < 1e-12).double().mean() == 1.0  # purity


def test_queues_resume_from_a_checkpoint() -> None:
    first, second = make_case(seed=1), make_case(seed=2)
    method = build("cirkd", first, **SMALL)
    first.terms(method)
    resumed = build("cirkd", first, **SMALL)
    resumed.load_state_dict(method.state_dict())
    for name, term in second.terms(method).items():
        assert torch.equal(term, second.terms(deepcopy(resumed))[name])


def test_one_draw_takes_at_most_count_of_each_class_of_each_image() -> None:
    torch.manual_seed(0)
    labels, image = torch.randint(3, (60,)), torch.arange(60) // 20
    chosen = one_draw(labels, image, 4)
    assert len(chosen.unique()) == len(chosen)
    for n in range(3):
        for k in range(3):
            group = (labels == k) & (image == n)
            assert int(group[chosen].sum()) == min(4, int(group.sum()))


def test_one_draw_gives_every_pixel_the_same_chance() -> None:
    torch.manual_seed(0)
    labels, image = torch.zeros(5, dtype=torch.long), torch.zeros(5, dtype=torch.long)
    counts = torch.zeros(5)
    for _ in range(2000):
        counts[one_draw(labels, image, 2)] += 1
    assert (counts / 2000 - 0.4).abs().max() < 5 * (0.4 * 0.6 / 2000) ** 0.5


def test_region_means_of_two_images() -> None:
    features = torch.tensor([[1.0], [3.0], [5.0], [7.0]])
    labels, image = torch.tensor([2, 2, 0, 2]), torch.tensor([0, 0, 0, 1])
    means, classes = region_means(features, labels, image)
    found = sorted(zip(classes.tolist(), means[:, 0].tolist(), strict=True))
    assert found == [(0, 5.0), (2, 2.0), (2, 7.0)]


def test_projection_of_one_pixel_uses_the_running_statistics() -> None:
    projection = Projection(3, 4).train()
    assert projection(torch.randn(1, 3)).isfinite().all()
    assert projection.norm.num_batches_tracked.item() == 0
    projection(torch.randn(2, 3))
    assert projection.norm.num_batches_tracked.item() == 1


@pytest.mark.parametrize("block", [1, 37, 10**6])
def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    case = make_case()
    whole = case.terms(build("cirkd", case, **SMALL))
    monkeypatch.setattr(similarity, "CPU_BLOCK", block)
    assert_same(case.terms(build("cirkd", case, **SMALL)), whole, case.leaves())


def test_no_matrix_of_pixel_pairs_is_kept_for_the_backward_pass() -> None:
    case = make_case(size=(16, 16), widths=(4, 4))
    method, kept = build("cirkd", case, **ALONE), []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        case.terms(method)
    assert max(kept) <= case.student.taps[TAP].numel()
    assert sum(kept) < 16 * case.student.taps[TAP].numel() < 256**2


def test_rejects_a_temperature_of_zero() -> None:
    case = make_case()
    with pytest.raises(ValueError, match="temperature"):
        case.terms(build("cirkd", case, temperature=0, **SMALL))


def test_the_length_of_a_feature_changes_nothing() -> None:
    case = make_case(widths=(4, 4))
    taps = {tap: maps * 5.0 for tap, maps in case.student.taps.items()}
    longer = Case(View(case.student.logits, taps), case.teacher, case.labels)
    method = build("cirkd", case, **ALONE)
    torch.testing.assert_close(longer.terms(method), case.terms(method))


def test_mask() -> None:
    assert_masks("cirkd", **SMALL)
    assert_keeps_differ("cirkd", **SMALL)
    assert_all_ignored_is_zero("cirkd", **SMALL)


def test_gradient() -> None:
    gradcheck("cirkd", temperature=1.0, **SMALL)
