"""The sum over the ranks of a distributed run, which needs no process group in a plain one."""

import torch.distributed
from torch import Tensor


def rank_count() -> int:
    """Number of processes that train together; 1 without a process group."""
    return torch.distributed.get_world_size() if _grouped() else 1


def sum_over_ranks(values: Tensor) -> Tensor:
    """`values` summed over all ranks, equal on each of them; as they are without a group."""
    if _grouped():
        torch.distributed.all_reduce(values)
    return values


def _grouped() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
