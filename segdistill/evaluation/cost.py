"""What a network costs: parameters, multiply-accumulates, latency."""

import copy
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 3  # passes that are not timed


def parameters(net: nn.Module) -> int:
    """Numbers a network learns: the elements of all its parameters."""
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def macs(net: nn.Module, image: Tensor) -> int:
    """Multiply-accumulates of one forward pass of `image` (N 3 H W), in evaluation mode.

    Convolutions and matrix products only, half of PyTorch's FLOP count. Computed on a copy
    without storage (device "meta"), so it costs nothing and gives the same on every machine.
    """
    shadow = copy.deepcopy(net).to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        shadow(image.to("meta"))
    return int(counter.get_total_flops()) // 2


@torch.no_grad()
def latency(net: nn.Module, image: Tensor, runs: int) -> tuple[float, float]:
    """Median and interquartile range of `runs` forward passes of `image`, in milliseconds."""
    if runs < 1:
        raise ValueError(f"latency needs at least 1 run, not {runs}")
    milliseconds = []
    for run in range(WARM_UP + runs):
        start = time.perf_counter()
        net(image)
        _wait(image)
        if run >= WARM_UP:
            milliseconds.append((time.perf_counter() - start) * 1000)
    low, median, high = np.percentile(milliseconds, (25, 50, 75))
    return float(median), float(high - low)


def _wait(image: Tensor) -> None:
    """Let an accelerator finish, whose calls return at once."""
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
