"""KD: match the teacher's class distribution at every pixel."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, View
from segdistill.distill.features import logit_kl
from segdistill.distill.regions import Ignore


class KD(Distiller):
    """Pixel-wise knowledge distillation: Hinton et al. 2015 at every position of the logits.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(KD(KD.Config(), *specs()).losses(*batch()))
        ['pixel']
    """

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

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`pixel`: T^2 mean over pixels of KL(softmax(t/T) || softmax(s/T)) over K."""
        config = self.config
        if config.weight == 0:
            return {}
        divergence = logit_kl(student, teacher, labels, config.temperature, config.ignore)
        return {"pixel": config.weight * divergence}
