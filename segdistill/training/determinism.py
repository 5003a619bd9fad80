"""Randomness as a function of (seed, purpose, counter), and how exactly a run repeats itself."""

import hashlib
import os
from collections.abc import Mapping

import torch
from torch import Tensor

# Read by cuBLAS when it starts, so it must be in the environment before the first CUDA call.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def draw_seed(seed: int, purpose: str, counter: int = 0) -> int:
    """A 63-bit seed for one draw; different purposes and counters are independent."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{counter}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def set_determinism(level: str, threads: int) -> None:
    """Apply a level: `exact` same bits, `seeded` same draws, `fast` the quickest kernels.

    The number of CPU threads is part of the recipe because sums depend on it.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(level == "exact")
    # No operator here reads memory before it is written; filling it costs 4 % of a CPU step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = level == "exact"
    torch.backends.cudnn.benchmark = level == "fast"
    torch.backends.cuda.matmul.allow_tf32 = level == "fast"
    torch.backends.cudnn.allow_tf32 = level == "fast"


def tensors_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
