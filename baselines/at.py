"""AT: match where in the image a feature map has its energy."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import lengths
from segdistill.distill.features import feature_pair, position_mean
from segdistill.distill.regions import Ignore


class AT(Distiller):
    """Attention transfer of one feature map; the widths may differ, so no adapter is needed."""

    name = "at"
    paper = (
        "S. Zagoruyko, N. Komodakis, Paying More Attention to Attention: Improving the Performance "
        "of Convolutional Neural Networks via Attention Transfer, ICLR 2017"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weight of the mean over positions, and the tap."""

        weight: float = 1e4
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if config.weight:
            self.student_taps = self.teacher_taps = (config.tap,)

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`attention`: mean over N h w of (A(s) - A(t))^2."""
        del progress
        config = self.config
        if not config.weight:
            return {}
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        # (2) mean over N h w of the squared difference of the two attention maps
        squares = (attention(pair.student) - attention(pair.teacher)) ** 2
        return {"attention": config.weight * position_mean(squares, pair.valid)}


def attention(features: Tensor) -> Tensor:
    """(1) A = Q / |Q|, Q = mean over C of squares, the norm over positions: N C h w to N h w."""
    energy = features.square().mean(dim=1)
    return energy / lengths(energy.flatten(1), dim=1)[:, :, None]
