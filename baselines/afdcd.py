"""Af-DCD: contrast parts of channels and patches of one feature map, without augmentation."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.features import feature_pair, logit_kl
from segdistill.distill.generation import MaskedGenerator
from segdistill.distill.regions import Ignore

# Numbers that the gradient of `distances` holds at a time, on CUDA: 1 GiB in float32. From 2^31
# on, torch's kernel writes beyond its buffer (pytorch/pytorch#193099).
DIFFERENCES = 2**28


class AfDCD(Distiller):
    """Masked feature generation with an omni-contrastive loss on what is generated.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(AfDCD(AfDCD.Config(), *specs()).losses(*batch()))
        ['kd', 'feature', 'contrast']
    """

    name = "afdcd"
    paper = (
        "J. Fan, C. Li, X. Liu, M. Song, A. Yao, Augmentation-Free Dense Contrastive Knowledge "
        "Distillation for Efficient Semantic Segmentation, NeurIPS 2023"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weights (Cityscapes script), and how the map is parted: `groups` of channels, max-pooling
        by `pool`, then `patch` x `patch` positions. `groups` falls to a divisor of the width.
        """

        kd_weight: float = 1.0
        feature_weight: float = 2e-6
        contrast_weight: float = 0.005
        mask_ratio: float = 0.75
        temperature: float = 0.07
        groups: int = 16
        pool: int = 4
        patch: int = 4
        tap: str = "backbone.4"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if min(config.temperature, config.groups, config.pool, config.patch) <= 0:
            raise ValueError(f"temperature, groups, pool and patch must be positive: {config}")
        if not (config.feature_weight or config.contrast_weight):
            return
        self.student_taps = self.teacher_taps = (config.tap,)
        widths = student.channels[config.tap], teacher.channels[config.tap]
        self.generator = MaskedGenerator(*widths, config.mask_ratio)
        self.groups = max(d for d in range(1, config.groups + 1) if widths[1] % d == 0)

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`kd` as KD with T = 1; `feature` as MGD; `contrast`: cross entropy summed over groups,
        mean over the pooled positions.
        """
        config, terms = self.config, {}
        if config.kd_weight:
            divergence = logit_kl(student, teacher, labels, 1.0, config.ignore)
            terms["kd"] = config.kd_weight * divergence
        if not (config.feature_weight or config.contrast_weight):
            return terms
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        generated = self.generator(pair.student, pair.valid)
        if pair.valid is not None:
            generated = generated.masked_fill(~pair.valid[:, None], 0.0)
        if config.feature_weight:  # (1) the generated feature against the teacher's
            squares = ((generated - pair.teacher) ** 2).sum()
            terms["feature"] = config.feature_weight * squares / len(labels)
        if config.contrast_weight:
            terms["contrast"] = config.contrast_weight * self._contrast(
                generated, pair.teacher, pair.valid
            )
        return terms

    def _contrast(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        own, present = self._parts(student, valid)
        other, _ = self._parts(teacher, valid)
        # (2) similarity of part a of the student and part b of the teacher: -|a - b|_1 / T
        scores = -distances(own, other) / self.config.temperature
        # (3) the positive is the same part; negatives are all other groups of the same patch
        group = torch.arange(own.shape[1], device=own.device) % self.groups
        same_part = torch.eye(len(group), dtype=torch.bool, device=own.device)
        compared = (group[:, None] != group) | same_part
        scores = scores.masked_fill(~(compared & present[:, None]), -torch.inf)
        scores = torch.where(same_part & ~present[:, None], 0.0, scores)
        # (4) cross entropy of the positive: a sum over groups, a mean over pooled positions
        losses = scores.logsumexp(dim=2) - scores.diagonal(dim1=1, dim2=2)
        positions = present.sum().clamp(min=1) / self.groups
        return losses.masked_fill(~present, 0.0).sum() / positions

    def _parts(self, features: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        """Parts of every patch, B L C/M with L = patch^2 M, and which of them exist, B L."""
        count, channels, *_ = features.shape
        lowest = features if valid is None else features.masked_fill(~valid[:, None], -torch.inf)
        pooled = F.max_pool2d(lowest, self.config.pool, ceil_mode=True)
        side = self.config.patch
        rows, columns = (-length % side for length in pooled.shape[-2:])
        pooled = F.pad(pooled, (0, columns, 0, rows), value=-torch.inf)
        present = pooled.isneginf().logical_not().any(dim=1, keepdim=True)
        pooled = pooled.masked_fill(~present, 0.0)
        patches = F.unfold(pooled, side, stride=side)  # N (C side^2) P
        patches = patches.view(count, self.groups, channels // self.groups, side**2, -1)
        parts = patches.permute(0, 4, 3, 1, 2).flatten(2, 3).flatten(0, 1)
        exists = F.unfold(present.to(features.dtype), side, stride=side) > 0  # N side^2 P
        exists = exists.transpose(1, 2).flatten(0, 1).repeat_interleave(self.groups, dim=1)
        return parts, exists


def distances(own: Tensor, other: Tensor) -> Tensor:
    """Sum over D of |own - other| for every pair of parts of one patch: B L D twice, to B L L.

    Some patches at a time: `DIFFERENCES` bounds what the gradient needs.
    """
    patches = max(1, DIFFERENCES // (own.shape[1] ** 2 * own.shape[2]))
    pairs = zip(*(torch.split(each, patches) for each in (own, other)), strict=True)
    return torch.cat([torch.cdist(some, others, p=1.0) for some, others in pairs])
