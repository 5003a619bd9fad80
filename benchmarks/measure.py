"""Time and peak memory of a piece of work, and how rivals are timed fairly."""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("KINETO_LOG_LEVEL", "9")  # the profiler prints two lines a use

from torch.profiler import ProfilerActivity, profile

ROUNDS = 5
Work = Callable[[], object]


def in_turns(
    benchmark: Any, ours: Work, *rivals: Work, timer: Callable[[], float] = time.process_time
) -> list[float]:
    """The least seconds of a call of `ours` and of each of `rivals`, after one to warm up.

    pytest-benchmark times `ours`, by the `timer` that its mark names too; before each of its
    rounds every rival is called once, so that a slow spell of the machine meets all of them.
    Processor time leaves out other processes; with one thread it is wall time on a free core.
    """
    seconds: list[list[float]] = [[] for _ in rivals]

    def call_rivals() -> None:
        for work, times in zip(rivals, seconds, strict=True):
            start = timer()
            work()
            times.append(timer() - start)

    benchmark.pedantic(ours, setup=call_rivals, rounds=ROUNDS, warmup_rounds=1)
    return [benchmark.stats.stats.min, *(min(times[1:]) for times in seconds)]


class Memory(NamedTuple):
    """Bytes that a step asked for beyond what it found."""

    peak: int  # held at a time, gradients included
    largest: int  # in one piece


def memory_of(work: Work) -> Memory:
    """What `work` allocates: the most at a time, and the largest single tensor.

    torch's profiler reports every allocation and release of the CPU allocator, temporaries
    inside an operation too; their running sum is exact and the same in every run. What other
    libraries allocate (scratch space of oneDNN, SciPy's assignment) is not seen.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        work()
    assert recorded.profiler is not None
    assert recorded.profiler.kineto_results is not None
    events = recorded.profiler.kineto_results.events()
    moves = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    held = highest = 0
    for _, size in moves:
        held += size
        highest = max(highest, held)
    return Memory(highest, max((size for _, size in moves), default=0))
