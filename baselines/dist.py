"""DIST: match the relations of the class probabilities, not their values."""

from dataclasses import dataclass

import torch
from torch import Tensor

from segdistill.distill import Distiller, View
from segdistill.distill.divergences import to_float32
from segdistill.distill.regions import Ignore, on_grid

EPSILON = 1e-8  # of the published code: a probability map that does not vary correlates with none
TINY = 1e-30


class DIST(Distiller):
    """Pearson correlation within each pixel (over classes) and within each class (over pixels).

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(DIST(DIST.Config(), *specs()).losses(*batch()))
        ['inter', 'intra']
    """

    name = "dist"
    paper = (
        "T. Huang, S. You, F. Wang, C. Qian, C. Xu, Knowledge Distillation from A Stronger "
        "Teacher, NeurIPS 2022"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """`beta` weighs the inter-class term, `gamma` the intra-class term, `weight` both."""

        weight: float = 1.0
        beta: float = 1.0
        gamma: float = 1.0
        temperature: float = 1.0
        ignore: Ignore = "keep"

    config: Config

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`inter`: 1 - mean correlation per pixel; `intra`: 1 - mean correlation per class."""
        config, size = self.config, student.logits.shape[-2:]
        weights = {"inter": config.weight * config.beta, "intra": config.weight * config.gamma}
        weights = {name: weight for name, weight in weights.items() if weight}
        if not weights:
            return {}
        logits, valid = on_grid(teacher.logits, labels, size, config.ignore)
        own = class_rows(student.logits, valid, config.temperature)
        other = class_rows(logits, valid, config.temperature)
        # (1) over the K classes of a pixel, (2) over all pixels of a class
        axes = {"inter": 0, "intra": 1}
        return {name: weight * distance(own, other, axes[name]) for name, weight in weights.items()}


def class_rows(logits: Tensor, valid: Tensor | None, temperature: float) -> Tensor:
    """softmax(z / T) over K of the counted pixels of the whole batch: N K h w to K M."""
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    rows = to_float32(logits).movedim(1, 0).flatten(1)
    if valid is not None:
        rows = rows[:, valid.flatten()]
    return torch.softmax(rows / temperature, dim=0)


def distance(student: Tensor, teacher: Tensor, dim: int) -> Tensor:
    """1 - the mean of Pearson's correlation along `dim` of two K M matrices; 0 if M = 0."""
    if not student.numel():
        return student.sum()
    student, teacher = centred(student, dim), centred(teacher, dim)
    # Sums of squares instead of norms: several times faster along the strided axis.
    squares = student.square().sum(dim=dim) * teacher.square().sum(dim=dim)
    norms = squares.clamp(min=TINY).sqrt()  # a root at 0 has no finite gradient
    unrelated: Tensor = 1 - (student * teacher).sum(dim=dim) / (norms + EPSILON)
    return unrelated.mean()


def centred(rows: Tensor, dim: int) -> Tensor:
    """Class rows K M less their mean along `dim`; over the classes of a pixel it is 1 / K."""
    if dim == 0:
        return rows - 1 / len(rows)
    return rows - rows.mean(dim=dim, keepdim=True)
