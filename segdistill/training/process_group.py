"""The processes that share one training, and what they exchange.

Every rank forwards its share of the batch, but each method sees the whole batch: outputs are
gathered, so that any loss, over pixels, classes or pairs of images, is that of one process.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class ProcessGroup:
    """This process among `world` of them; alone, nothing is sent and nothing copied."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank = rank
        self.world = world

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def gather(self, share: Tensor) -> Tensor:
        """The whole batch, of which every rank has an equal `share`; gradients reach the own share.

        Every rank computes the same loss of the whole, so its gradient needs no exchange.
        """
        whole: Tensor = _Gather.apply(share, self) if self.world > 1 else share  # type: ignore[no-untyped-call]
        return whole

    def total(self, values: Tensor) -> Tensor:
        """`values` summed over ranks, without gradient; alone, `values` themselves."""
        if self.world == 1:
            return values
        summed = values.detach().clone()
        dist.all_reduce(summed)
        return summed

    def share_gradients(
        self, partial: Iterable[nn.Parameter], whole: Iterable[nn.Parameter]
    ) -> None:
        """Sum the gradients of `partial` over ranks and average those of `whole`.

        The network's gradient on a rank is that of its share of the batch; an adapter's or a
        discriminator's is that of the whole batch.
        """
        if self.world == 1:
            return
        whole = [parameter for parameter in whole if parameter.grad is not None]
        for parameter in whole:
            assert parameter.grad is not None
            parameter.grad /= self.world
        shared = [p.grad for p in (*partial, *whole) if p.grad is not None]
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


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def joined() -> Iterator[ProcessGroup]:
    """The group that torchrun started; without torchrun, this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield SINGLE_PROCESS
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """Concatenation over ranks; its gradient is the slice of this rank."""

    @staticmethod
    def forward(ctx: Any, share: Tensor, group: ProcessGroup) -> Tensor:
        ctx.own = slice(group.rank * len(share), (group.rank + 1) * len(share))
        own = share.contiguous()
        shares = [torch.empty_like(own) for _ in range(group.world)]
        dist.all_gather(shares, own)
        return torch.cat(shares)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0][ctx.own], None
