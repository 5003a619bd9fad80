"""PCD (reconstructed from the abstract): prune the teacher's channels, then distil what is left.

B. Lee, K. Ko, J. Hong, H. Ko, "Prune Channel and Distill: Discriminative Knowledge Distillation
for Semantic Segmentation", IEEE ICIP 2024, pp. 339-345. Only the abstract is open: it names the
two processes, a discriminative score "from the perspective of the difference between class
responses", and the student's choice among the kept channels. Every formula here is ours.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from pcd.config import PCDConfig
from pcd.divergence import pair_divergence
from pcd.maps import Centred, centre
from pcd.matching import UNMATCHED, match, similarity
from pcd.responses import class_responses, discriminative_score, keep_best
from pcd.sums import RunningSums, class_sums
from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import to_float32
from segdistill.distill.regions import IGNORE, downsample_labels, on_grid

CLASSIFIED_TAP = "head.embedding"
CONTROLS = ("random", "none")  # scores that need no classes


class Findings(NamedTuple):
    """What the running sums say of the teacher's channels, and the matching they led to."""

    classes: Tensor  # k', the classes with pixels enough
    responses: Tensor  # k' C_t, float64
    scores: Tensor  # C_t, float64
    kept: Tensor  # M, teacher channels, best first
    matched: Tensor  # C_s, the teacher channel each student channel learns, or -1


class PCD(Distiller):
    """PCD (reconstructed from the abstract): no adapter stands between the two feature maps."""

    name: ClassVar[str] = "pcd"
    paper: ClassVar[str] = (
        "PCD (reconstructed from the abstract): B. Lee, K. Ko, J. Hong, H. Ko, Prune Channel and "
        "Distill: Discriminative Knowledge Distillation for Semantic Segmentation, ICIP 2024"
    )
    reconstructed: ClassVar[bool] = True
    Config = PCDConfig
    config: PCDConfig

    classifier: Tensor | None  # K C
    scores: Tensor  # C_t, of the last step that had any; drawn once for `random`, 0 for `none`
    kept: Tensor  # M, teacher channels, best first
    matched: Tensor  # C_s, the teacher channel each student channel learns, or -1
    waited: Tensor  # steps since the last matching
    skipped: Tensor  # steps without a score
    kept_changed: Tensor
    matched_changed: Tensor
    mean_similarity: Tensor

    def __init__(self, config: PCDConfig, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.student_taps = self.teacher_taps = (config.tap,)
        own, width = _width(student, config.tap), _width(teacher, config.tap)
        kept = _kept_count(config, own, width)
        self.sums = RunningSums(teacher.classes, width)
        self.register_buffer("classifier", _classifier(config, teacher), persistent=False)
        # Saved, so that the control `random` prunes the same channels after a resume.
        scores = torch.rand(width) if config.score == "random" else torch.zeros(width)
        self.register_buffer("scores", scores.double())
        self.register_buffer("kept", torch.full((kept,), UNMATCHED))
        self.register_buffer("matched", torch.full((own,), UNMATCHED))
        self.register_buffer("waited", torch.tensor(config.rematch_every))
        self.register_buffer("skipped", torch.tensor(0))
        for counter in ("kept_changed", "matched_changed", "mean_similarity"):
            self.register_buffer(counter, torch.tensor(0.0))

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """The term `channel`: the divergence of every matched pair of channels, weighted."""
        if self.config.weight == 0:
            return {}
        own = student.taps[self.config.tap]
        other = teacher.taps[self.config.tap].detach()
        with torch.autocast(own.device.type, enabled=False):
            return {"channel": self.config.weight * self._channel(own, other, labels)}

    def _channel(self, own: Tensor, other: Tensor, labels: Tensor) -> Tensor:
        size = own.shape[-2:]
        with torch.no_grad():
            other, valid = on_grid(other, labels, size, self.config.ignore)
            labels, valid = self._pixels(downsample_labels(labels, size), valid)
            scored = self._prune_and_match(own, other, labels, valid)
        if not scored:
            self.skipped += 1
            return to_float32(own[:0]).sum()
        return pair_divergence(
            own, other, self.matched, self.config.divergence, self.config.temperature, valid
        )

    def _pixels(self, labels: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Labels (N h w) in the form of `class_sums`, and P (N h w bool; None: every pixel)."""
        # Masks cost a fifth of the step, so a batch that ignores nothing goes without.
        if valid is None or bool(valid.all()):
            return labels.clamp(max=self.teacher_spec.classes), None
        return labels.masked_fill(~valid, IGNORE), valid

    def _prune_and_match(
        self, own: Tensor, other: Tensor, labels: Tensor, valid: Tensor | None
    ) -> bool:
        """Bring the matching up to date; False where no score exists at this step."""
        teacher = centre(other, valid)
        scored = self.config.score in CONTROLS or self._score(teacher, labels)
        if scored and self.waited >= self.config.rematch_every:
            self._rematch(centre(own, valid), teacher, keep_best(self.scores, len(self.kept)))
        self.waited += 1
        return scored

    def _score(self, teacher: Centred, labels: Tensor) -> bool:
        """Bring the scores up to date; False where fewer than two classes respond."""
        sums = class_sums(teacher, labels, self.teacher_spec.classes)
        if self.config.responses == "running":
            sums = self.sums.add(sums)
        responses = class_responses(sums, self.config.min_pixels, self.classifier)
        if len(responses.pixels) < 2:
            return False
        self.scores.copy_(discriminative_score(responses, self.config.score))
        return True

    def _rematch(self, student: Centred, teacher: Centred, kept: Tensor) -> None:
        cosines = similarity(student, teacher, kept)
        columns = match(cosines, self.config.matching)
        matched = torch.where(columns == UNMATCHED, UNMATCHED, kept[columns])
        chosen = cosines.gather(1, columns.clamp(min=0)[:, None])[:, 0]
        self.mean_similarity.copy_(chosen[columns != UNMATCHED].mean())
        self.kept_changed.copy_(1 - torch.isin(kept, self.kept).float().mean())
        self.matched_changed.copy_((matched != self.matched).float().mean())
        self.kept.copy_(kept)
        self.matched.copy_(matched)
        self.waited.zero_()

    def findings(self) -> Findings:
        """What the last step knew, to be looked at; needs `responses` "running"."""
        classes = (self.sums.pixels[:-1] >= self.config.min_pixels).nonzero()[:, 0]
        responses = class_responses(self.sums.so_far(), self.config.min_pixels, self.classifier)
        return Findings(classes, responses.response, self.scores, self.kept, self.matched)

    def counters(self) -> Mapping[str, float]:
        """Steps skipped for want of two classes, kept channels, and the last matching.

        `kept_changed` and `matched_changed` are shares (0 to 1) since the matching before it,
        `mean_similarity` (-1 to 1) is over its pairs. They stay on the device until asked for.
        """
        return {
            "skipped_steps": float(self.skipped),
            "kept_channels": float(len(self.kept)),
            "kept_changed": float(self.kept_changed),
            "matched_changed": float(self.matched_changed),
            "mean_similarity": float(self.mean_similarity),
        }


def _width(net: NetSpec, tap: str) -> int:
    if tap not in net.channels:
        raise ValueError(f"tap must be one of {', '.join(net.channels)}, got {tap!r}")
    return net.channels[tap]


def _kept_count(config: PCDConfig, own: int, width: int) -> int:
    if config.score == "none":
        return width
    if isinstance(config.keep, str):
        return min(own, width)
    return max(1, round(config.keep * width))


def _classifier(config: PCDConfig, teacher: NetSpec) -> Tensor | None:
    if config.response == "activation":
        return None
    weights = teacher.classifier
    expected = (teacher.classes, teacher.channels[config.tap])
    if (
        config.tap != CLASSIFIED_TAP
        or weights is None
        or tuple(weights.shape) != expected
        or not weights.any()
    ):
        raise ValueError(
            f"response 'classifier' needs tap {CLASSIFIED_TAP!r} and the teacher's linear "
            f"classifier on it ({expected[0]} x {expected[1]}, not all 0); else choose 'activation'"
        )
    return weights.detach().double()
