"""One map of both networks, on one grid, with the positions that do not count set to 0."""

from typing import NamedTuple

from torch import Tensor

from segdistill.distill.distiller import NetSpec, View
from segdistill.distill.divergences import pixel_kl, to_float32
from segdistill.distill.regions import Ignore, on_grid

LOGITS = "logits"  # stands for the logits where else a tap is named


class FeaturePair(NamedTuple):
    """The two networks' maps in float32 or better, as `feature_pair` gives them.

    Example:
        >>> from segdistill.distill.example import batch
        >>> pair = feature_pair(*batch()[:2], "head.embedding", batch()[2], "mask")
        >>> tuple(pair.student.shape), tuple(pair.teacher.shape), int(pair.valid.sum())
        ((2, 6, 12, 10), (2, 10, 12, 10), 200)
    """

    student: Tensor  # N C_s h w
    teacher: Tensor  # N C_t h w, resized to the student's h w
    valid: Tensor | None  # N h w, bool; None where every position counts


def feature_pair(
    student: View, teacher: View, tap: str, labels: Tensor, ignore: Ignore
) -> FeaturePair:
    """Both maps of `tap` on the student's grid, 0 at positions that do not count.

    The inputs are filled, not a later product, so that nothing that stood there reaches the
    gradient.

    Args:
        student: The student's view; its grid is the one that is used.
        teacher: The teacher's view; its map is resized bilinearly if the sizes differ.
        tap: The feature map, or "logits".
        labels: N H W, 255 = ignored.
        ignore: "mask" leaves positions out whose nearest label is 255, "keep" counts all.
    """
    own = to_float32(_map(student, tap))
    other, valid = on_grid(to_float32(_map(teacher, tap)), labels, own.shape[-2:], ignore)
    if valid is None:
        return FeaturePair(own, other, None)
    ignored = ~valid[:, None]
    return FeaturePair(own.masked_fill(ignored, 0.0), other.masked_fill(ignored, 0.0), valid)


def tap_width(net: NetSpec, tap: str) -> int:
    """How many channels the map `tap` of a network has; K for "logits".

    Raises:
        ValueError: The network has no such map.
    """
    widths = {**net.channels, LOGITS: net.classes}
    if tap not in widths:
        raise ValueError(f"tap must be one of {', '.join(net.channels)}, got {tap!r}")
    return widths[tap]


def logit_kl(
    student: View, teacher: View, labels: Tensor, temperature: float, ignore: Ignore
) -> Tensor:
    """The term of KD on two views, a scalar: `pixel_kl` of their logits on the student's grid."""
    pair = feature_pair(student, teacher, LOGITS, labels, ignore)
    return pixel_kl(pair.student, pair.teacher, temperature, pair.valid)


def position_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """The mean of `values` (N h w or N C h w) over counted positions, a scalar.

    The values must be 0 at the other positions; 0 with a gradient path if none counts.
    """
    if valid is None:
        return values.mean()
    channels = values.numel() // valid.numel()
    return values.sum() / (channels * valid.sum().clamp(min=1))


def _map(view: View, tap: str) -> Tensor:
    return view.logits if tap == LOGITS else view.taps[tap]
