"""BPKD: distil edges and bodies of the regions apart."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import pixel_kl, position_kl
from segdistill.distill.regions import IGNORE, Ignore, on_grid


class BPKD(Distiller):
    """Pixel-wise KL on edges, channel-wise KL on bodies (reconstructed: training code unreleased).

    The published weights are kept; the paper's own normalisation of its sums is not known.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(BPKD(BPKD.Config(), *specs()).losses(*batch()))
        ['edge', 'body']
    """

    name = "bpkd"
    paper = (
        "L. Liu, Z. Wang, M. H. Phan, B. Zhang, J. Ge, Y. Liu, BPKD: Boundary Privileged Knowledge "
        "Distillation For Semantic Segmentation, WACV 2024 (arXiv 2023) (reconstructed)"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weights, temperatures, and the edge window in label pixels (odd)."""

        edge_weight: float = 50.0
        body_weight: float = 20.0
        edge_temperature: float = 1.0
        body_temperature: float = 1.0
        edge_width: int = 7
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if config.edge_width < 3 or config.edge_width % 2 == 0:
            raise ValueError(f"edge_width must be odd and at least 3, got {config.edge_width}")

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`edge`: T^2 mean over edge pixels of KL over K; `body`: T^2 mean over N K of KL over
        the body's positions.
        """
        config, terms, size = self.config, {}, student.logits.shape[-2:]
        own = student.logits
        other, valid = on_grid(teacher.logits, labels, size, config.ignore)
        edge = edges_at(labels, size, config.edge_width)
        body = ~edge
        if valid is not None:
            edge, body = edge & valid, body & valid
        if config.edge_weight:  # (2)
            divergence = pixel_kl(own, other, config.edge_temperature, edge)
            terms["edge"] = config.edge_weight * divergence
        if config.body_weight:  # (3)
            divergence = position_kl(own, other, config.body_temperature, body).mean()
            terms["body"] = config.body_weight * divergence
        return terms


def edges_at(labels: Tensor, size: torch.Size, width: int) -> Tensor:
    """(1) Where a `width` x `width` window of the labels holds two classes: N h w, bool.

    Labels N H W at full size; the edge map is sampled at the nearest label pixels of `size`.
    Ignored pixels hold no class, so the rim of an ignored area is no edge.
    """
    known = labels != IGNORE
    low = labels.masked_fill(~known, IGNORE).float()
    high = labels.masked_fill(~known, -1).float()
    largest = F.max_pool2d(high[:, None], width, stride=1, padding=width // 2)
    smallest = -F.max_pool2d(-low[:, None], width, stride=1, padding=width // 2)
    edge = (largest > smallest).float()
    return F.interpolate(edge, size=tuple(size), mode="nearest")[:, 0].bool()
