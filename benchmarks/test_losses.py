"""Forward and backward of every loss term, its literal formula, and the floor of both."""

import gc
import time
from typing import Any

import pytest

from harness.bench.cases import Case, Maps, measured
from harness.bench.inputs import floor
from harness.bench.losses import inputs_of, literal_step, our_step
from harness.bench.measure import memory_of

WIDTHS: tuple[Maps, ...] = ("usual", "large")
STEPS = {"ours": our_step, "literal": literal_step}
HEAVY = ("skd, pairs, no pooling", "cirkd, memory")  # 5 and 3 GiB by the literal formula
pytestmark = pytest.mark.benchmark(timer=time.process_time, min_rounds=5, max_time=0.5)


def cells() -> list[Any]:
    """Every case at both pairs of widths."""
    found = []
    for maps in WIDTHS:
        for case in measured(maps):
            slow = (pytest.mark.slow,) if maps == "large" or case.name in HEAVY else ()
            label = "{} {}-{}".format(case.name, *case.widths(maps))
            found.append(pytest.param(case, maps, id=label, marks=slow))
    return found


@pytest.fixture(autouse=True)
def tidy() -> Any:
    yield
    gc.collect()


@pytest.mark.parametrize("side", STEPS)
@pytest.mark.parametrize(("case", "maps"), cells())
def test_loss(benchmark: Any, case: Case, maps: Maps, side: str) -> None:
    step = STEPS[side](case, inputs_of(case, maps))
    benchmark.group = f"{case.name}, {maps} widths"
    benchmark(step)
    step.drop_gradients()
    benchmark.extra_info |= memory_of(step)._asdict()


@pytest.mark.parametrize(("case", "maps"), cells())
def test_floor(benchmark: Any, case: Case, maps: Maps) -> None:
    benchmark.group = f"{case.name}, {maps} widths"
    benchmark(floor(inputs_of(case, maps), case.reads))
