"""KL between two similarity distributions whose matrices are too large to keep."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

# Similarities held at a time: 1 MiB in float32 stays in a processor's cache, 64 MiB fill a GPU.
CPU_BLOCK, GPU_BLOCK = 2**18, 2**24


class _SimilarityKL(torch.autograd.Function):
    """The function behind `similarity_kl`, which makes its gradient together with its value.

    The gradient in rows and columns is made block by block while the block's similarities are at
    hand, so that no M x L matrix is kept and none is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        columns: Tensor,
        teacher_rows: Tensor,
        teacher_columns: Tensor,
        weights: Tensor,
        groups: list[int],
        temperature: float,
    ) -> Tensor:
        """The value; `backward` scales the gradients that are made here."""
        row_slope, column_slope = torch.zeros_like(rows), torch.zeros_like(columns)
        total = rows.new_zeros(())
        held = CPU_BLOCK if rows.device.type == "cpu" else GPU_BLOCK
        maps = (torch.split(each, groups) for each in (columns, teacher_columns, column_slope))
        for group, teacher_group, group_slope in zip(*maps, strict=True):
            length = max(1, held // max(1, len(group)))
            for start in range(0, len(rows), length):
                block = slice(start, start + length)
                own = F.log_softmax(rows[block] @ group.T / temperature, dim=1)
                other = F.log_softmax(teacher_rows[block] @ teacher_group.T / temperature, dim=1)
                target = other.exp()
                total += ((other - own) * target).sum(dim=1) @ weights[block]
                slope = own.exp_().sub_(target).mul_(weights[block, None] / temperature)
                row_slope[block].addmm_(slope, group)
                if ctx.needs_input_grad[1]:
                    group_slope.addmm_(slope.T, rows[block])
        ctx.save_for_backward(row_slope, column_slope if ctx.needs_input_grad[1] else None)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the student's rows and columns alone."""
        slopes = (None if slope is None else slope * gradient for slope in ctx.saved_tensors)
        return (*slopes, None, None, None, None, None)


def similarity_kl(
    student: tuple[Tensor, Tensor],
    teacher: tuple[Tensor, Tensor],
    weights: Tensor,
    groups: list[int],
    temperature: float,
) -> Tensor:
    """sum_g sum_a w_a KL( softmax(t_a . v / T) || softmax(s_a . u / T) ), u and v in group g.

    Args:
        student: Rows s (M C) and columns u (L C).
        teacher: Rows t (M D) and columns v (L D).
        weights: w, M.
        groups: The sizes, of sum L, of the groups of columns, each with a softmax of its own.
        temperature: T.

    Returns:
        A scalar, whose gradient reaches the student's rows and columns alone.

    Raises:
        ValueError: T is not positive.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    value: Tensor = _SimilarityKL.apply(  # type: ignore[no-untyped-call]
        *student, *teacher, weights, groups, temperature
    )
    return value
