"""One student in training: equal starts, the loss's parts, the schedule, the optimisers."""

import math
from typing import Any

import pytest
import torch
from harness_cases import CPU, STEPS, TRAINING, frozen_teacher, run_config
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segdistill.distill import method_names
from segdistill.errors import SuiteError
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import EMBEDDING
from segdistill.settings.loading import RunConfig, Term
from segdistill.settings.schema import Training
from segdistill.training.determinism import tensors_hash
from segdistill.training.methods import build_method
from segdistill.training.optimizers import poly
from segdistill.training.student_trainer import StudentTrainer
from segdistill.training.supervision import counted_pixels, cross_entropy

CLASSES = 11
TAPS = (*(f"backbone.{stage}" for stage in range(1, 5)), EMBEDDING)


def trainer(config: RunConfig) -> StudentTrainer:
    return StudentTrainer(config, CLASSES, frozen_teacher().spec(), CPU)


def batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (2, 3, 64, 64), generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (2, 8, 8), generator=draw)
    labels[0, 0] = 255
    return normalise(images), labels.repeat_interleave(8, 1).repeat_interleave(8, 2)


def steps(own: StudentTrainer, count: int, first: int = 0) -> list[dict[str, float]]:
    teacher, logged = frozen_teacher(), []
    for step in range(first, first + count):
        images, labels = batch(step)
        with torch.no_grad():
            output = teacher(images, sorted(own.teacher_taps()))
        terms = own.training_step(images, labels, output)
        logged.append({name: float(term) for name, term in terms.items()})
    return logged


def terms_of(row: dict[str, float]) -> set[str]:
    """The parts of the loss in a logged row."""
    return {name for name in row if name != "loss" and not name.startswith("gradient/")}


def test_equal_seeds_give_every_method_equal_initial_weights() -> None:
    starts = {
        name: tensors_hash(trainer(run_config(name, seed=3)).net.state_dict())
        for name in method_names()
    }
    assert len(starts) >= 14
    assert len(set(starts.values())) == 1, starts
    other = trainer(run_config("student", seed=4)).net.state_dict()
    assert tensors_hash(other) != starts["student"]


@pytest.mark.parametrize("name", method_names())
def test_every_method_adds_its_terms_to_one_cross_entropy(name: str) -> None:
    """Dropout and data are equal, so the first cross entropy is the student's own."""
    own, alone = trainer(run_config(name)), trainer(run_config("student"))
    logged, plain = steps(own, 2), steps(alone, 1)[0]
    first = logged[0]
    for term in ("cross_entropy", "auxiliary"):
        assert first[term] == plain[term]
    added = math.fsum(first[term] for term in terms_of(first))
    assert first["loss"] == pytest.approx(added, rel=1e-5)
    assert all(math.isfinite(value) for row in logged for value in row.values())
    own_terms = {term for term in first if term.startswith(f"{name}/")}
    assert own_terms == terms_of(first) - {"cross_entropy", "auxiliary"}
    assert bool(own_terms) == (name != "student")


@pytest.mark.parametrize("name", method_names())
def test_half_precision_stays_near_single(name: str) -> None:
    training = TRAINING.model_copy(update={"precision": "bf16"})
    half = steps(trainer(run_config(name, training=training)), 1)[0]
    single = steps(trainer(run_config(name)), 1)[0]
    assert half.keys() == single.keys()
    assert half != single
    for term in ("cross_entropy", "auxiliary"):
        assert half[term] == pytest.approx(single[term], rel=0.05), term


@pytest.mark.parametrize("name", method_names())
def test_saved_state_is_all_that_the_next_steps_depend_on(name: str) -> None:
    whole, first, second = (trainer(run_config(name)) for _ in range(3))
    steps(second, 1, first=7)  # left-overs of other work must not survive
    expected = steps(whole, 4)
    steps(first, 2)
    second.load_state(first.state())
    assert steps(second, 2, first=2) == expected[2:]
    assert tensors_hash(second.net.state_dict()) == tensors_hash(whole.net.state_dict())


def test_several_methods_in_one_block_are_summed() -> None:
    both = trainer(run_config("both", terms=(Term("kd", {"weight": 2.0}), Term("cwd", {}))))
    alone = [trainer(run_config(name)) for name in ("kd", "cwd")]
    row, kd, cwd = (steps(each, 1)[0] for each in (both, *alone))
    (kd_term,) = (term for term in kd if term.startswith("kd/"))
    (cwd_term,) = (term for term in cwd if term.startswith("cwd/"))
    assert row[kd_term] == pytest.approx(2 * kd[kd_term], rel=1e-6)
    assert row[cwd_term] == cwd[cwd_term]


def test_adapters_train_with_the_student_and_players_apart() -> None:
    skd = trainer(run_config("skd"))
    (adversary,) = (each for each in skd.adversaries if each)
    theirs = {id(parameter) for parameter in adversary.module.parameters()}
    (group,) = skd.optimizer.param_groups
    own = {id(parameter) for parameter in group["params"]}
    expected = {id(p) for module in (skd.net, *skd.methods) for p in module.parameters()}
    assert theirs
    assert not own & theirs
    assert own == expected - theirs
    before = {name: p.detach().clone() for name, p in adversary.module.named_parameters()}
    steps(skd, 1)
    changed = {n for n, p in adversary.module.named_parameters() if not torch.equal(p, before[n])}
    assert "output.weight" in changed


def test_first_step_is_plain_gradient_descent() -> None:
    """theta - rate (g + decay theta), with torch's own gradient of the logged loss."""
    training = Training(steps=STEPS, batch=2, learning_rate=0.1, weight_decay=0.01)
    own = trainer(run_config("student", training=training))
    name, parameter = "head.conv_seg.bias", own.net.head.conv_seg.bias
    before = parameter.detach().clone()
    steps(own, 1)
    assert parameter.grad is not None, name
    torch.testing.assert_close(
        parameter.detach(), before - 0.1 * (parameter.grad + 0.01 * before), rtol=0, atol=1e-7
    )


@pytest.mark.parametrize("name", ["kd", "skd"])
def test_gradient_norms_are_those_of_each_term(name: str) -> None:
    """With one term the norm is that of the step's own gradient; they are logged now and then."""
    training = TRAINING.model_copy(update={"gradients_every": 1})
    own, quiet = trainer(run_config(name, training=training)), trainer(run_config(name))
    logged = steps(own, 3)
    for row in logged[::2]:
        assert {f"gradient/{term}" for term in terms_of(row)} <= row.keys()
        assert all(value > 0 for term, value in row.items() if term.startswith("gradient/"))
    assert not any(term.startswith("gradient/") for term in logged[1])
    steps(quiet, 3)
    assert tensors_hash(own.net.state_dict()) == tensors_hash(quiet.net.state_dict())


def test_the_gradient_norm_of_the_only_term_is_the_steps() -> None:
    network = run_config("student").student.model_copy(update={"auxiliary": False})
    own = trainer(run_config("student", student=network))
    (row,) = steps(own, 1)
    gradients = [p.grad.flatten() for p in own.net.parameters() if p.grad is not None]
    assert row["gradient/cross_entropy"] == pytest.approx(float(torch.cat(gradients).norm()))


def test_parts_of_a_batch_add_up_to_its_gradient() -> None:
    """Without batch norm and dropout, whose statistics are a part's, two halves are the whole."""
    network = run_config("student").student.model_copy(update={"dropout": 0.0})
    halves = TRAINING.model_copy(update={"accumulate": 2})
    whole, parts = (
        trainer(run_config("kd", student=network, training=training))
        for training in (TRAINING, halves)
    )
    for own in (whole, parts):
        own.net.eval()
    rows = [steps(own, 1)[0] for own in (whole, parts)]
    assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-5)
    for one, two in zip(whole.net.parameters(), parts.net.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-7)


def reference_cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """Plain loops in double precision: bilinear with half-pixel centres, then -log softmax."""
    n, classes, height, width = logits.shape
    rows, columns = labels.shape[1:]
    total, count = 0.0, 0
    for image in range(n):
        for y in range(rows):
            for x in range(columns):
                label = int(labels[image, y, x])
                if label == 255:
                    continue
                v = min(max((y + 0.5) * height / rows - 0.5, 0), height - 1)
                u = min(max((x + 0.5) * width / columns - 0.5, 0), width - 1)
                y0, x0 = int(v), int(u)
                y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
                a, b = v - y0, u - x0
                values = [
                    (1 - a) * (1 - b) * float(logits[image, k, y0, x0])
                    + (1 - a) * b * float(logits[image, k, y0, x1])
                    + a * (1 - b) * float(logits[image, k, y1, x0])
                    + a * b * float(logits[image, k, y1, x1])
                    for k in range(classes)
                ]
                top = max(values)
                log_sum = top + math.log(math.fsum(math.exp(value - top) for value in values))
                total, count = total + log_sum - values[label], count + 1
    return total / max(count, 1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    grid=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    ignored=st.floats(0, 1),
)
def test_cross_entropy_is_the_plain_formula(
    seed: int, grid: tuple[int, int], size: tuple[int, int], ignored: float
) -> None:
    draw = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(2, 3, *grid, generator=draw)
    labels = torch.randint(0, 3, (2, *size), generator=draw)
    labels[torch.rand(labels.shape, generator=draw) < ignored] = 255
    value = float(cross_entropy(logits, labels, counted_pixels(labels)))
    assert value == pytest.approx(reference_cross_entropy(logits, labels), rel=2e-5, abs=1e-6)


def test_cross_entropy_of_ignored_pixels_alone_is_zero_without_gradient() -> None:
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    labels = torch.full((1, 6, 6), 255)
    loss = cross_entropy(logits, labels, counted_pixels(labels))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@settings(max_examples=50, deadline=None)
@given(
    steps=st.integers(1, 40_000),
    part=st.floats(0, 1, exclude_max=True),
    power=st.floats(0.1, 2),
    warmup=st.integers(0, 1000),
)
def test_rate_is_the_poly_schedule(steps: int, part: float, power: float, warmup: int) -> None:
    training = Training(steps=steps, batch=1, learning_rate=0.02, power=power, warmup=warmup)
    step = int(part * steps)
    ramp = (step + 1) / warmup if step < warmup else 1.0
    expected = 0.02 * ramp * math.exp(power * math.log1p(-step / steps))
    assert poly(training, step) == pytest.approx(expected, rel=1e-9)


def test_schedule_at_its_ends() -> None:
    training = Training(steps=40_000, batch=16, learning_rate=0.02)
    assert poly(training, 0) == 0.02
    assert poly(training, 20_000) == pytest.approx(0.02 * 0.5**0.9, rel=1e-12)
    assert poly(training, 39_999) == pytest.approx(0.02 * (1 / 40_000) ** 0.9, rel=1e-9)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (Term("kdd", {}), "methods: unknown method 'kdd'; did you mean 'kd'"),
        (Term("kd", {"wieght": 1.0}), "methods.kd.wieght: unknown; did you mean 'weight'"),
        (Term("kd", {"weight": "much"}), "methods.kd.weight: Input should be a valid number"),
        (Term("pcd", {"matching": "no"}), "methods.pcd"),
        (Term("nowhere.at.all:Method", {}), "unknown method|No module named"),
    ],
)
def test_wrong_blocks_are_named(term: Term, message: str) -> None:
    spec: Any = frozen_teacher().spec()
    with pytest.raises(SuiteError, match=message):
        build_method(term, spec, spec)
