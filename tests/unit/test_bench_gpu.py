"""What the GPU benchmark counts, by closed forms; the measuring itself on the CPU."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness.bench.ceilings import Ceilings, measure_ceilings, seconds_a_call
from harness.bench.gpu import FLOOR, GpuRow, Variant, measure_gpu
from harness.bench.gpu_table import gpu_table
from harness.bench.session import bench_gpu
from harness.bench.work import Work
from harness.commands.bench import configure
from harness.config import read_profile, student_run
from harness.determinism import set_determinism
from harness.errors import SuiteError

CPU = torch.device("cpu")
UNIT = Ceilings(copy=1.0, products={torch.float32: 1.0, torch.bfloat16: 2.0})
VARIANT = Variant((64, 96), "fp32", "seeded")
ROW = GpuRow(
    "kd", VARIANT._replace(precision="bf16"), 16, 0.2, 0.16, 3 * 2**30, 4, 10**13, 10**11, 0.05,
    Ceilings(2e12, {torch.float32: 5e13, torch.bfloat16: 8e14}),
)  # fmt: skip
OTHER, ONE = torch.ones(2, 3, 4), torch.tensor(1.0)


@pytest.fixture(autouse=True)
def determinism_as_before() -> Iterator[None]:
    level = torch.are_deterministic_algorithms_enabled()
    yield
    set_determinism("exact" if level else "seeded", torch.get_num_threads())


def test_a_product_and_its_gradients() -> None:
    one = torch.randn(2, 3, requires_grad=True)
    other = torch.randn(3, 5, requires_grad=True)
    with Work(UNIT) as work:
        made = one @ other
    assert work.operations == 2 * 2 * 3 * 5
    assert work.bytes == 4 * (2 * 3 + 3 * 5 + 2 * 5)
    assert work.seconds == max(work.operations, work.bytes)
    with Work(UNIT) as work:
        made.backward(torch.ones(2, 5))
    assert work.operations == 2 * 2 * (2 * 3 * 5)


def test_a_convolution_and_its_gradients() -> None:
    images = torch.randn(2, 3, 8, 8, requires_grad=True)
    kernel = torch.randn(5, 3, 3, 3, requires_grad=True)
    with Work(UNIT) as work:
        F.conv2d(images, kernel, padding=1).sum().backward()
    assert work.operations == 3 * 2 * (2 * 8 * 8 * 5) * (3 * 3 * 3)


def test_a_product_added_in_place() -> None:
    total = torch.zeros(2, 5)
    with Work(UNIT) as work:
        total.addmm_(torch.ones(2, 3), torch.ones(3, 5)).add_(1)
    assert work.operations == 2 * 2 * 3 * 5


def test_bf16_has_a_ceiling_of_its_own() -> None:
    one = torch.ones(64, 64, dtype=torch.bfloat16)
    with Work(UNIT) as work:
        one @ one
    assert work.seconds == 2 * 64**3 / 2


CHANGES: dict[str, tuple[int, Callable[[Tensor], object]]] = {
    "view": (0, lambda maps: maps.view(6, 4).T),
    "expanded view": (0, lambda maps: maps.expand(8, 2, 3, 4)),
    "sum": (3 * 24, lambda maps: maps + OTHER),
    "product with a number": (2 * 24, lambda maps: maps * 2),
    "product in place": (2 * 24, lambda maps: maps.mul_(2)),
    "overwriting": (24, lambda maps: maps.zero_()),
    "copy": (2 * 24, lambda maps: maps.copy_(OTHER)),
    "copy of one number": (1 + 24, lambda maps: maps.copy_(ONE.expand(2, 3, 4))),
    "several in place": (4 * 24, lambda maps: torch._foreach_mul_([maps, OTHER], 2.0)),
    "given output": (2 * 24, lambda maps: torch.mul(maps, 2.0, out=OTHER)),
    "two outputs": (24 + 8 + 16, lambda maps: maps.max(dim=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_numbers_are_read_and_written_once(name: str) -> None:
    """Counted in float32; the places of maxima are of twice its size."""
    numbers, change = CHANGES[name]
    with Work(UNIT) as work:
        change(torch.ones(2, 3, 4))
    assert work.bytes - 4 * 24 == 4 * numbers  # `ones` itself


def test_ceilings_are_measured() -> None:
    found = measure_ceilings(CPU, side=64, copied_bytes=2**20)
    assert found.copy > 1e7
    assert set(found.products) == {torch.float32, torch.bfloat16}
    assert min(found.products.values()) > 1e6


def test_calls_are_timed_in_a_row_after_one_to_warm_up() -> None:
    calls: list[int] = []
    seconds = seconds_a_call(lambda: calls.append(1), CPU, calls=3, rounds=2)
    assert len(calls) == 1 + 2 * 3
    assert 0 <= seconds < 1


@pytest.fixture(scope="module")
def rows() -> dict[str, GpuRow]:
    configs = [student_run("smoke", "scenes_camvid", name, 0) for name in ("student", "kd")]
    measured = measure_gpu(
        configs, read_profile("smoke"), "scenes_camvid", [VARIANT], 1, CPU, lambda _: UNIT
    )
    return {row.method: row for row in measured}


def test_the_floor_is_a_teachers_forward_and_a_plain_step(rows: dict[str, GpuRow]) -> None:
    assert list(rows) == [FLOOR, "student", "kd"]
    assert rows["student"].operations < rows[FLOOR].operations == rows["kd"].operations
    assert rows[FLOOR].bytes < rows["kd"].bytes
    assert {row.floor for row in rows.values()} == {rows[FLOOR].seconds}
    assert all(row.least >= row.operations for row in rows.values())


def test_an_image_of_twice_the_size_takes_twice_the_operations(rows: dict[str, GpuRow]) -> None:
    wide = VARIANT._replace(crop=(64, 192))
    [row, _] = measure_gpu(
        [student_run("smoke", "scenes_camvid", "student", 0)],
        read_profile("smoke"), "scenes_camvid", [wide], 1, CPU, lambda _: UNIT,
    )  # fmt: skip
    assert row.operations == pytest.approx(2 * rows[FLOOR].operations, rel=0.02)


def test_every_figure_of_the_table() -> None:
    table = gpu_table([ROW], "title", ["machine"])
    assert [entry.text for entry in table.rows[0]] == [
        "bf16", "seeded", "kd", "80", "200", "1.25", "3", "50", "6.25", "25", "25", "4",
    ]  # fmt: skip
    [values] = table.values
    assert values["images_per_second"] == pytest.approx(80)
    assert values["of_products"] == pytest.approx(0.0625)
    assert any("copy 2000 GB/s" in note and "800 TFLOP/s in bf16" in note for note in table.notes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no GPU that torch can use"):
        bench_gpu(tmp_path, "smoke", None, ["fp32"], ["exact"], 1)


def test_what_was_measured_before_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_rows(*_: object) -> Iterator[GpuRow]:
        yield ROW
        yield ROW._replace(method="cwd")
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU")
    monkeypatch.setattr("harness.bench.session.measure_gpu", two_rows)
    with pytest.raises(torch.OutOfMemoryError):
        bench_gpu(tmp_path, "smoke", [(64, 96)], ["bf16"], ["exact"], 1)
    kept = json.loads((tmp_path / "gpu-smoke-64x96-bf16.json").read_text())
    assert [row["method"] for row in kept["gpu"]] == ["kd", "cwd"]
    assert kept["environment"]["device"] == "a GPU"


@pytest.mark.parametrize("text", ["512", "512x", "0x4", "axb", "-1x4"])
def test_a_crop_that_is_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--gpu", f"--crop={text}"])
    assert "is no crop; write HEIGHTxWIDTH" in capsys.readouterr().err
    assert parser.parse_args(["--gpu", "--crop", "512x1024", "8x9"]).crop == [(512, 1024), (8, 9)]
