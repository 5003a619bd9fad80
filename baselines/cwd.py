"""CWD: match where in the image each channel responds."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import FeatureDistiller
from segdistill.distill.divergences import position_kl


class CWD(FeatureDistiller):
    """Channel-wise distillation of the logits or of one feature map.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(CWD(CWD.Config(), *specs()).losses(*batch()))
        ['channel']
    """

    name = "cwd"
    paper = (
        "C. Shu, Y. Liu, J. Gao, Z. Yan, C. Shen, Channel-wise Knowledge Distillation "
        "for Dense Prediction, ICCV 2021"
    )
    term = "channel"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        """`tap` is "logits" or a feature such as "head.embedding" (published weight there: 50)."""

        weight: float = 3.0
        tap: str = "logits"
        temperature: float = 4.0

    config: Config

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """T^2 / (N C_t) sum over n, c of KL(phi(t_nc) || phi(s_nc)) over positions (eq. 2-4)."""
        return position_kl(student, teacher, self.config.temperature, valid).mean()
