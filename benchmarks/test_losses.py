"""Every loss term against its literal formula, in turns: time and peak memory as ratios.

`-k small` is a quick look; `-k usual` makes losses.md, `-k large` losses-large.md.
"""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.cases import BESIDE_CWD, CASES, IMAGES, WIDTHS, Case, Step
from benchmarks.conftest import Record
from benchmarks.inputs import Inputs
from benchmarks.measure import in_turns, memory_of
from benchmarks.tables import Row, Table, bounds

MIB = 2**20
BY_NAME = {case.name: case for case in CASES}
NOTES = (
    "Forward and backward of the term alone, batch 4, float32, processor time, best of five; both "
    "take turns. A ratio below 1 is less than the other one takes.",
    "MiB: most bytes held at a time beyond the inputs, gradients included (torch's allocator). "
    "largest: the largest single tensor, for one image.",
    "literal: the paper's formula written plainly (class loops, n x n maps). A map below 64x128 "
    "is used where it would take gigabytes or minutes there.",
    "cirkd, memory: queues of 4000 and 400 a class, half full.",
)
TITLE = "Cost of the losses against their literal formulas"
TABLES = {maps: Table(f"losses-{maps}", f"{TITLE}, {maps} widths", NOTES) for maps in WIDTHS}
TABLES["usual"] = Table("losses", TITLE, NOTES)
pytestmark = pytest.mark.benchmark(timer=time.process_time)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("maps", ["small", "usual", pytest.param("large", marks=pytest.mark.slow)])
def test_loss(benchmark: Any, record: Record, case: Case, maps: str) -> None:
    inputs = case.inputs(maps)
    limits = {"time": case.time, "memory": case.memory} if maps == "usual" else {}
    row = compare(benchmark, case, inputs, case.literal_step(inputs), limits)
    record(TABLES[maps], {"term": case.name, "against": "literal", **row})


@pytest.mark.parametrize("name", BESIDE_CWD)
def test_pcd_beside_cwd_usual(benchmark: Any, record: Record, name: str) -> None:
    other, limit = BESIDE_CWD[name]
    inputs = BY_NAME[name].inputs("usual")
    rival = BY_NAME[other].our_step(inputs)
    row = compare(benchmark, BY_NAME[name], inputs, rival, {"time": limit})
    record(TABLES["usual"], {"term": name, "against": other, **row})


def compare(
    benchmark: Any, case: Case, inputs: Inputs, rival: Step, limits: Mapping[str, float | None]
) -> Row:
    """The case by our method and by `rival`, and whether their ratios keep to `limits`."""
    own, other = inputs.maps(case.reads[-1])
    step = case.our_step(inputs)
    seconds, rival_seconds = in_turns(benchmark, step, rival)
    memory, rival_memory = memory_of(step), memory_of(rival)
    ratios = {"time": seconds / rival_seconds, "memory": memory.peak / rival_memory.peak}
    return {
        "widths": f"{own.shape[1]}/{other.shape[1]}",
        "map": f"{own.shape[2]}x{own.shape[3]}",
        "ms": 1e3 * seconds,
        "its ms": 1e3 * rival_seconds,
        "time ratio": ratios["time"],
        "MiB": memory.peak / MIB,
        "its MiB": rival_memory.peak / MIB,
        "memory ratio": ratios["memory"],
        "largest, MiB an image": memory.largest / MIB / IMAGES,
        "bounds": bounds(ratios, limits),
    }
