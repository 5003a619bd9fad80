"""MGD: from a quarter of the student's feature, generate the teacher's whole one."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import FeatureDistiller
from segdistill.distill.generation import MaskedGenerator


class MGD(FeatureDistiller):
    """Masked generative distillation of one feature map.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(MGD(MGD.Config(), *specs()).losses(*batch()))
        ['generation']
    """

    name = "mgd"
    paper = (
        "Z. Yang, Z. Li, M. Shao, D. Shi, Z. Yuan, C. Yuan, Masked Generative Distillation, "
        "ECCV 2022"
    )
    term = "generation"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        """Weight of the sum over positions and channels, and the share of hidden positions."""

        weight: float = 2e-5
        tap: str = "backbone.4"
        mask_ratio: float = 0.75

    config: Config

    def build_modules(self, student_width: int, teacher_width: int) -> None:
        """The generator, which aligns the widths itself."""
        self.generator = MaskedGenerator(student_width, teacher_width, self.config.mask_ratio)

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """The sum over C_t h w of (G(s * mask) - t)^2, divided by N (eq. 4)."""
        squares: Tensor = (self.generator(student, valid) - teacher) ** 2
        if valid is not None:
            squares = squares.masked_fill(~valid[:, None], 0.0)
        return squares.sum() / len(squares)
