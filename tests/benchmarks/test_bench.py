"""What the benchmarks measure with: bounds, tables, memory to the byte, turns, equal samples."""

import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.measure import in_turns, memory_of
from benchmarks.steps import NO_ADVERSARY, methods, open_setting, open_trainers, step_of
from benchmarks.tables import Table, bounds, machine, markdown, write
from benchmarks.test_loader import (
    CROPS,
    IMAGES,
    compare,
    our_loader,
    rival_loader,
    write_cityscapes,
)
from segdistill.distill import method_names
from segdistill.training.student_trainer import PHASES

KIB = 1024
TABLE = Table("name", "Title", ("a note",))
ROWS = [{"term": "kd", "ms": 1234.56, "ratio": 0.04321}, {"term": "at", "ms": 5.0, "ratio": 1.0}]


def test_a_bound_is_kept_at_its_limit_and_where_there_is_one() -> None:
    ratios = {"time": 0.1, "memory": 0.5}
    assert bounds(ratios, {"time": 0.1, "memory": None}) == "time ≤ 0.1: kept"
    found = bounds(ratios, {"time": 0.05, "memory": 1 / 2})
    assert found == "time ≤ 0.05: not kept, memory ≤ 0.5: kept"


def test_tables_print_three_digits_and_keep_all(tmp_path: Path) -> None:
    where = machine("a device")
    text = markdown(TABLE, ROWS, where)
    assert "| term | ms | ratio |\n| --- | ---: | ---: |\n| kd | 1235 | 0.0432 |" in text
    assert "- a note\n- a device; " in text
    write(TABLE, ROWS, where, tmp_path)
    assert (tmp_path / "name.md").read_text(encoding="utf-8") == text
    kept = json.loads((tmp_path / "name.json").read_text(encoding="utf-8"))
    assert kept["rows"] == ROWS
    assert kept["environment"]["device"] == "a device"


class Benchmark:
    """Stands in for pytest-benchmark's fixture."""

    stats = SimpleNamespace(stats=SimpleNamespace(min=7.0))

    def pedantic(self, target: Any, setup: Any, rounds: int, warmup_rounds: int) -> None:
        for _ in range(rounds + warmup_rounds):
            setup()
            target()


def test_works_take_turns_and_the_first_call_is_left_out() -> None:
    calls: list[str] = []
    ticks = accumulate(tick for seconds in (1, 5, 3, 4, 6, 7) for tick in (0.0, seconds))
    rival, timer = (lambda: calls.append("b")), (lambda: next(ticks))
    assert in_turns(Benchmark(), lambda: calls.append("a"), rival, timer=timer) == [7.0, 3.0]
    assert calls == list("ba" * 6)


def test_peak_counts_what_is_held_at_a_time_and_not_the_sum() -> None:
    def work() -> None:
        for _ in range(3):
            torch.empty(KIB, dtype=torch.float32)

    assert memory_of(work) == (4 * KIB, 4 * KIB)


class Options:
    """Stands in for pytest's, of `smoke` on crops of 64x96."""

    def getoption(self, name: str) -> Any:
        return {"experiment": "smoke", "crop": (64, 96)}.get(name)


@pytest.fixture
def determinism_as_before() -> Iterator[None]:
    level = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(level)


@pytest.mark.usefixtures("determinism_as_before")
def test_every_method_takes_a_step_over_the_same_floor() -> None:
    found = methods(Options())  # type: ignore[arg-type]
    assert {*found} == {*method_names(), f"skd{NO_ADVERSARY}", f"ifvd{NO_ADVERSARY}"}
    setting = open_setting(found["kd"], torch.device("cpu"))
    assert setting.images.shape[2:] == setting.labels.shape[1:] == (64, 96)
    trainer, floor = open_trainers(found["kd"], setting)
    step_of(trainer, setting, taught=True)()
    step_of(floor, setting, taught=True)()
    assert trainer.step == floor.step == 1
    assert not floor.needs_teacher
    assert all(trainer.seconds[part] > 0 for part in PHASES[2:])


def test_every_sample_is_mmsegmentations(tmp_path: Path) -> None:
    sizes = (96, 192), (48, 96)
    write_cityscapes(tmp_path, IMAGES, sizes[0])
    ours, theirs = our_loader(tmp_path, sizes, kept=0), rival_loader(tmp_path, sizes)
    for counter in range(CROPS):
        compare(ours(counter), theirs(counter))
    with pytest.raises(AssertionError):
        compare(ours(0), theirs(IMAGES))
