"""Energy from counters that are made up, and memory of a pass."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdistill.evaluation import energy
from segdistill.evaluation.energy import millijoules, nvidia_counter, rapl_counters
from segdistill.evaluation.memory import peak_memory

CPU = torch.device("cpu")


def make_zone(powercap: Path, number: str, name: str, microjoules: int) -> Path:
    zone = powercap / f"intel-rapl:{number}"
    zone.mkdir(parents=True)
    (zone / "name").write_text(f"{name}\n")
    (zone / "max_energy_range_uj").write_text("1000000\n")
    (zone / "energy_uj").write_text(f"{microjoules}\n")
    return zone


def test_energy_is_summed_over_packages_and_shared_over_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "MIN_SECONDS", 0.0)
    zones = [make_zone(tmp_path, str(i), f"package-{i}", 990_000) for i in (0, 1)]
    make_zone(tmp_path, "0:0", "core", 0)
    spent = iter((995_000, 3_000))  # 5 mJ, then 8 mJ beyond the range

    def work() -> None:
        value = next(spent)
        for zone in zones:
            (zone / "energy_uj").write_text(str(value))

    assert millijoules(CPU, work, 2, tmp_path) == pytest.approx((13 + 13) / 2)


def test_a_counter_goes_on_over_its_range(tmp_path: Path) -> None:
    zone = make_zone(tmp_path, "0", "package-0", 900_000)
    (counter,) = rapl_counters(tmp_path)
    for value, expected in ((950_000, 950.0), (10_000, 1010.0), (20_000, 1020.0), (0, 2000.0)):
        (zone / "energy_uj").write_text(str(value))
        assert counter() == pytest.approx(expected)


def test_nobody_counts_without_readable_files(tmp_path: Path) -> None:
    assert millijoules(CPU, lambda: None, 1, tmp_path / "absent") is None
    zone = make_zone(tmp_path, "0", "package-0", 0)
    (zone / "energy_uj").unlink()
    assert rapl_counters(tmp_path) == []


def test_nvidias_counter_is_read_by_the_devices_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    class NVMLError(Exception):
        pass

    def handle_of(uuid: str) -> str:
        if uuid != "GPU-1234":
            raise NVMLError
        return uuid

    fake = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle_of,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: 42 if handle else None,
    )
    properties: dict[str, Any] = {"uuid": "1234"}
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(**properties)
    )
    counter = nvidia_counter(torch.device("cuda"))
    assert counter is not None
    assert counter() == 42.0
    properties["uuid"] = "other"
    assert nvidia_counter(torch.device("cuda")) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvidia_counter(torch.device("cuda")) is None


class Chain(nn.Module):
    """Maps of one size, of which at most four are held at a time."""

    def forward(self, image: Tensor) -> Tensor:
        first = image + 1
        second = first * 2
        del first
        third = second.flatten(1)  # a view, no memory of its own
        fourth = third + 1
        fourth.add_(1)
        return torch.cat([third, fourth])  # two maps beside the two that it joins


def test_memory_is_what_is_held_at_a_time() -> None:
    image = torch.zeros(1, 3, 8, 8)
    assert peak_memory(Chain(), image) == 4 * image.nbytes


def test_memory_of_convolutions_counts_maps_and_no_weights() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 2, 1))
    assert peak_memory(net.train(), torch.zeros(2, 3, 10, 12)) == 4 * 2 * 10 * 12 * (8 + 2)
    assert net.training
