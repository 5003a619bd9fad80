"""PCD's view of a trained pair: training batches once more, with the finished student."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdistill.data.augmentation import Augmentation
from segdistill.data.opening import open_data
from segdistill.data.splits import Split
from segdistill.data.stream import Batch, batches
from segdistill.distill import View
from segdistill.errors import SuiteError
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import SegmentationNet, build
from segdistill.models.weights import load_weights
from segdistill.pipeline.cells import TEACHER, run_folder
from segdistill.settings.loading import RunConfig, Term, student_run
from segdistill.settings.schema import Network
from segdistill.training.methods import build_method

METHOD = "pcd"
CONTROLS = ("random", "none")  # scores that look at no class
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """One training batch and the two feature maps of it."""

    images: NDArray[np.uint8]  # N 3 H W, RGB
    labels: Integers  # N H W, 255 = ignore
    teacher: Floats  # N C_t h w
    student: Floats  # N C_s h w


@dataclass(frozen=True)
class Channels:
    """What PCD finds in a teacher's channels over some batches, and what one student learns."""

    config: RunConfig
    classes: tuple[str, ...]  # k', those with pixels enough
    responses: Floats  # k' C_t
    scores: Floats  # C_t
    kept: Integers  # M, teacher channels, best first
    matched: Integers  # C_s, the teacher channel each student channel learns, or -1
    rematched: tuple[float, ...]  # share of the matching that each batch after the first changes
    examples: Examples

    @property
    def ranked(self) -> Integers:
        """All teacher channels, best first; the lower one first among equals."""
        return np.argsort(-self.scores, kind="stable")

    def learner_of(self, channel: int) -> int | None:
        """The first student channel that learns teacher channel `channel`, if any does."""
        learners = np.flatnonzero(self.matched == channel)
        return int(learners[0]) if len(learners) else None


def inspect_channels(profile: str, dataset: str, method: str, seed: int, steps: int) -> Channels:
    """Show PCD the first `steps` batches of a finished training, the student held fixed.

    The teacher is frozen, so its sums, scores and kept channels are those that the training had
    at that step. Raises SuiteError for another method, a control, or missing weights.
    """
    config = student_run(profile, dataset, method, seed)
    split = open_data(dataset, config.data, config.data.train_split)
    classes = len(split.info.classes)
    student = _open(config.student, config, config.method, classes)
    teacher = _open(config.teacher or config.student, config, TEACHER, classes)
    distiller = build_method(_pcd_term(config), student.spec(), teacher.spec())
    changes = []
    for batch in _first_batches(config, split, steps):
        own, other = _views(student, teacher, batch, distiller.student_taps)
        torch.manual_seed(0)
        distiller.losses(own, other, batch.labels)
        changes.append(distiller.counters()["matched_changed"])
    tap = distiller.student_taps[0]
    found: Any = distiller
    findings = found.findings()
    if len(findings.classes) < 2:
        raise SuiteError(
            f"{dataset}: fewer than two classes have {found.config.min_pixels} pixels in {steps} "
            "batches, so no channel has a score; show more with --steps"
        )
    return Channels(
        config,
        tuple(split.info.classes[index] for index in findings.classes.tolist()),
        findings.responses.numpy(),
        findings.scores.numpy(),
        findings.kept.numpy(),
        findings.matched.numpy(),
        tuple(changes[1:]),
        _examples(batch, other.taps[tap], own.taps[tap]),
    )


def _pcd_term(config: RunConfig) -> Term:
    """PCD's term of the run, with running sums, which alone can be looked at afterwards."""
    term = next((term for term in config.terms if term.method == METHOD), None)
    if term is None:
        raise SuiteError(f"methods.{config.method}: not {METHOD}, so there is nothing to inspect")
    score = term.fields.get("score")
    if score in CONTROLS:
        raise SuiteError(
            f"methods.{config.method}: score {score!r} is a control that looks at no class; "
            "inspect a run with another score"
        )
    if term.fields.get("weight") == 0:
        raise SuiteError(f"methods.{config.method}: weight 0 leaves nothing to inspect")
    return Term(METHOD, {**term.fields, "responses": "running"})


def _open(network: Network, config: RunConfig, method: str, classes: int) -> SegmentationNet:
    net = build(network, classes)
    folder = run_folder(config.profile, config.dataset, method, config.seed)
    path = folder / "weights.safetensors"
    if not path.is_file():
        stage = f"{config.profile}-{config.dataset}"
        if method != TEACHER:
            stage = f"{stage}-{method}-{config.seed}"
        kind = TEACHER if method == TEACHER else "train"
        raise SuiteError(f"{path}: no weights yet; run `dvc repro {kind}@{stage}`")
    load_weights(path, net)
    return net.eval()


def _first_batches(config: RunConfig, split: Split, steps: int) -> Iterator[Batch]:
    recipe = config.training
    augmentation = Augmentation(config.data.crop, recipe.scale, recipe.flip)
    yield from batches(split, augmentation, config.seed, recipe.batch, 0, steps)


@torch.no_grad()
def _views(
    student: SegmentationNet, teacher: SegmentationNet, batch: Batch, taps: tuple[str, ...]
) -> tuple[View, View]:
    images = normalise(batch.images)
    own, other = student(images, taps), teacher(images, taps)
    return View(own.logits, own.taps, images), View(other.logits, other.taps, images)


def _examples(batch: Batch, teacher: Tensor, student: Tensor) -> Examples:
    return Examples(
        batch.images.numpy(),
        batch.labels.numpy(),
        teacher.double().numpy(),
        student.double().numpy(),
    )
