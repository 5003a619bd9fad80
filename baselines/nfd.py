"""NFD: match features whose magnitude has been normalised away."""

import torch
from torch import Tensor

from segdistill.distill import FeatureDistiller
from segdistill.distill.features import position_mean

CONSTANT = 1e-6  # a channel whose std is below this share of its rms counts as constant


class NFD(FeatureDistiller):
    """Squared difference of standardised features (reconstructed: no code was released).

    The weight of the mean over all values is ours: none is published.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(NFD(NFD.Config(), *specs()).losses(*batch()))
        ['feature']
    """

    name = "nfd"
    paper = (
        "T. Liu, X. Yang, C. Chen, Normalized Feature Distillation for Semantic Segmentation, "
        "arXiv:2207.05256, 2022 (reconstructed)"
    )
    term = "feature"

    # The adapter's missing bias is no loss: the normalisation would subtract it again.
    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """(2) The mean over N C_t h w of (Z(s) - Z(t))^2."""
        squares = (standardised(student, valid) - standardised(teacher, valid)) ** 2
        return position_mean(squares, valid)


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
