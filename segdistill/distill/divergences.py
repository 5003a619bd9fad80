"""The formulas that several methods share, each written once."""

import torch
import torch.nn.functional as F
from torch import Tensor

SHORTEST = 1e-8


def resize(maps: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """`maps` (N C h w) at the spatial `size`: bilinear, align_corners=False; as is if equal."""
    if maps.shape[-2:] == torch.Size(size):
        return maps
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def to_float32(maps: Tensor) -> Tensor:
    """`maps` in float32 at least: sums over half-precision maps overflow or lose their digits."""
    return maps if maps.dtype == torch.float64 else maps.float()


def safe_norm(vectors: Tensor, dim: int) -> Tensor:
    """L2 norms along `dim`, which is kept with size 1; infinity for a norm below 1e-8.

    Dividing by it sends a vanishing vector to 0 with gradient 0. The usual `norm + epsilon` would
    multiply the gradient of a dead pixel by 1/epsilon instead.
    """
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=dim, keepdim=True)
    return norms.masked_fill(norms < SHORTEST, torch.inf)


def pixel_kl(
    student: Tensor, teacher: Tensor, temperature: float, valid: Tensor | None = None
) -> Tensor:
    """T^2 x the mean over pixels of KL(softmax(teacher/T) || softmax(student/T)) over K.

    Source: Hinton et al. 2015, eq. 1, applied to every pixel.

    Args:
        student: Logits N K h w.
        teacher: Logits of the same shape.
        temperature: T.
        valid: The pixels that count, N h w bool; None if all do.

    Returns:
        A scalar, 0 with a gradient path if no pixel counts.

    Raises:
        ValueError: The shapes differ, or T is not positive.

    Example:
        >>> sure, unsure = torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log().view(2, 1, 2, 1, 1)
        >>> round(float(pixel_kl(unsure, sure, temperature=1.0)), 3)  # log 2 - entropy of `sure`
        0.368
    """
    if valid is None:
        pixels = student.shape[0] * student.shape[2] * student.shape[3]
        return _kl(student, teacher, temperature, dim=1).sum() * (temperature**2 / pixels)
    # Equal maps diverge by exactly 0, so a pixel filled in both leaves the sum whatever it held.
    student, teacher = (maps.masked_fill(~valid[:, None], 0.0) for maps in (student, teacher))
    divergence = _kl(student, teacher, temperature, dim=1).sum()
    return temperature**2 * divergence / valid.sum().clamp(min=1)


def position_kl(
    student: Tensor, teacher: Tensor, temperature: float, valid: Tensor | None = None
) -> Tensor:
    """T^2 x KL over the h w positions of each map's softmax(map/T), one value a map: N C.

    Source: Shu et al., ICCV 2021, eq. 2-4.

    Args:
        student: Maps N C h w.
        teacher: Maps of the same shape.
        temperature: T.
        valid: The positions over which the softmax runs, N h w bool; None for all. An image
            without any has the value 0.

    Raises:
        ValueError: The shapes differ, or T is not positive.
    """
    student, teacher = to_float32(student).flatten(2), to_float32(teacher).flatten(2)
    if valid is not None:
        ignored = ~valid.flatten(1)[:, None]
        # Finite, so that 0 x (difference of two logarithms) is 0; -inf would give NaN.
        lowest = torch.finfo(student.dtype).min / max(2.0, 2.0 / temperature)
        student, teacher = (maps.masked_fill(ignored, lowest) for maps in (student, teacher))
    return temperature**2 * _kl(student, teacher, temperature, dim=2)


def _kl(student: Tensor, teacher: Tensor, temperature: float, dim: int) -> Tensor:
    if student.shape != teacher.shape:
        raise ValueError(
            f"student map {tuple(student.shape)} and teacher map {tuple(teacher.shape)} differ; "
            "resize the teacher's or add an adapter"
        )
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    log_student = F.log_softmax(_soften(student, temperature), dim=dim)
    log_teacher = F.log_softmax(_soften(teacher, temperature), dim=dim)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(dim=dim)


def _soften(maps: Tensor, temperature: float) -> Tensor:
    # The usual temperature of 1 is worth a case: a division is a sixth of the whole term's time.
    return to_float32(maps) if temperature == 1 else to_float32(maps) / temperature
