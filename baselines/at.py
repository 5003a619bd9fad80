"""AT: match where in the image a feature map has its energy."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import FeatureDistiller
from segdistill.distill.divergences import safe_norm
from segdistill.distill.features import position_mean


class AT(FeatureDistiller):
    """Attention transfer of one feature map; the widths may differ, so no adapter is needed.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(AT(AT.Config(), *specs()).losses(*batch()))
        ['attention']
    """

    name = "at"
    paper = (
        "S. Zagoruyko, N. Komodakis, Paying More Attention to Attention: Improving the Performance "
        "of Convolutional Neural Networks via Attention Transfer, ICLR 2017"
    )
    term = "attention"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        """Weight of the mean over positions, and the tap."""

        weight: float = 1e4

    config: Config

    def build_modules(self, student_width: int, teacher_width: int) -> None:
        """None: an attention map has no channels."""
        del student_width, teacher_width

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """(2) The mean over N h w of (A(s) - A(t))^2."""
        return position_mean((attention(student) - attention(teacher)) ** 2, valid)


def attention(features: Tensor) -> Tensor:
    """(1) A = Q / |Q|, Q = mean over C of squares, the norm over positions: N C h w to N h w."""
    energy = features.square().mean(dim=1)
    return energy / safe_norm(energy.flatten(1), dim=1)[:, :, None]
