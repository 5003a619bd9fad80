"""KD: match the teacher's class distribution at every pixel."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, View
from segdistill.distill.divergences import pixel_kl
from segdistill.distill.regions import Ignore, on_grid


class KD(Distiller):
    """Pixel-wise knowledge distillation: Hinton et al. 2015 at every position of the logits."""

    name = "kd"
    paper = (
        "G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, "
        "NeurIPS 2014 Deep Learning Workshop (arXiv:1503.02531)"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weight and temperature; the sum over pixels is divided by their number."""

        weight: float = 1.0
        temperature: float = 1.0
        ignore: Ignore = "keep"

    config: Config

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`pixel`: T^2 mean over pixels of KL(softmax(t/T) || softmax(s/T)) over K."""
        del progress
        config, size = self.config, student.logits.shape[-2:]
        if config.weight == 0:
            return {}
        other, valid = on_grid(teacher.logits, labels, size, config.ignore)
        divergence = pixel_kl(student.logits, other, config.temperature, valid)
        return {"pixel": config.weight * divergence}
