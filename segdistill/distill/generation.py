"""Masked generation: rebuild the teacher's feature from a part of the student's."""

import torch
from torch import Tensor, nn


class MaskedGenerator(nn.Module):
    """The generator that MGD and Af-DCD share: hide positions, then two 3x3 convolutions.

    Source: Yang et al., ECCV 2022, eq. 1-3. The 1x1 alignment exists only if the widths differ.

    Example:
        >>> tuple(MaskedGenerator(6, 10, mask_ratio=0.75)(torch.zeros(2, 6, 4, 4), None).shape)
        (2, 10, 4, 4)
    """

    def __init__(self, student_width: int, teacher_width: int, mask_ratio: float) -> None:
        super().__init__()
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"mask_ratio must be in [0, 1), got {mask_ratio}")
        self.mask_ratio = mask_ratio
        self.align: nn.Module = nn.Identity()
        if student_width != teacher_width:
            self.align = nn.Conv2d(student_width, teacher_width, kernel_size=1)
        self.generate = nn.Sequential(
            nn.Conv2d(teacher_width, teacher_width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(teacher_width, teacher_width, kernel_size=3, padding=1),
        )

    def forward(self, features: Tensor, valid: Tensor | None) -> Tensor:
        """Features N C_s h w, `valid` N h w bool or None; the generated feature, N C_t h w."""
        count, _, height, width = features.shape
        draw = torch.rand(count, 1, height, width, device=features.device)
        hidden = draw > 1 - self.mask_ratio
        if valid is not None:
            hidden = hidden | ~valid[:, None]
        generated: Tensor = self.generate(self.align(features).masked_fill(hidden, 0.0))
        return generated
