"""Forward and backward of every loss term, its literal formula, and the floor of both."""

import gc
import time
from typing import Any

import pytest

from harness.bench.cases import Case, measured
from harness.bench.inputs import floor
from harness.bench.losses import inputs_of, literal_step, our_step
from harness.bench.measure import memory_of

STEPS = {"ours": our_step, "literal": literal_step}
HEAVY = ("skd, pairs, no pooling", "cirkd, memory")  # 5 and 3 GiB by the literal formula
pytestmark = pytest.mark.benchmark(timer=time.process_time, min_rounds=5, max_time=0.5)


def cells() -> list[Any]:
    """Every case at both pairs of widths."""
    found = []
    for large in (False, True):
        for case in measured(large):
            slow = (pytest.mark.slow,) if large or case.name in HEAVY else ()
            label = "{} {}-{}".format(case.name, *case.widths(large))
            found.append(pytest.param(case, large, id=label, marks=slow))
    return found


@pytest.fixture(autouse=True)
def tidy() -> Any:
    yield
    gc.collect()


@pytest.mark.parametrize("side", STEPS)
@pytest.mark.parametrize(("case", "large"), cells())
def test_loss(benchmark: Any, case: Case, large: bool, side: str) -> None:
    step = STEPS[side](case, inputs_of(case, large))
    benchmark.group = f"{case.name}, {'large' if large else 'usual'} widths"
    benchmark(step)
    step.drop_gradients()
    benchmark.extra_info |= memory_of(step)._asdict()


@pytest.mark.parametrize(("case", "large"), cells())
def test_floor(benchmark: Any, case: Case, large: bool) -> None:
    benchmark.group = f"{case.name}, {'large' if large else 'usual'} widths"
    benchmark(floor(inputs_of(case, large), case.reads))
