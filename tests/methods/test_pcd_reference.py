"""PCD (reconstructed from the abstract) against the plain loops of `pcd_reference`, in float64."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator
from pcd_reference import Array, Labels, Reference

from pcd import PCD
from pcd.config import CHOICES
from segdistill.distill import NetSpec, View

TAP = "head.embedding"
CLASSES = 5  # the last never occurs, the one before it on one pixel of a batch at most
Batch = tuple[Array, Array, Labels]
BASE = PCD.Config(min_pixels=2, temperature=1.5, weight=3.0)


def draw_batch(rng: Generator, images: int, own: int, width: int, size: tuple[int, int]) -> Batch:
    """Features with a dead teacher channel, and labels twice as fine with 255s among them."""
    student = rng.normal(size=(images, own, *size))
    teacher = rng.normal(2.0, 3.0, size=(images, width, *size))
    teacher[:, 0] = 7.3
    labels = rng.choice([0, 1, 2, 255], size=(images, *size), p=[0.4, 0.3, 0.2, 0.1])
    labels[0, 0, 0] = 3
    return student, teacher, labels


def compare(config: PCD.Config, batches: list[Batch], classifier: Array) -> PCD:
    """Run both on the batches; loss, scores and gradient agree to 1e-9 at each. Returns ours."""
    own, width = batches[0][0].shape[1], batches[0][1].shape[1]
    weights = torch.from_numpy(classifier)
    method = PCD(
        config, NetSpec(CLASSES, {TAP: own}), NetSpec(CLASSES, {TAP: width}, classifier=weights)
    )
    reference = Reference(
        config,
        CLASSES,
        classifier if config.response == "classifier" else None,
        method.scores.tolist(),
    )
    for student, teacher, labels in batches:
        expected, slope = reference.step(student, teacher, labels)
        maps = torch.from_numpy(student).requires_grad_()
        fine = np.full((len(labels), 2 * labels.shape[1], 2 * labels.shape[2]), 255)
        fine[:, ::2, ::2] = labels
        views = [View(x, {TAP: x}) for x in (maps, torch.from_numpy(teacher))]
        loss = method.losses(*views, torch.from_numpy(fine))["channel"]
        loss.backward()
        assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(maps.grad, slope, rtol=1e-9, atol=1e-9)
        if reference.scores is not None:
            np.testing.assert_allclose(method.scores, reference.scores, rtol=1e-9, atol=1e-9)
    assert method.counters()["skipped_steps"] == reference.skipped
    return method


SINGLE: list[dict[str, Any]] = [
    *({name: value} for name, values in CHOICES.items() for value in values),
    *({"score": score, "response": "classifier"} for score in ("margin", "range", "fisher")),
    *({"keep": ratio} for ratio in (0.01, 0.4, 0.5, 1.0)),
    {"keep": 0.4, "matching": "nearest"},
    {"min_pixels": 1, "score": "fisher"},
    {"rematch_every": 2},
    {"rematch_every": 2, "responses": "batch"},
    {"divergence": "mse", "ignore": "keep"},
]


@pytest.mark.parametrize("options", SINGLE, ids=str)
@pytest.mark.parametrize("widths", [(3, 5), (4, 4), (5, 3)], ids=str)
def test_every_option_agrees(options: dict[str, Any], widths: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    batches = [draw_batch(rng, 2, *widths, (3, 4)) for _ in range(3)]
    compare(replace(BASE, **options), batches, rng.normal(size=(CLASSES, widths[1])))


@given(
    options=st.fixed_dictionaries({name: st.sampled_from(v) for name, v in CHOICES.items()}),
    keep=st.sampled_from(["student", 0.3, 0.75]),
    shape=st.tuples(st.integers(1, 3), st.integers(2, 5), st.integers(2, 5)),
    size=st.tuples(st.integers(2, 4), st.integers(3, 4)),
    min_pixels=st.sampled_from([1, 3, 6]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_random_combinations_agree(
    options: dict[str, Any],
    keep: Any,
    shape: tuple[int, int, int],
    size: tuple[int, int],
    min_pixels: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    batches = [draw_batch(rng, *shape, size) for _ in range(2)]
    config = replace(BASE, keep=keep, min_pixels=min_pixels, **options)
    compare(config, batches, rng.normal(size=(CLASSES, shape[2])))


@pytest.mark.parametrize("divergence", CHOICES["divergence"])
@pytest.mark.parametrize("images", [1, 4])
def test_maps_of_one_pixel_agree(images: int, divergence: str) -> None:
    rng = np.random.default_rng(3)
    batches = [draw_batch(rng, images, 3, 4, (1, 1)) for _ in range(4)]
    for index, (_, _, labels) in enumerate(batches):
        labels[:] = np.arange(images)[:, None, None] % 3 + index % 2
    config = replace(BASE, min_pixels=1, divergence=divergence)
    compare(config, batches, rng.normal(size=(CLASSES, 4)))


@pytest.mark.parametrize("divergence", CHOICES["divergence"])
def test_an_image_and_then_a_batch_without_a_valid_pixel_agree(divergence: str) -> None:
    rng = np.random.default_rng(4)
    batches = [draw_batch(rng, 2, 3, 4, (3, 3)) for _ in range(3)]
    batches[1][2][1] = 255
    batches[2][2][:] = 255
    config = replace(BASE, divergence=divergence, rematch_every=9)
    method = compare(config, batches, rng.normal(size=(CLASSES, 4)))
    assert method.counters()["skipped_steps"] == 0


def test_the_first_batch_may_be_void() -> None:
    rng = np.random.default_rng(5)
    batches = [draw_batch(rng, 2, 3, 4, (3, 3)) for _ in range(3)]
    batches[0][2][:] = 255
    method = compare(BASE, batches, rng.normal(size=(CLASSES, 4)))
    assert method.counters()["skipped_steps"] == 1


def test_a_dead_student_channel_has_no_gradient_under_mse() -> None:
    rng = np.random.default_rng(6)
    student, teacher, labels = draw_batch(rng, 2, 3, 4, (3, 3))
    student[:, 1] = -2.1
    config = replace(BASE, divergence="mse")
    compare(config, [(student, teacher, labels)], rng.normal(size=(CLASSES, 4)))
