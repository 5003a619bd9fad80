"""A whole distilled step of every method of the active profile, teacher forward included."""

import time
from typing import Any

import pytest

from harness.bench.steps import Setting, open_learner, open_setting, take_turns
from harness.config import read_params, read_profile, student_run

PARAMS = read_params()
PROFILE = read_profile(PARAMS.profile)
DATASET = PROFILE.grid.datasets[0]
pytestmark = pytest.mark.benchmark(timer=time.perf_counter, group=f"step, {PARAMS.profile}")


@pytest.fixture(scope="module")
def setting() -> Setting:
    return open_setting(PROFILE, DATASET)


@pytest.mark.parametrize("method", PROFILE.grid.methods)
def test_step(benchmark: Any, setting: Setting, method: str) -> None:
    learner = open_learner(student_run(PARAMS.profile, DATASET, method, 0), setting)
    benchmark.pedantic(take_turns, args=([learner], setting), rounds=5, warmup_rounds=1)
    taken = learner.step
    benchmark.extra_info["phases"] = {
        phase: seconds / taken for phase, seconds in learner.seconds.items()
    }
