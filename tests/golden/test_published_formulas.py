"""Every method gives the loss and the gradient of its authors' published code."""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from segdistill.distill import NetSpec, View, load

TAP = "head.embedding"


class Case(NamedTuple):
    """How a golden case is written in our Config: one term of weight 1, the others 0."""

    method: str
    options: dict[str, object]
    same_width: bool = False


SKD_PAIR = {"pixel_weight": 0, "pair_weight": 1, "holistic_weight": 0, "tap": TAP}
CIRKD = {"minibatch_weight": 1, "memory_pixel_weight": 0, "memory_region_weight": 0, "kd_weight": 0}
CASES = {
    "kd_t1": Case("kd", {"weight": 1, "temperature": 1}),
    "kd_t4": Case("kd", {"weight": 1, "temperature": 4}),
    "cwd_logits_t4": Case("cwd", {"weight": 1, "temperature": 4, "tap": "logits"}),
    "cwd_feature_t4": Case("cwd", {"weight": 1, "temperature": 4, "tap": TAP}, True),
    "cwd_feature_t1": Case("cwd", {"weight": 1, "temperature": 1, "tap": TAP}, True),
    "skd_pair_kernel2": Case("skd", {**SKD_PAIR, "pair_pool": 2, "detach_norm": False}),
    "skd_pair_half_detached": Case("skd", {**SKD_PAIR, "pair_pool": 0.5, "detach_norm": True}),
    "ifvd": Case("ifvd", {"weight": 1, "pixel_weight": 0, "holistic_weight": 0, "tap": TAP}),
    "dist_t1": Case("dist", {"weight": 1, "beta": 1, "gamma": 1, "temperature": 1}),
    "at": Case("at", {"weight": 1, "tap": TAP}),
    "cirkd_minibatch_t01": Case("cirkd", {**CIRKD, "temperature": 0.1, "tap": TAP}, True),
}


@cache
def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _run(case: Case, inputs: dict[str, np.ndarray], leaf: str) -> tuple[Tensor, Tensor]:
    held = {name: torch.from_numpy(array) for name, array in inputs.items()}
    held[leaf].requires_grad_()
    teacher_feature = held["teacher_feature_same" if case.same_width else "teacher_feature"]
    student = View(held["student_logits"], {TAP: held["student_feature"]})
    teacher = View(held["teacher_logits"], {TAP: teacher_feature})
    method = load(case.method)
    distiller = method(
        method.Config(**case.options),
        *(
            NetSpec(view.logits.shape[1], {TAP: view.taps[TAP].shape[1]})
            for view in (student, teacher)
        ),
    )
    terms = distiller.losses(student, teacher, held["labels"])
    loss = torch.stack(list(terms.values())).sum()
    (gradient,) = torch.autograd.grad(loss, held[leaf])
    held[leaf].requires_grad_(False)
    return loss.detach(), gradient


@pytest.mark.shared
@pytest.mark.parametrize("inputs", ["a", "b"])
@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradient_are_the_published_ones(shared: Path, name: str, inputs: str) -> None:
    folder = shared / "golden"
    expected = json.loads((folder / f"{inputs}.json").read_text())[name]
    published = _arrays(folder / f"{inputs}_gradients.npz")[name]
    loss, gradient = _run(
        CASES[name], _arrays(folder / f"{inputs}_inputs.npz"), expected["gradient_of"]
    )
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-5)
    difference = np.linalg.norm(gradient.numpy() - published) / np.linalg.norm(published)
    assert difference <= 1e-4


@pytest.mark.shared
@pytest.mark.parametrize("inputs", ["a", "b"])
def test_every_golden_case_is_tested(shared: Path, inputs: str) -> None:
    assert set(json.loads((shared / "golden" / f"{inputs}.json").read_text())) == set(CASES)
