"""The formulas that several methods share, each written once."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize(maps: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """`maps` (N C h w) at the spatial `size`: bilinear, align_corners=False; as is if equal."""
    if maps.shape[-2:] == torch.Size(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def pixel_kl(
    student: Tensor, teacher: Tensor, temperature: float, valid: Tensor | None = None
) -> Tensor:
    """T^2 x the mean over (valid) pixels of KL(softmax(teacher/T) || softmax(student/T)) over K.

    Logits N K h w, `valid` N h w bool; a scalar, 0 with a gradient path if nothing is valid.
    """
    divergence = _kl(student / temperature, teacher / temperature, dim=1)
    if valid is None:
        return temperature**2 * divergence.mean()
    kept = torch.where(valid, divergence, 0.0)
    return temperature**2 * kept.sum() / valid.sum().clamp(min=1)


def position_kl(
    student: Tensor, teacher: Tensor, temperature: float, valid: Tensor | None = None
) -> Tensor:
    """T^2 x KL over the h w positions of each map's softmax(map/T), one value a map: N C.

    Features N C h w, `valid` N h w bool: the softmax runs over valid positions only, and an
    image without any counts 0.
    """
    student = student.flatten(2) / temperature
    teacher = teacher.flatten(2) / temperature
    if valid is None:
        return temperature**2 * _kl(student, teacher, dim=2)
    kept = valid.flatten(1)[:, None]
    lowest = torch.finfo(student.dtype).min
    divergence = _kl(student.masked_fill(~kept, lowest), teacher.masked_fill(~kept, lowest), dim=2)
    return temperature**2 * torch.where(kept.any(dim=2), divergence, 0.0)


def _kl(student: Tensor, teacher: Tensor, dim: int) -> Tensor:
    log_teacher = F.log_softmax(teacher, dim=dim)
    log_student = F.log_softmax(student, dim=dim)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(dim=dim)
