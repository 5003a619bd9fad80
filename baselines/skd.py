"""SKD: structured knowledge - pixels, pairs of pixels, and the whole map."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from segdistill.distill import NetSpec, View
from segdistill.distill.adversary import AdversarialConfig, AdversarialDistiller
from segdistill.distill.divergences import safe_norm
from segdistill.distill.features import feature_pair


class SKD(AdversarialDistiller):
    """Structured knowledge distillation: pixel-wise, pair-wise and holistic terms.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(SKD(SKD.Config(), *specs()).losses(*batch()))
        ['pixel', 'holistic', 'pair']
    """

    name = "skd"
    paper = (
        "Y. Liu, K. Chen, C. Liu, Z. Qin, Z. Luo, J. Wang, Structured Knowledge Distillation "
        "for Semantic Segmentation, CVPR 2019"
    )

    @dataclass(frozen=True)
    class Config(AdversarialConfig):
        """Weights of the three terms, how nodes are pooled, and the adversary's options.

        `pair_pool` is a kernel in positions (int) or a fraction of the map in (0, 1): 0.5, as in
        the published code, leaves 2 x 2 nodes, 3 along an odd side. `detach_norm` keeps the
        norms out of the gradient, as in the published code.
        """

        pixel_weight: float = 10.0
        pair_weight: float = 1.0
        holistic_weight: float = 0.1
        pair_pool: int | float = 2
        detach_norm: bool = False
        tap: str = "head.embedding"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if config.pair_weight:
            self.student_taps = self.teacher_taps = (config.tap,)

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`pixel` as KD with T = 1, `holistic` from the discriminator, and `pair`."""
        config, terms = self.config, self.shared_terms(student, teacher, labels)
        if config.pair_weight:
            pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
            terms["pair"] = config.pair_weight * self._pairs(*pair)
        return terms

    def _pairs(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        kernel, detach = (
            pool_kernel(self.config.pair_pool, student.shape[-2:]),
            self.config.detach_norm,
        )
        own, other = (nodes(maps, kernel, detach, valid) for maps in (student, teacher))
        return similarity_gap(own, other) / _pair_count(own, kernel, valid)


def pool_kernel(pool: int | float, size: torch.Size) -> tuple[int, int]:
    """The pooling kernel on a map of `size`: an int as it is, a fraction in (0, 1) of each side.

    Raises ValueError for anything else.
    """
    if pool >= 1 and pool == int(pool):
        return int(pool), int(pool)
    if 0 < pool < 1:
        return max(1, int(size[0] * pool)), max(1, int(size[1] * pool))
    raise ValueError(f"pair_pool must be a whole number >= 1 or a fraction in (0, 1), got {pool}")


def nodes(
    features: Tensor, kernel: tuple[int, int], detach_norm: bool, valid: Tensor | None
) -> Tensor:
    """Max-pooled features (N C h w) of unit length, one column a node: N C P.

    A node without a valid position is 0, so it is similar to nothing.
    """
    if valid is not None:
        features = features.masked_fill(~valid[:, None], -torch.inf)
    if kernel != (1, 1):
        features = F.max_pool2d(features, kernel, stride=kernel, ceil_mode=True)
    if valid is not None:
        features = features.masked_fill(features == -torch.inf, 0.0)
    vectors = features.flatten(2)
    norms = safe_norm(vectors, dim=1)
    return vectors / (norms.detach() if detach_norm else norms)


def similarity_gap(student: Tensor, teacher: Tensor) -> Tensor:
    """Sum over images and node pairs of (s_i . s_j - t_i . t_j)^2; nodes N C P, widths may differ.

    Once nodes outnumber channels the maps of P x P are never built: `_GramGap`.
    """
    if student.shape[2] > student.shape[1] + teacher.shape[1]:
        pairs = zip(student, teacher, strict=True)
        gaps: list[Tensor] = [_GramGap.apply(own, other) for own, other in pairs]  # type: ignore[no-untyped-call]
        return torch.stack(gaps).sum()
    gap = student.transpose(1, 2) @ student - teacher.transpose(1, 2) @ teacher
    return (gap**2).sum()


class _GramGap(torch.autograd.Function):
    """||S'S - T'T||^2 = ||SS'||^2 + ||TT'||^2 - 2 ||ST'||^2 of one image's nodes S, T (C P each).

    In float64, because the difference of large sums loses the digits of float32. The gradient
    4 (SS'S - ST'T) to the student is taken at once, so that no float64 map outlives the call.
    """

    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor) -> Tensor:
        """The squared distance, a scalar in the student's type."""
        own, other = student.double(), teacher.double()
        own_gram, mixed, other_gram = own @ own.T, own @ other.T, other @ other.T
        ctx.save_for_backward((4 * (own_gram @ own - mixed @ other)).to(student.dtype))
        squares = own_gram.square().sum() + other_gram.square().sum() - 2 * mixed.square().sum()
        return squares.to(student.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        """The student's gradient; the teacher gets none."""
        (gradient,) = ctx.saved_tensors
        return upstream * gradient, None


def _pair_count(columns: Tensor, kernel: tuple[int, int], valid: Tensor | None) -> Tensor:
    if valid is None:
        return columns.new_tensor(float(columns.shape[0] * columns.shape[2] ** 2))
    counts = F.max_pool2d(valid.float(), kernel, stride=kernel, ceil_mode=True).flatten(1).sum(1)
    return (counts**2).sum().clamp(min=1)
