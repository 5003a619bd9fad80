"""Time and peak memory of one step, and how several of them are measured fairly."""

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

os.environ.setdefault("KINETO_LOG_LEVEL", "9")  # the profiler prints two lines a use

from torch.profiler import ProfilerActivity, profile

Work = Callable[[], object]


def best_seconds(works: Sequence[Work], repeats: int) -> list[float]:
    """The least processor time (seconds) of `repeats` calls of each of `works`.

    They take turns after one call each to warm up, so that a slow spell of the machine meets all
    of them. Processor time, not wall time: another process on the core does not count. It equals
    wall time on a free core as long as torch runs one thread, which is the caller's to set.
    """
    for work in works:
        work()
    best = [float("inf")] * len(works)
    for _ in range(repeats):
        for index, work in enumerate(works):
            start = time.process_time()
            work()
            best[index] = min(best[index], time.process_time() - start)
    return best


class Memory(NamedTuple):
    """Bytes that a step asked for beyond what it found."""

    peak: int  # held at a time, gradients included
    largest: int  # in one piece


def memory_of(work: Work) -> Memory:
    """What `work` allocates: the most at a time, and the largest single tensor.

    torch's profiler reports every allocation and release of the CPU allocator, temporaries
    inside an operation too; their running sum is exact and the same in every run. The process's
    resident size would show only a new maximum, once, and would depend on what ran before. What
    other libraries allocate (scratch space of oneDNN, SciPy's assignment) is not seen.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        work()
    assert recorded.profiler is not None
    assert recorded.profiler.kineto_results is not None
    events = recorded.profiler.kineto_results.events()
    moves = sorted(
        ((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"),
        key=lambda move: move[0],
    )
    held = highest = 0
    for _, size in moves:
        held += size
        highest = max(highest, held)
    return Memory(highest, max((size for _, size in moves), default=0))
