"""NFD: match features whose magnitude has been normalised away."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.features import feature_pair, position_mean
from segdistill.distill.regions import Ignore

CONSTANT = 1e-6  # a channel whose std is below this share of its rms counts as constant


class NFD(Distiller):
    """Squared difference of standardised features (reconstructed: no code was released)."""

    name = "nfd"
    paper = (
        "T. Liu, X. Yang, C. Chen, Normalized Feature Distillation for Semantic Segmentation, "
        "arXiv:2207.05256, 2022 (reconstructed)"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weight of the mean over all values (ours: none is published), and the tap."""

        weight: float = 1.0
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        self.adapter: nn.Module = nn.Identity()
        if not config.weight:
            return
        self.student_taps = self.teacher_taps = (config.tap,)
        narrow, wide = student.channels[config.tap], teacher.channels[config.tap]
        if narrow != wide:
            # A bias would be subtracted again by the normalisation.
            self.adapter = nn.Conv2d(narrow, wide, kernel_size=1, bias=False)

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`feature`: mean over N C_t h w of (Z(s) - Z(t))^2."""
        del progress
        config = self.config
        if not config.weight:
            return {}
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        own = standardised(self.adapter(pair.student), pair.valid)
        # (2) mean over all values of the squared difference
        squares = (own - standardised(pair.teacher, pair.valid)) ** 2
        return {"feature": config.weight * position_mean(squares, pair.valid)}


def standardised(features: Tensor, valid: Tensor | None) -> Tensor:
    """(1) Z = (F - mean F) / std F over the counted positions of each image and channel.

    Features N C h w, 0 where not counted; biased std; Z is 0 where a channel is constant.
    """
    maps = features.flatten(2)
    count = maps.new_full((1, 1, 1), maps.shape[2])
    if valid is not None:
        count = valid.flatten(1).sum(dim=1).clamp(min=1).to(maps.dtype)[:, None, None]
    centred = maps - maps.sum(dim=2, keepdim=True) / count
    if valid is not None:
        centred = centred.masked_fill(~valid.flatten(1)[:, None], 0.0)
    size = torch.linalg.vector_norm(maps, dim=2, keepdim=True).detach()
    norms: Tensor = torch.linalg.vector_norm(centred, dim=2, keepdim=True)
    norms = norms.masked_fill(norms <= CONSTANT * size, torch.inf)
    return (centred / norms * count.sqrt()).view_as(features)
