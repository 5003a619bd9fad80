"""MGD: from a quarter of the student's feature, generate the teacher's whole one."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.features import feature_pair
from segdistill.distill.generation import MaskedGenerator
from segdistill.distill.regions import Ignore


class MGD(Distiller):
    """Masked generative distillation of one feature map."""

    name = "mgd"
    paper = (
        "Z. Yang, Z. Li, M. Shao, D. Shi, Z. Yuan, C. Yuan, Masked Generative Distillation, "
        "ECCV 2022"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weight of the sum over positions and channels, and the share of hidden positions."""

        weight: float = 2e-5
        mask_ratio: float = 0.75
        tap: str = "backbone.4"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if not config.weight:
            return
        self.student_taps = self.teacher_taps = (config.tap,)
        widths = student.channels[config.tap], teacher.channels[config.tap]
        self.generator = MaskedGenerator(*widths, config.mask_ratio)

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`generation`: sum over C_t h w of (G(s * mask) - t)^2, divided by N (eq. 4)."""
        del progress
        config = self.config
        if not config.weight:
            return {}
        pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
        squares = (self.generator(pair.student, pair.valid) - pair.teacher) ** 2
        if pair.valid is not None:
            squares = squares.masked_fill(~pair.valid[:, None], 0.0)
        return {"generation": config.weight * squares.sum() / len(squares)}
