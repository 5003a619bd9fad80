"""What only a GPU can show: trainings there repeat themselves bit for bit."""

import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from harness_cases import (
    CLASSES,
    CPU,
    EVERY_STEP,
    SMALL,
    Noise,
    StopAfter,
    distilled_step,
    evaluate_noise,
    first_row,
    results,
    run,
    run_config,
)

from segdistill.distill import method_names
from segdistill.errors import exit_with
from segdistill.models.segmentor import build, freeze
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, read_experiment
from segdistill.settings.loading import run_config as of_cell
from segdistill.settings.schema import Execution, Network
from segdistill.stop import Stopped, StopRequest
from segdistill.training.loop import TrainingJob, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CUDA = torch.device("cuda")
PAPER = ("paper-deeplabv3-r18", "paper-pspnet-r18", "paper-deeplabv3-mobilenetv2")
# CIRKD draws from its queues by class; PCD pairs channels on the CPU.
WAITING = ("cirkd", "pcd")
WAITS = {"skd": 1}  # it sends the number of its pairs
WAITED = "called a synchronizing CUDA operation"  # torch's words in its sync debug mode
DRAWING = ("afdcd", "mgd")  # masks, on the device, whose generator is another than the CPU's


@pytest.fixture
def full_device() -> Iterator[Executor]:
    """A process that may use a millionth of the device."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        1, spawn, initializer=torch.cuda.set_per_process_memory_fraction, initargs=(1e-6,)
    ) as pool:
        yield pool


def train_and_leave(folder: Path) -> tuple[object, str]:
    """The exit status of a command that trains on the GPU, and what it prints as error."""

    def command() -> int:
        run(folder, [run_config("kd")], EVERY_STEP, device=CUDA)
        return 0

    with redirect_stderr(StringIO()) as printed, pytest.raises(SystemExit) as left:
        exit_with(command)
    return left.value.code, printed.getvalue()


@pytest.mark.parametrize("name", method_names())
def test_exact_means_the_same_bits(name: str, tmp_path: Path) -> None:
    """Twice in a row, stopped and continued, and with loader workers."""
    [first], [second] = (
        run(tmp_path / turn, [run_config(name)], device=CUDA) for turn in ("first", "second")
    )
    assert results(second) == results(first)
    with pytest.raises(Stopped):
        run(tmp_path / "resumed", [run_config(name)], stop=StopAfter(2), device=CUDA)
    assert results(run(tmp_path / "resumed", [run_config(name)], device=CUDA)[0]) == results(first)
    for workers in (2, 4):
        execution = Execution(workers=workers)
        [other] = run(tmp_path / str(workers), [run_config(name)], execution, device=CUDA)
        assert results(other) == results(first)


@pytest.mark.parametrize("name", sorted({*method_names()} - {*DRAWING}))
def test_the_first_step_is_that_of_the_cpu(name: str, tmp_path: Path) -> None:
    """Up to rounding; without dropout, which either device draws in its own way."""
    config = run_config(name, student=SMALL.model_copy(update={"dropout": 0.0}))
    [here] = run(tmp_path / "here", [config])
    [there] = run(tmp_path / "there", [config], device=CUDA)
    assert first_row(there) == pytest.approx(first_row(here), rel=1e-2, abs=1e-6)


def test_a_cohort_has_the_bits_of_its_methods_alone(tmp_path: Path) -> None:
    configs = [run_config(name) for name in method_names()]
    together = run(tmp_path / "together", configs, device=CUDA)
    alone = [run(tmp_path / "alone", [config], device=CUDA)[0] for config in configs]
    assert [results(folder) for folder in together] == [results(folder) for folder in alone]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("experiment", PAPER)
def test_published_networks_repeat_themselves(
    experiment: str, precision: str, tmp_path: Path
) -> None:
    """All methods of a published protocol at the pair's full width, on crops of 256x512."""
    configs = [_short(config, precision) for config in _grid(experiment)]
    assert configs[0].teacher is not None
    torch.manual_seed(0)
    teacher = freeze(build(_untrained(configs[0].teacher), CLASSES)).to(CUDA)
    found = []
    for turn in ("first", "second"):
        cells = [TrainingJob(config, tmp_path / turn / config.method) for config in configs]
        for cell in cells:
            cell.folder.mkdir(parents=True)
        split = Noise(shape=(264, 528))
        train(cells, split, CLASSES, teacher, Execution(), CUDA, StopRequest())
        found.append([results(cell.folder) for cell in cells])
    assert found[0] == found[1]


def test_an_evaluation_repeats_itself(tmp_path: Path) -> None:
    areas = []
    for turn in ("first", "second", "cpu"):
        device = CPU if turn == "cpu" else CUDA
        record = evaluate_noise(tmp_path / turn, device, latency_runs=3)
        files = sorted((tmp_path / turn).rglob("*"))
        areas.append([p.read_bytes() for p in files if p.suffix in (".npy", ".npz", ".png")])
        assert record.cost.latency_ms is not None
    assert areas[0] == areas[1]
    here, there = (np.load(tmp_path / turn / "confusion.npy") for turn in ("cpu", "first"))
    assert np.abs(here - there).sum() <= 1e-3 * here.sum()


@pytest.mark.parametrize("name", sorted({*method_names()} - {*WAITING}))
def test_a_step_hardly_waits_for_the_device(name: str) -> None:
    step = distilled_step(name, "fcn", CUDA)  # PSPNet's pyramid waits for its grids of means
    step()
    step()
    assert waits_within(step) == WAITS.get(name, 0)


def test_a_wait_is_counted() -> None:
    number = torch.ones((), device=CUDA)
    assert waits_within(lambda: number.item() + number.item()) == 2


def test_a_full_device_is_told_in_one_line(full_device: Executor, tmp_path: Path) -> None:
    status, told = full_device.submit(train_and_leave, tmp_path).result()
    assert status == 2
    assert told.strip().splitlines()[-1].startswith("error: out of memory (CUDA out of memory")


def waits_within(step: Callable[[], object]) -> int:
    """How often the host waits for the device in one call of `step`."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum(WAITED in str(warning.message) for warning in caught)


def _grid(experiment: str) -> list[RunConfig]:
    return [
        of_cell(Cell(experiment, "camvid", method, 0))
        for method in read_experiment(experiment).methods
    ]


def _short(config: RunConfig, precision: str) -> RunConfig:
    changes = {"steps": 4, "batch": 4, "determinism": "exact", "log_every": 1}
    changes |= {"precision": precision, "teacher_precision": precision}
    data = config.data.model_copy(update={"crop": (256, 512)})
    training = config.training.model_copy(update=changes)
    return replace(config, student=_untrained(config.student), data=data, training=training)


def _untrained(network: Network) -> Network:
    return network.model_copy(update={"pretrained": None})
