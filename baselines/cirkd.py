"""CIRKD: match the similarities of pixels across images, and to a memory of past pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import safe_norm
from segdistill.distill.features import feature_pair, logit_kl
from segdistill.distill.queues import ClassQueues
from segdistill.distill.regions import IGNORE, Ignore, downsample_labels
from segdistill.distill.similarity import similarity_kl


class CIRKD(Distiller):
    """Cross-image relations: pixel to pixel of the batch, pixel to queued pixels and regions.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(CIRKD(CIRKD.Config(), *specs()).losses(*batch()))
        ['kd', 'minibatch', 'pixel', 'region']
    """

    name = "cirkd"
    paper = (
        "C. Yang, H. Zhou, Z. An, X. Jiang, Y. Xu, Q. Zhang, Cross-Image Relational Knowledge "
        "Distillation for Semantic Segmentation, CVPR 2022"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weights; T of the similarities; vectors kept a class, pixels taken of each class of an
        image, vectors drawn over all classes (each class gives count // K + 1).
        """

        minibatch_weight: float = 1.0
        memory_pixel_weight: float = 0.1
        memory_region_weight: float = 0.1
        kd_weight: float = 1.0
        temperature: float = 0.1
        pixel_queue: int = 20000
        region_queue: int = 2000
        queued_pixels: int = 16
        pixel_samples: int = 4096
        region_samples: int = 1024
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        queued = config.memory_pixel_weight or config.memory_region_weight
        if not (config.minibatch_weight or queued):
            return
        self.student_taps = self.teacher_taps = (config.tap,)
        narrow, wide = student.channels[config.tap], teacher.channels[config.tap]
        self.projection: nn.Module = nn.Identity()
        if narrow != wide:
            self.projection = Projection(narrow, wide)
        if config.memory_pixel_weight:
            self.pixels = ClassQueues(student.classes, config.pixel_queue, wide)
        if config.memory_region_weight:
            self.regions = ClassQueues(student.classes, config.region_queue, wide)

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`minibatch`, `pixel`, `region` as in the paper, and `kd` as KD with T = 1."""
        config, terms = self.config, {}
        if config.kd_weight:
            divergence = logit_kl(student, teacher, labels, 1.0, config.ignore)
            terms["kd"] = config.kd_weight * divergence
        if not self.student_taps:
            return terms
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        nearest = downsample_labels(labels, pair.student.shape[-2:]).flatten(1)
        kept = torch.ones_like(nearest, dtype=torch.bool)
        if pair.valid is not None:
            kept = pair.valid.flatten(1)
        own = _directions(self.projection(_rows(pair.student)[kept.flatten()]))
        other = _directions(_rows(pair.teacher)[kept.flatten()])
        if config.minibatch_weight:
            value = cross_image(own, other, kept.sum(dim=1).tolist(), config.temperature)
            terms["minibatch"] = config.minibatch_weight * value
        image = torch.arange(len(nearest), device=nearest.device)[:, None].expand_as(nearest)[kept]
        return terms | self._memory(own, other, nearest[kept], image)

    def _memory(
        self, own: Tensor, other: Tensor, labels: Tensor, image: Tensor
    ) -> dict[str, Tensor]:
        config, terms = self.config, {}
        # The published code leaves ignored pixels out of the memory terms, and so do we: always.
        known = labels != IGNORE
        own, other, labels, image = own[known], other[known], labels[known], image[known]
        share = self.student_spec.classes
        if config.memory_pixel_weight:
            chosen = one_draw(labels, image, config.queued_pixels)
            self.pixels.push(other[chosen], labels[chosen])
            columns = self.pixels.sample(config.pixel_samples // share + 1)
            terms["pixel"] = config.memory_pixel_weight * self._to_queue(own, other, columns)
        if config.memory_region_weight:
            means, classes = region_means(other, labels, image)
            self.regions.push(_directions(means), classes)
            columns = self.regions.sample(config.region_samples // share + 1)
            terms["region"] = config.memory_region_weight * self._to_queue(own, other, columns)
        return terms

    def _to_queue(self, own: Tensor, other: Tensor, columns: Tensor) -> Tensor:
        """(3) mean over pixels of KL between the similarities to one set of queued vectors."""
        columns = columns.to(own.dtype)
        weights = own.new_full((len(own),), 1 / max(1, len(own)))
        pairs = (own, columns), (other, columns)
        return similarity_kl(*pairs, weights, [len(columns)], self.config.temperature)


class Projection(nn.Module):
    """The student's pixels (M C_s) at the teacher's width: linear, batch norm, ReLU, linear.

    Example:
        >>> tuple(Projection(6, 10)(torch.zeros(20, 6)).shape)
        (20, 10)
    """

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.widen = nn.Linear(narrow, wide, bias=False)
        self.norm = nn.BatchNorm1d(wide)
        self.mix = nn.Linear(wide, wide, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """M C_s to M C_t; a lone pixel has no variance and is normalised by the running one."""
        self.norm.train(self.training and len(pixels) > 1)
        projected: Tensor = self.mix(self.norm(self.widen(pixels)).relu())
        return projected


def cross_image(own: Tensor, other: Tensor, counts: list[int], temperature: float) -> Tensor:
    """(1) S_ij = s_i s_j' / T for all image pairs, i = j included; (2) mean over pairs and rows
    of KL( softmax(T_ij) || softmax(S_ij) ).

    Unit vectors of the batch's pixels, image after image, `counts` of each; empty images and
    their pairs are left out.
    """
    counts = [count for count in counts if count]
    shares = [own.new_full((count,), 1 / (count * len(counts) ** 2)) for count in counts]
    weights = torch.cat([own.new_zeros(0), *shares])
    return similarity_kl((own, own), (other, other), weights, counts, temperature)


def one_draw(labels: Tensor, image: Tensor, count: int) -> Tensor:
    """Indices of at most `count` random pixels of each class of each image (labels, image: M)."""
    order = torch.randperm(len(labels), device=labels.device)
    group = image[order] * (IGNORE + 1) + labels[order]
    _, group, sizes = torch.unique(group, return_inverse=True, return_counts=True)
    # Sorted by group, a pixel's rank within its group is its place minus the group's first place.
    by_group = group.argsort(stable=True)
    first = sizes.cumsum(dim=0) - sizes
    rank = torch.arange(len(order), device=labels.device) - first[group[by_group]]
    return order[by_group[rank < count]]


def region_means(features: Tensor, labels: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean feature (R C) and class (R) of every class of every image (features M C)."""
    group = image * (IGNORE + 1) + labels
    groups, member, sizes = torch.unique(group, return_inverse=True, return_counts=True)
    sums = features.new_zeros(len(groups), features.shape[1]).index_add_(0, member, features)
    return sums / sizes[:, None], groups % (IGNORE + 1)


def _rows(maps: Tensor) -> Tensor:
    return maps.flatten(2).transpose(1, 2).flatten(0, 1)


def _directions(vectors: Tensor) -> Tensor:
    return vectors / safe_norm(vectors, dim=1)
