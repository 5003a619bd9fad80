"""The smallest complete method: `segdistill new-method NAME` copies this file."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import FeatureDistiller
from segdistill.distill.features import position_mean


class Template(FeatureDistiller):
    """Logit matching: the mean squared difference of the two networks' logits.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(Template(Template.Config(), *specs()).losses(*batch()))
        ['logit']
    """

    name = "template"
    paper = "J. Ba, R. Caruana, Do Deep Nets Really Need to be Deep?, NeurIPS 2014"
    term = "logit"

    @dataclass(frozen=True)
    class Config(FeatureDistiller.Config):
        """The hyper-parameters, with the defaults a recipe may override."""

        weight: float = 1.0
        tap: str = "logits"

    config: Config

    def loss(self, student: Tensor, teacher: Tensor, valid: Tensor | None) -> Tensor:
        """The mean over classes and counted pixels of (s - t)^2."""
        return position_mean((student - teacher) ** 2, valid)
