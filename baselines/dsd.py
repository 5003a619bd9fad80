"""DSD: match the change of attention between layers, and the correlation of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segdistill.distill import Distiller, NetSpec, View
from segdistill.distill.divergences import safe_norm, to_float32
from segdistill.distill.features import position_mean
from segdistill.distill.regions import Ignore, on_grid


class DSD(Distiller):
    """Pixel-wise (PSD) and category-wise (CSD) similarity (reconstructed: no code released).

    Example:
        >>> from segdistill.distill.example import batch, specs
        >>> list(DSD(DSD.Config(), *specs()).losses(*batch()))
        ['psd', 'csd']
    """

    name = "dsd"
    paper = (
        "Y. Feng, X. Sun, W. Diao, J. Li, X. Gao, Double Similarity Distillation for Semantic "
        "Image Segmentation, IEEE TIP 30, 2021 (reconstructed)"
    )

    @dataclass(frozen=True)
    class Config(Distiller.Config):
        """Weights of the two terms, the temperature of CSD, and the tap of PSD's first layer."""

        psd_weight: float = 1000.0
        csd_weight: float = 10.0
        temperature: float = 4.0
        tap: str = "head.embedding"
        ignore: Ignore = "keep"

    config: Config

    def __init__(self, config: Config, student: NetSpec, teacher: NetSpec) -> None:
        super().__init__(config, student, teacher)
        if config.temperature <= 0:
            raise ValueError(f"temperature must be positive, got {config.temperature}")
        if config.psd_weight:
            self.student_taps = self.teacher_taps = (config.tap,)

    def losses(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        """`psd`: mean over N h w of (R(s) - R(t))^2; `csd`: mean over N K K of (M(s) - M(t))^2."""
        config, terms = self.config, {}
        taps = [view.taps[config.tap] for view in (student, teacher)] if config.psd_weight else []
        maps, valid = self._layers([student.logits, teacher.logits, *taps], labels)
        logits = maps[:2]
        if config.psd_weight:
            own, other = (residual(*layers) for layers in zip(logits, maps[2:], strict=True))
            terms["psd"] = config.psd_weight * position_mean((own - other) ** 2, valid)
        if config.csd_weight:
            own, other = (correlation(each, config.temperature, valid) for each in logits)
            terms["csd"] = config.csd_weight * ((own - other) ** 2).mean()
        return terms

    def _layers(self, maps: Sequence[Tensor], labels: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """All `maps` on the grid of the first, 0 where not every one of them counts."""
        size, ignore = maps[0].shape[-2:], self.config.ignore
        placed = [on_grid(to_float32(each), labels, size, ignore) for each in maps]
        counts = [valid for _, valid in placed if valid is not None]
        if not counts:
            return [each for each, _ in placed], None
        valid = torch.stack(counts).all(dim=0)
        return [each.masked_fill(~valid[:, None], 0.0) for each, _ in placed], valid


def residual(logits: Tensor, feature: Tensor) -> Tensor:
    """(2) R = normalised (A(logits) - A(feature)): what the last layer adds, N h w."""
    last, earlier = (_unit(maps.square().mean(dim=1)) for maps in (logits, feature))
    return _unit(last - earlier)


def correlation(logits: Tensor, temperature: float, valid: Tensor | None) -> Tensor:
    """(4) M = Q Q', Q = the rows of softmax(z / T) over K, normalised over positions: N K K."""
    soft = torch.softmax(logits / temperature, dim=1)
    if valid is not None:
        soft = soft.masked_fill(~valid[:, None], 0.0)
    rows = soft.flatten(2)
    rows = rows / safe_norm(rows, dim=2)  # (3)
    return rows @ rows.transpose(1, 2)


def _unit(maps: Tensor) -> Tensor:
    """Each map of N h w over its norm over positions, as (1) asks of an attention map."""
    return maps / safe_norm(maps.flatten(1), dim=1)[:, :, None]
