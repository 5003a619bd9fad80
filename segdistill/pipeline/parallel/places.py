"""Where jobs run on this machine: a GPU each, or a share of the processor cores."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segdistill.settings.schema import Training

GPUS = Path("/proc/driver/nvidia/gpus")  # asking torch would take seconds


@dataclass(frozen=True)
class Place:
    """What one job at a time has to itself."""

    cores: tuple[int, ...]
    gpus: str = ""  # as CUDA_VISIBLE_DEVICES names them; none: the variable stays as it is

    def environment(self) -> dict[str, str]:
        """The variables that a job here gets."""
        return {"CUDA_VISIBLE_DEVICES": self.gpus} if self.gpus else {}


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by name or number."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    return [str(number) for number, _ in enumerate(GPUS.glob("*"))]


def available_cores() -> list[int]:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def default_count(gpus: Sequence[str], cores: Sequence[int], training: Training) -> int:
    """How many trainings the GPUs hold; without any, the cores."""
    held = len(gpus) if gpus else len(cores) // training.threads
    return max(1, held // training.devices)


def places(count: int, gpus: Sequence[str], cores: Sequence[int], devices: int = 1) -> list[Place]:
    """`count` places with `devices` GPUs each, in turn if they are few, and a share of `cores`."""
    found = []
    for index in range(count):
        first = index * devices
        own = [gpus[i % len(gpus)] for i in range(first, first + devices)] if gpus else []
        share = tuple(cores[index::count]) or tuple(cores)
        found.append(Place(share, ",".join(dict.fromkeys(own))))
    return found
