"""The vector instructions of CPU kernels: at most AVX2, so that machines with AVX-512 agree.

Wider vectors sum in another order. The same student with the same seed then ends up to 3 points
of mIoU away, which is as much as most methods gain.
"""

import os
from pathlib import Path

CAPS = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
CPUINFO = Path("/proc/cpuinfo")


def cap_instructions() -> None:
    """Hold torch and oneDNN to AVX2, here and in the processes started from here.

    Both read the environment at their first operation. Variables that are set already stay.
    """
    if _has_avx512():
        for name, value in CAPS.items():
            os.environ.setdefault(name, value)


def _has_avx512() -> bool:
    try:
        return " avx512f " in CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return False
