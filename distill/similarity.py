"""KL between two similarity distributions whose matrices are too large to keep."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**21  # similarities held at a time: 8 MiB in float32, near the size of a processor's cache


class Similarities(torch.autograd.Function):
    """sum_a w_a KL( softmax(t_a . v / T) || softmax(s_a . u / T) ) for rows a, over all columns.

    Rows s (M C), columns u (L C), the teacher's t (M D) and v (L D), weights w (M); a scalar. The
    gradient in s and u is made block by block with the value, while the block's similarities are
    at hand, so that no M L matrix is kept and none is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        columns: Tensor,
        teacher_rows: Tensor,
        teacher_columns: Tensor,
        weights: Tensor,
        temperature: float,
    ) -> Tensor:
        """The value; `backward` scales the gradients that are made here."""
        wanted = ctx.needs_input_grad[:2]
        row_slope = torch.empty_like(rows) if wanted[0] else None
        column_slope = torch.zeros_like(columns) if wanted[1] else None
        total = rows.new_zeros(())
        length = max(1, BLOCK // max(1, len(columns)))
        for start in range(0, len(rows), length):
            block = slice(start, start + length)
            own = F.log_softmax(rows[block] @ columns.T / temperature, dim=1)
            other = F.log_softmax(teacher_rows[block] @ teacher_columns.T / temperature, dim=1)
            target = other.exp()
            total += ((other - own) * target).sum(dim=1) @ weights[block]
            slope = own.exp_().sub_(target).mul_(weights[block, None] / temperature)
            if row_slope is not None:
                row_slope[block] = slope @ columns
            if column_slope is not None:
                column_slope.addmm_(slope.T, rows[block])
        ctx.save_for_backward(row_slope, column_slope)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the student's rows and columns alone."""
        slopes = (None if slope is None else slope * gradient for slope in ctx.saved_tensors)
        return (*slopes, None, None, None, None)


def similarity_kl(
    rows: Tensor,
    columns: Tensor,
    teacher_rows: Tensor,
    teacher_columns: Tensor,
    weights: Tensor,
    temperature: float,
) -> Tensor:
    """The scalar of `Similarities`. Raises ValueError for a temperature that is not positive."""
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    value: Tensor = Similarities.apply(  # type: ignore[no-untyped-call]
        rows, columns, teacher_rows, teacher_columns, weights, temperature
    )
    return value
