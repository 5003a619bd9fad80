"""The smallest complete method: `segdistill new-method NAME` copies this file."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import Distiller, View
from segdistill.distill.divergences import widen
from segdistill.distill.regions import Ignore, on_grid


class Template(Distiller):
    """Logit matching: the mean squared difference of the two networks' logits."""

    name = "template"
    paper = "J. Ba, R. Caruana, Do Deep Nets Really Need to be Deep?, NeurIPS 2014"

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """The hyper-parameters, with the defaults a recipe may override."""

        weight: float = 1.0
        ignore: Ignore = "keep"

    config: Config

    def losses(
        self, student: View, teacher: View, labels: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """`logit`: the mean over classes and counted pixels of (s - t)^2."""
        del progress
        config, own = self.config, widen(student.logits)
        if config.weight == 0:
            return {}
        other, valid = on_grid(widen(teacher.logits), labels, own.shape[-2:], config.ignore)
        difference = own - other
        if valid is None:
            return {"logit": config.weight * difference.square().mean()}
        # Filled before it is squared, so that nothing at an ignored pixel reaches the gradient.
        kept = difference.masked_fill(~valid[:, None], 0.0).square().sum()
        return {"logit": config.weight * kept / (own.shape[1] * valid.sum().clamp(min=1))}
