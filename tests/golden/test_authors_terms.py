"""Every term gives the value and the gradient of its authors' code, without development data.

`published/` holds what that code gave on small seeded inputs, at weight 1 and in its own
normalisation; `published/README.md` names the code. `CASES` says how each term is written here and
by which factor the two normalisations differ.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View, load

PUBLISHED = Path(__file__).parent / "published"
TAP = "head.embedding"
LEAVES = "logits", "feature"


class Sizes(NamedTuple):
    """What a factor may depend on: batch, classes, map, and the widths of both features."""

    n: int
    k: int
    h: int
    w: int
    narrow: int
    wide: int


class Case(NamedTuple):
    """One published term: our options for it, its factor, and our names of stored parameters."""

    method: str
    options: Mapping[str, object]
    factor: Callable[[Sizes], float]  # published term = factor x ours
    parameters: Mapping[str, str] = {}
    side: int | None = None  # the corner of the maps that is used; all of them by default


def same(_: Sizes) -> float:
    """The factor of a term that is normalised as ours is."""
    return 1.0


SKD = {"pixel_weight": 0, "pair_weight": 0, "holistic_weight": 0, "tap": TAP}
IFVD = {"weight": 0, "pixel_weight": 0, "holistic_weight": 0, "tap": TAP}
DSD = {"psd_weight": 0, "csd_weight": 0, "tap": TAP}
CIRKD = {
    **{"kd_weight": 0, "minibatch_weight": 0, "memory_pixel_weight": 0, "memory_region_weight": 0},
    **{"temperature": 0.1, "pixel_queue": 20, "region_queue": 4, "tap": TAP},
    # The published code queues pixels of other classes: its queue is loaded, and nothing is added.
    "queued_pixels": 0,
}
AFDCD = {"kd_weight": 0, "feature_weight": 0, "contrast_weight": 0, "tap": TAP}
ADAPTER = {"adapter.weight": "cwd/conv.weight"}
REGRESSOR = {"adapter.weight": "fitnet/conv.weight"}
PROJECTION = {
    "projection.widen.weight": "memory/project_head.0.weight",
    "projection.norm.weight": "memory/project_head.1.weight",
    "projection.norm.bias": "memory/project_head.1.bias",
    "projection.mix.weight": "memory/project_head.3.weight",
}
PIXELS = {**PROJECTION, "pixels.entries": "memory_after/teacher_pixel_queue"}
REGIONS = {**PROJECTION, "regions.entries": "memory/teacher_segment_queue"}


def generator(prefix: str, body: str) -> dict[str, str]:
    """Our names of a masked generator's parameters, and those they are stored under."""
    layers = {"align": "align", "generate.0": f"{body}.0", "generate.2": f"{body}.2"}
    return {
        f"generator.{ours}.{kind}": f"{prefix}/{theirs}.{kind}"
        for ours, theirs in layers.items()
        for kind in ("weight", "bias")
    }


MGD = generator("mgd", "generation")
AF = generator("afdcd", "projetor")
CASES = {
    # CIRKD: mean over pixels
    "kd_t1": Case("kd", {"weight": 1, "temperature": 1}, same),
    "kd_t4": Case("kd", {"weight": 1, "temperature": 4}, same),
    # SKD: mean over positions, sum over the batch
    "skd_pixel": Case("skd", {**SKD, "pixel_weight": 1}, lambda s: s.n),
    # IFVD: mean over positions, batch and classes
    "ifvd_pixel": Case("ifvd", {**IFVD, "pixel_weight": 1}, lambda s: 1 / s.k),
    # TorchDistiller: T^2 / (N K) sum over maps
    "cwd_logits_t4": Case("cwd", {"weight": 1, "temperature": 4, "tap": "logits"}, same),
    # CIRKD: divided by the width before the adapter
    "cwd_feature_t4": Case(
        "cwd", {"weight": 1, "temperature": 4, "tap": TAP}, lambda s: s.wide / s.narrow, ADAPTER
    ),
    "cwd_feature_t1": Case(
        "cwd", {"weight": 1, "temperature": 1, "tap": TAP}, lambda s: s.wide / s.narrow, ADAPTER
    ),
    # CIRKD: mean over N P P
    "skd_pair_kernel2": Case("skd", {**SKD, "pair_weight": 1, "pair_pool": 2}, same),
    # SKD: the same mean, norms out of the gradient
    "skd_pair_half_detached": Case(
        "skd", {**SKD, "pair_weight": 1, "pair_pool": 0.5, "detach_norm": True}, same
    ),
    # IFVD and CIRKD: mean over N h w
    "ifvd_ifv": Case("ifvd", {**IFVD, "weight": 1}, same),
    # CIRKD: mean over N h w
    "at": Case("at", {"weight": 1, "tap": TAP}, same),
    # CIRKD: mean over N C_t h w
    "fitnet": Case("fitnet", {"weight": 1, "tap": TAP}, same, REGRESSOR),
    # CIRKD, given the feature and the logits alone: mean over N h w
    "dsd_psd_two_maps": Case("dsd", {**DSD, "psd_weight": 1}, same),
    # DIST_KD: means over pixels and over classes
    "dist_t1": Case("dist", {"weight": 1, "beta": 1, "gamma": 1, "temperature": 1}, same),
    "dist_beta2_gamma_half": Case("dist", {"weight": 1, "beta": 2, "gamma": 0.5}, same),
    # MGD: a sum over C_t h w, mean over N
    "mgd": Case("mgd", {"weight": 1, "mask_ratio": 0.75, "tap": TAP}, same, MGD),
    # CIRKD: mean over image pairs and rows
    "cirkd_minibatch": Case("cirkd", {**CIRKD, "minibatch_weight": 1}, same),
    # CIRKD: mean over labelled pixels
    "cirkd_memory_pixel": Case("cirkd", {**CIRKD, "memory_pixel_weight": 1}, same, PIXELS),
    "cirkd_memory_region": Case("cirkd", {**CIRKD, "memory_region_weight": 1}, same, REGIONS),
    # Af-DCD: a sum over C_t h w, mean over N
    "afdcd_feature": Case("afdcd", {**AFDCD, "feature_weight": 1}, same, AF, side=16),
    # Af-DCD: a sum over groups, mean over N and pooled positions
    "afdcd_contrast": Case("afdcd", {**AFDCD, "contrast_weight": 1}, same, AF, side=16),
    "afdcd_contrast_unpooled": Case(
        "afdcd", {**AFDCD, "contrast_weight": 1, "pool": 1}, same, AF, side=16
    ),
}
# Published terms that are not written here yet, and why ours differs.
MISSING = {
    "a/cirkd_minibatch": "unequal widths: the published term is never projected, ours is",
    **{f"{inputs}/dsd_psd": "three maps, ours has two" for inputs in "ab"},
    **{f"{inputs}/dsd_csd": "softmax over positions, pooled" for inputs in "ab"},
    "c/afdcd_contrast_floor": "drops what the pooling does not fill, ours keeps it",
}
VALUES: dict[str, float] = json.loads((PUBLISHED / "terms.json").read_text())


@cache
def arrays(name: str) -> dict[str, NDArray[Any]]:
    with np.load(PUBLISHED / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def tensors(inputs: str, side: int | None) -> dict[str, Tensor]:
    """The stored inputs; maps are cut to their corner of `side` x `side`."""
    held = {}
    for name, array in arrays(f"inputs_{inputs}").items():
        tensor = torch.from_numpy(array)
        held[name] = tensor.float() if tensor.is_floating_point() else tensor.long()
        if name.startswith(("student_", "teacher_")) or name.endswith("/draw"):
            held[name] = held[name][:, :, :side, :side]
    unlabelled = torch.zeros(held["student_logits"][:, 0].shape, dtype=torch.long)
    return {"labels": unlabelled, **held}


def load_stored(
    distiller: Distiller, stored: Mapping[str, Tensor], names: Mapping[str, str]
) -> None:
    """Give `distiller` the parameters and full queues that the published code was run with."""
    state = distiller.state_dict()
    for ours, theirs in names.items():
        if ours in state:  # an alignment exists only where the widths differ
            state[ours] = stored[theirs].reshape(state[ours].shape)
            if ours.endswith(".entries"):
                filled = ours.replace("entries", "filled")
                state[filled] = torch.full_like(state[filled], state[ours].shape[1])
    distiller.load_state_dict(state)


def published_scale(case: Case, held: Mapping[str, Tensor]) -> Tensor:
    """Our term, times its factor."""
    student = View(held["student_logits"], {TAP: held["student_feature"]})
    teacher = View(held["teacher_logits"], {TAP: held["teacher_feature"]})
    (n, k, h, w), method = student.logits.shape, load(case.method)
    widths = [view.taps[TAP].shape[1] for view in (student, teacher)]
    specs = [NetSpec(k, {TAP: width}) for width in widths]
    distiller = method(method.Config(**case.options), *specs)
    load_stored(distiller, held, case.parameters)
    terms = distiller.losses(student, teacher, held["labels"])
    return case.factor(Sizes(n, k, h, w, *widths)) * torch.stack(list(terms.values())).sum()


@pytest.mark.parametrize("name", [name for name in VALUES if name not in MISSING])
def test_value_and_gradient_are_the_authors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, term = name.split("/")
    case, published = CASES[term], arrays("terms")
    held = tensors(inputs, case.side)
    leaves = [held[f"student_{leaf}"].requires_grad_() for leaf in LEAVES]
    draw = held.get(f"{case.method}/draw")
    if draw is not None:  # the numbers that the published code drew its mask from
        monkeypatch.setattr(torch, "rand", lambda *size, **_: draw.clone().reshape(size))

    loss = published_scale(case, held)

    assert loss.item() == pytest.approx(VALUES[name], rel=1e-5)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    for leaf, gradient in zip(LEAVES, gradients, strict=True):
        assert (gradient is not None) == (f"{name}/{leaf}" in published), leaf
        if gradient is not None:
            expected = published[f"{name}/{leaf}"]
            difference = np.linalg.norm(gradient.numpy() - expected)
            assert difference <= 1e-4 * np.linalg.norm(expected), leaf


def test_every_published_term_is_tested_or_named_as_missing() -> None:
    tested = {name for name in VALUES if name not in MISSING}
    assert {name.split("/")[1] for name in tested} == set(CASES)
    assert set(MISSING) <= set(VALUES)
