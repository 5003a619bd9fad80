"""The most that a device does: bytes it moves and operations it computes in a second."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
CALLS = 10  # in a row; a device is told about them long before it is through
ROUNDS = 5


class Ceilings(NamedTuple):
    """What a large copy and large matrix products reach."""

    copy: float  # bytes a second, those read and those written
    products: Mapping[torch.dtype, float]  # operations a second, two a multiply-accumulate


def measure_ceilings(device: torch.device, side: int = 8192, copied_bytes: int = 2**30) -> Ceilings:
    """Of a copy of `copied_bytes` and of products of two `side` x `side` matrices.

    On random numbers, and as the level of determinism in force lets products be computed.
    """
    source = torch.randint(256, (copied_bytes,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = 2 * copied_bytes / seconds_a_call(lambda: target.copy_(source), device)
    products = {}
    for dtype in PRECISIONS.values():
        one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        result = torch.empty_like(one)
        call = _product(one, other, result)
        products[dtype] = 2 * side**3 / seconds_a_call(call, device)
    return Ceilings(copy, products)


def seconds_a_call(
    call: Callable[[], object], device: torch.device, calls: int = CALLS, rounds: int = ROUNDS
) -> float:
    """Wall time of one of `calls` calls in a row, the best of `rounds`, after one to warm up.

    The device is waited for before and after a round, not between the calls.
    """
    call()
    best = float("inf")
    for _ in range(rounds):
        wait(device)
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait(device)
        best = min(best, time.perf_counter() - start)
    return best / calls


def wait(device: torch.device) -> None:
    """Until `device` has done all that it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _product(one: torch.Tensor, other: torch.Tensor, result: torch.Tensor) -> Callable[[], object]:
    return lambda: torch.mm(one, other, out=result)
