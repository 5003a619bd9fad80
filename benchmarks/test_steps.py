"""A distilled step of every method over its floor, in turns.

`--experiment camvid`, or on a GPU `--device cuda --experiment paper-pspnet-r18 --precision bf16`.
"""

import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from benchmarks.conftest import Record
from benchmarks.measure import Work, in_turns
from benchmarks.steps import NO_ADVERSARY, Setting, methods, open_setting, open_trainers, step_of
from benchmarks.tables import Row, Table, bounds
from segdistill.settings.loading import RunConfig
from segdistill.training.student_trainer import PHASES, StudentTrainer

IN_A_ROW = 4  # steps on a GPU, which is told about them long before it is through
# Of a step over its floor.
LIMITS = {
    "student": 1.05, "kd": 1.05, "at": 1.05, "cwd": 1.1, "dist": 1.1, "pcd": 1.15,
    f"ifvd{NO_ADVERSARY}": 1.15, f"skd{NO_ADVERSARY}": 1.15,
}  # fmt: skip
TIMERS = {"cpu": time.process_time, "cuda": time.perf_counter}
NOTES = (
    "One training step on random images and weights, best of five. floor: a teacher's forward, if "
    "the method needs one, and a plain student's step, in turns with it.",
)
CPU_NOTES = (
    "Processor time; parts: means in wall time. method: its terms forward, and the discriminator's "
    "step. backward: student and terms together.",
)
GPU_NOTES = (
    f"Wall time of one of {IN_A_ROW} steps in a row without waiting between them, the batch in "
    "pinned memory. peak: most bytes that torch's allocator had given out at a time, the floor's "
    "student and cuDNN's workspace included.",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = pytest.mark.benchmark(timer=TIMERS[metafunc.config.getoption("device")])
    found = methods(metafunc.config).items()
    cells = [pytest.param(method, config, id=method, marks=mark) for method, config in found]
    metafunc.parametrize(("method", "config"), cells)


@pytest.fixture(scope="module")
def setting(request: pytest.FixtureRequest) -> Setting:
    device = torch.device(request.config.getoption("device"))
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    return open_setting(methods(request.config)["student"], device)


@pytest.fixture(autouse=True)
def free_memory() -> Iterator[None]:
    yield
    gc.collect()
    torch.cuda.empty_cache()


def test_step(
    benchmark: Any, record: Record, setting: Setting, method: str, config: RunConfig
) -> None:
    trainer, plain = open_trainers(config, setting)
    step, floor = (step_of(each, setting, trainer.needs_teacher) for each in (trainer, plain))
    step()  # the first takes longer
    details = gpu_columns(step) if setting.device.type == "cuda" else parts(trainer, step)
    repeat = IN_A_ROW if setting.device.type == "cuda" else 1
    works = [in_a_row(work, repeat) for work in (step, floor)]
    timer = TIMERS[setting.device.type]
    seconds, floor_seconds = (each / repeat for each in in_turns(benchmark, *works, timer=timer))
    row: Row = {
        "method": method,
        "images / s": len(setting.images) / seconds,
        "step ms": 1e3 * seconds,
        "floor ms": 1e3 * floor_seconds,
        "over floor": seconds / floor_seconds,
        **details,
        "bounds": bounds({"step": seconds / floor_seconds}, {"step": LIMITS.get(method)}),
    }
    record(table_of(config, setting), row)


def table_of(config: RunConfig, setting: Setting) -> Table:
    """All methods of one experiment, on a GPU also of one crop, precision and determinism."""
    training, crop = config.training, "{}x{}".format(*config.data.crop)
    title = f"Cost of a step, {config.experiment}: batch {training.batch}, {crop}"
    if setting.device.type == "cpu":
        return Table(f"steps-{config.experiment}", title, NOTES + CPU_NOTES)
    how = f"{crop}-{training.precision}-{training.determinism}"
    device = torch.cuda.get_device_name()
    return Table(f"gpu-{config.experiment}-{how}", f"{title}, {how}", NOTES + GPU_NOTES, device)


def parts(trainer: StudentTrainer, step: Work) -> Row:
    """Where the wall time of a step goes, the mean of five."""
    before, count = dict(trainer.seconds), 5
    for _ in range(count):
        step()
    spent = {part: trainer.seconds[part] - before[part] for part in PHASES[2:]}
    return {f"{part} ms": 1e3 * seconds / count for part, seconds in spent.items()}


def gpu_columns(step: Work) -> Row:
    """The peak memory of a step."""
    torch.cuda.reset_peak_memory_stats()
    step()
    return {"peak GiB": torch.cuda.max_memory_allocated() / 2**30}


def in_a_row(step: Work, count: int) -> Work:
    """Several calls, and the wait for the device in the end."""

    def work() -> None:
        for _ in range(count):
            step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return work
