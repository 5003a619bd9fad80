"""FitNet: match the teacher's feature itself, through a learned 1x1 regressor."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from segdistill.distill import FeatureDistiller
from segdistill.distill.features import position_mean


class FitNet(FeatureDistiller):
    """Hint training of one feature map, as one term beside the cross entropy.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(FitNet(FitNet.Config(), *specs()).losses(*batch()))
        ['hint']
    """

    name = "fitnet"
    paper = (
        "A. Romero, N. Ballas, S. E. Kahou, A. Chassang, C. Gatta, Y. Bengio, "
        "FitNets: Hints for Thin Deep Nets, ICLR 2015"
    )
    term = "hint"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        """Weight of the mean over all values, and the tap."""

        weight: float = 10.0

    config: Config

    def build_modules(self, student_width: int, teacher_width: int) -> None:
        """The regressor, at equal widths too: it is part of the method (eq. 3)."""
        self.adapter = nn.Conv2d(student_width, teacher_width, kernel_size=1, bias=False)

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """The mean over N C_t h w of (r(s) - t)^2 with the regressor r."""
        return position_mean(F.mse_loss(student, teacher, reduction="none"), valid)
