"""The GPUs of this machine as NVIDIA's driver tells them, since asking torch would take seconds."""

import os
from collections.abc import Sequence
from pathlib import Path

GPUS = Path("/proc/driver/nvidia/gpus")


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by name or number."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    return [str(number) for number, _ in enumerate(GPUS.glob("*"))]


def gpu_model() -> str | None:
    """The first GPU's model; None without one that may be used."""
    for place in sorted(GPUS.glob("*/information")) if visible_gpus() else ():
        for line in place.read_text(encoding="utf-8").splitlines():
            if line.startswith("Model:"):
                return line.partition(":")[2].strip()
    return None


def places(
    count: int | None, gpus: Sequence[str], cores: int, devices: int, threads: int
) -> list[str]:
    """The GPUs of each of `count` jobs at once: `devices` of them, in turn if they are few.

    Without a count, as many jobs as the GPUs hold or, without any, the `cores`, of which each
    device takes `threads`.
    """
    count = count or max(1, (len(gpus) or cores // threads) // devices)
    found = []
    for first in range(0, count * devices, devices):
        own = [gpus[i % len(gpus)] for i in range(first, first + devices)] if gpus else []
        found.append(",".join(dict.fromkeys(own)))
    return found
