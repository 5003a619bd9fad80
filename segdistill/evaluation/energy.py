"""Energy as the device counts it: NVIDIA's counter of a GPU, or RAPL's of the processor.

Neither is everywhere: NVIDIA's needs the package nvidia-ml-py and a Volta or later; RAPL's files
are often readable by root alone. RAPL counts the whole processor, with all that runs on it.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch

POWERCAP = Path("/sys/class/powercap")
MIN_SECONDS = 1.0  # of work: the counters move about every 0.1 s
Counter = Callable[[], float]  # millijoules since some moment


def millijoules(
    device: torch.device, work: Callable[[], object], repeats: int, powercap: Path = POWERCAP
) -> float | None:
    """Energy of one `work`, mean over at least `repeats` and one second; None if nobody counts."""
    on_gpu = device.type == "cuda"
    counters = [nvidia_counter(device)] if on_gpu else rapl_counters(powercap)
    known = [counter for counter in counters if counter]
    if not known:
        return None
    before = [counter() for counter in known]
    start, done = time.perf_counter(), 0
    while done < repeats or time.perf_counter() - start < MIN_SECONDS:
        work()
        done += 1
    if on_gpu:
        torch.cuda.synchronize(device)
    spent = sum(counter() - first for counter, first in zip(known, before, strict=True))
    return spent / done if spent > 0 else None


def nvidia_counter(device: torch.device) -> Counter | None:
    """The GPU's energy counter; None without nvidia-ml-py or where the GPU has none."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return None
    return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))


def rapl_counters(powercap: Path = POWERCAP) -> list[Counter]:
    """A counter for every processor package whose files may be read; none elsewhere."""
    counters = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text(encoding="utf-8").strip()
            if name.startswith("package"):  # its cores are zones of their own, within it
                counters.append(_unwrapped(zone))
        except (OSError, ValueError):
            continue
    return counters


def _unwrapped(zone: Path) -> Counter:
    """The zone's counter, which starts again from 0 at its range, as one that only grows."""
    size = int((zone / "max_energy_range_uj").read_text(encoding="utf-8")) / 1000
    last, turns = _read(zone), 0

    def counter() -> float:
        nonlocal last, turns
        now = _read(zone)
        turns += now < last
        last = now
        return turns * size + now

    return counter


def _read(zone: Path) -> float:
    return int((zone / "energy_uj").read_text(encoding="utf-8")) / 1000
