"""The cap on vector instructions: set where wider ones exist, and obeyed by torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segdistill.training import instructions
from segdistill.training.instructions import CAPS, CPUINFO, cap_instructions

TOLD = """
from segdistill.training.instructions import cap_instructions
import torch
cap_instructions()
print(torch.backends.cpu.get_cpu_capability())
"""


@pytest.fixture(autouse=True)
def uncapped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CAPS:
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)


def processor(path: Path, flags: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"processor : 0\nflags\t\t: fpu {flags} erms\n")
    monkeypatch.setattr(instructions, "CPUINFO", path)


def caps() -> dict[str, str]:
    return {name: os.environ[name] for name in CAPS if name in os.environ}


def test_avx512_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processor(tmp_path / "cpuinfo", "avx2 avx512f avx512bw", monkeypatch)
    cap_instructions()
    assert caps() == {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def test_what_is_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processor(tmp_path / "cpuinfo", "avx2 avx512f", monkeypatch)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx512")
    cap_instructions()
    assert caps() == {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@pytest.mark.parametrize("flags", ["avx avx2", "sse4_2", "avx512fp16"])
def test_others_are_left_alone(flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processor(tmp_path / "cpuinfo", flags, monkeypatch)
    cap_instructions()
    assert caps() == {}


def test_no_cpuinfo_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "CPUINFO", tmp_path / "absent")
    cap_instructions()
    assert caps() == {}


@pytest.mark.skipif(
    not CPUINFO.is_file() or "avx2" not in CPUINFO.read_text(), reason="a processor with AVX2"
)
def test_torch_obeys() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in CAPS}
    done = subprocess.run(
        [sys.executable, "-c", TOLD], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "AVX2"
