"""The processes that share one training: whose part is whose, and what they tell one another.

Every rank sees its part of the batch, but each method sees the whole one: outputs are gathered,
so that any loss, over pixels, classes or pairs of images, is that of one process.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Ranks:
    """This process among `world` of them; alone, nothing is sent and nothing copied."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank = rank
        self.world = world

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def gather(self, part: Tensor) -> Tensor:
        """The whole batch of which every rank has an equal `part`; gradients reach the own part.

        Every rank computes the same loss of the whole, so its gradient needs no exchange.
        """
        whole: Tensor = _Gather.apply(part, self) if self.world > 1 else part  # type: ignore[no-untyped-call]
        return whole

    def total(self, values: Tensor) -> Tensor:
        """`values` summed over ranks, without gradient; alone, `values` themselves."""
        if self.world == 1:
            return values
        summed = values.detach().clone()
        dist.all_reduce(summed)
        return summed

    def share_gradients(
        self, parts: Iterable[nn.Parameter], wholes: Iterable[nn.Parameter]
    ) -> None:
        """Sum the gradients of `parts` over ranks; average those that every rank has whole."""
        if self.world == 1:
            return
        wholes = [parameter for parameter in wholes if parameter.grad is not None]
        for parameter in wholes:
            assert parameter.grad is not None
            parameter.grad /= self.world
        shared = [p.grad for p in (*parts, *wholes) if p.grad is not None]
        if shared:
            flat = torch.cat([gradient.flatten() for gradient in shared])
            dist.all_reduce(flat)
            pieces = torch.split(flat, [gradient.numel() for gradient in shared])
            for gradient, piece in zip(shared, pieces, strict=True):
                gradient.copy_(piece.view_as(gradient))

    def any(self, flag: bool) -> bool:
        """Whether `flag` holds on any rank; all ranks must ask together."""
        return bool(self.total(torch.tensor(int(flag))))

    def wait(self) -> None:
        """Until every rank has come here."""
        if self.world > 1:
            dist.barrier()


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that torchrun started, of which this process is one; else this one alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """Concatenation over ranks, and back the slice of this one."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, ranks: Ranks) -> Tensor:
        ctx.own = slice(ranks.rank * len(part), (ranks.rank + 1) * len(part))
        own = part.contiguous()
        parts = [torch.empty_like(own) for _ in range(ranks.world)]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0][ctx.own], None
