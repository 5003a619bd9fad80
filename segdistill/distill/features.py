"""One feature map of both networks, on one grid, with the positions that do not count set to 0."""

from typing import NamedTuple

from torch import Tensor

from segdistill.distill.distiller import View
from segdistill.distill.divergences import widen
from segdistill.distill.regions import Ignore, on_grid


class FeaturePair(NamedTuple):
    """The maps of one tap, in float32 or better; `valid` is None where every position counts."""

    student: Tensor  # N C_s h w
    teacher: Tensor  # N C_t h w, resized to the student's h w
    valid: Tensor | None  # N h w, bool


def feature_pair(
    student: View, teacher: View, tap: str, labels: Tensor, ignore: Ignore
) -> FeaturePair:
    """Both maps of `tap` (labels N H W), 0 at positions that `ignore` = "mask" leaves out.

    Filling the inputs, not a later product, keeps whatever stood there out of the gradient too.
    """
    own = widen(student.taps[tap])
    other, valid = on_grid(widen(teacher.taps[tap]), labels, own.shape[-2:], ignore)
    if valid is None:
        return FeaturePair(own, other, None)
    ignored = ~valid[:, None]
    return FeaturePair(own.masked_fill(ignored, 0.0), other.masked_fill(ignored, 0.0), valid)


def position_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """The mean of `values` (N h w or N C h w) over counted positions, a scalar.

    The values must be 0 at the other positions; 0 with a gradient path if none counts.
    """
    if valid is None:
        return values.mean()
    channels = values.numel() // valid.numel()
    return values.sum() / (channels * valid.sum().clamp(min=1))
