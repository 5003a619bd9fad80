"""FitNet: match the teacher's feature itself, through a learned 1x1 regressor."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.features import feature_pair, position_mean
from segdistill.distill.regions import Ignore


class FitNet(Distiller):
    """Hint training of one feature map, as one term beside the cross entropy."""

    name = "fitnet"
    paper = (
        "A. Romero, N. Ballas, S. E. Kahou, A. Chassang, C. Gatta, Y. Bengio, "
        "FitNets: Hints for Thin Deep Nets, ICLR 2015"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weight of the mean over all values, and the tap."""

        weight: float = 10.0
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if not config.weight:
            return
        self.student_taps = self.teacher_taps = (config.tap,)
        narrow, wide = student.channels[config.tap], teacher.channels[config.tap]
        # Present at equal widths too: the regressor is part of the method (eq. 3).
        self.regressor = nn.Conv2d(narrow, wide, kernel_size=1, bias=False)

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`hint`: mean over N C_t h w of (r(s) - t)^2 with the regressor r."""
        del progress
        config = self.config
        if not config.weight:
            return {}
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        hints = self.regressor(pair.student)
        squares = F.mse_loss(hints, pair.teacher, reduction="none")
        return {"hint": config.weight * position_mean(squares, pair.valid)}
