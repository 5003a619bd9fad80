"""IFVD: match how far each pixel lies from the mean feature of its class."""

from dataclasses import dataclass

from torch import Tensor

from segdistill.distill import NetSpec, View
from segdistill.distill.adversary import AdversarialConfig, AdversarialDistiller
from segdistill.distill.divergences import safe_norm
from segdistill.distill.features import FeaturePair, feature_pair, position_mean
from segdistill.distill.regions import IGNORE, class_means, downsample_labels, one_hot


class IFVD(AdversarialDistiller):
    """Intra-class feature variation, with the pixel-wise and holistic terms of SKD.

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(IFVD(IFVD.Config(), *specs()).losses(*batch()))
        ['pixel', 'holistic', 'ifv']
    """

    name = "ifvd"
    paper = (
        "Y. Wang, W. Zhou, T. Jiang, X. Bai, Y. Xu, Intra-class Feature Variation Distillation "
        "for Semantic Segmentation, ECCV 2020"
    )

    @dataclass(frozen=True)
    class Config(AdversarialConfig):
        """Weights of the three terms, the tap, and the adversary's options."""

        weight: float = 200.0
        pixel_weight: float = 10.0
        holistic_weight: float = 0.001
        tap: str = "head.embedding"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if config.weight:
            self.student_taps = self.teacher_taps = (config.tap,)

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`pixel` as KD with T = 1, `holistic` from the discriminator, and `ifv`."""
        config, terms = self.config, self.shared_terms(student, teacher, labels)
        if config.weight:
            pair = feature_pair(student, teacher, config.tap, labels, config.ignore)
            terms["ifv"] = config.weight * self._variation(pair, labels)
        return terms

    def _variation(self, pair: FeaturePair, labels: Tensor) -> Tensor:
        student, teacher, valid = pair
        nearest, classes = downsample_labels(labels, student.shape[-2:]), self.student_spec.classes
        if valid is not None:
            nearest = nearest.masked_fill(~valid, IGNORE)
        own, other = (class_cosines(maps, nearest, classes) for maps in (student, teacher))
        squares = (own - other) ** 2
        # An ignored pixel is 0 in both maps; only under "mask" does it leave the mean as well.
        return position_mean(squares, valid)


def class_cosines(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Cosine of each pixel's feature with the mean feature of its class in its image.

    Features N C h w, labels N h w on their grid; N h w, 0 at ignored pixels. The gradient goes
    through the means. Source: eq. 1-2 of the paper.
    """
    features = features.masked_fill((labels >= classes)[:, None], 0.0)
    indicator = one_hot(labels, classes, features.dtype)
    means = class_means(features, indicator)
    directions = (means / safe_norm(means, dim=1)).transpose(1, 2)
    products = (directions @ features.flatten(2)).view_as(indicator)
    return (products * indicator).sum(dim=1) / safe_norm(features, dim=1)[:, 0]
