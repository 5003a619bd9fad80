"""Killing trainings of a small project at random moments, and what became of each."""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from command_line import python
from outcome import Outcome, differences, outcome
from small_project import make_project
from victim import CONTINUING, start_victim

from segdistill.pipeline.cells import SCRATCH
from segdistill.stop import EXIT_CODE

EXPERIMENT, DATASET, SEED = "smoke", "scenes_camvid", 0
STATE = (str(SCRATCH), "results")  # all that a training writes
POLL_SECONDS = 0.0002  # files of a small run stay half-written for about a millisecond


@dataclass
class Tally:
    """What happened to all trainings of one method."""

    method: str
    runs: int = 0
    kills: int = 0  # processes that ended by the signal
    torn: int = 0  # of these, with a file half-written
    resumed: int = 0  # restarts that continued from a checkpoint
    lost: int = 0  # runs that did not come to their end when left alone
    corrupt: int = 0  # runs whose results are not those of the uninterrupted run
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class KillTest:
    """Trainings in a folder, and what is sent to them."""

    folder: Path
    signal: signal.Signals
    kills: int  # attempts on each run

    def start(self, *methods: str) -> ForkServerProcess:
        """A process that trains, evaluates and publishes `methods`."""
        return start_victim(self.folder, EXPERIMENT, DATASET, SEED, methods)

    def finish(self, *methods: str) -> None:
        """Train, evaluate and publish `methods` undisturbed."""
        process = self.start(*methods)
        process.join()
        assert process.exitcode == 0, self.output()

    def clear(self) -> None:
        """Forget everything but the teacher."""
        for part in (STATE[0], f"results/{EXPERIMENT}/runs", f"results/{EXPERIMENT}/evals"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
        (self.folder / "output.txt").unlink(missing_ok=True)

    def outcome(self, method: str) -> Outcome:
        """What is published of `method`."""
        found = outcome(self.folder / "results")
        return {name: content for name, content in found.items() if method in Path(name).parts}

    def output(self) -> str:
        """What the processes have printed since `clear`."""
        path = self.folder / "output.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def temporaries(self) -> set[str]:
        """The half-written files, as paths."""
        return {
            os.path.join(place, name)  # noqa: PTH118 - polled while a training runs
            for part in STATE
            for place, _, names in os.walk(self.folder / part)
            for name in names
            if name.endswith(".tmp")
        }


def kill_test(
    test: KillTest, data: Path, methods: Sequence[str], runs: int, seed: int
) -> Iterator[Tally]:
    """Kill `runs` trainings, the methods in turn; yields a tally as each method is through.

    Moments are drawn from `seed`: a time uniform over the uninterrupted run, and every other
    time the first file write after it. `data` holds the prepared dataset.
    """
    make_project(test.folder, EXPERIMENT, DATASET, methods, SEED, data)
    test.finish("teacher")
    expected = _reference(test, methods)
    for place, method in enumerate(methods):
        tally = Tally(method)
        test.clear()
        begin = time.monotonic()
        test.finish(method)
        seconds = time.monotonic() - begin
        draw = random.Random(f"{seed}/{method}")
        for _ in range(place, runs, len(methods)):
            _run(test, tally, expected[method], draw, seconds)
        yield tally


def _reference(test: KillTest, methods: Sequence[str]) -> dict[str, Outcome]:
    """What an ordinary worker makes of all methods together when nobody kills it."""
    test.clear()
    words = ("-m", "segdistill.pipeline.worker", EXPERIMENT, DATASET, str(SEED), *methods)
    done = python(*words, cwd=test.folder)
    assert done.returncode == 0, done.stderr
    test.finish(*methods)
    return {method: test.outcome(method) for method in methods}


def _run(
    test: KillTest, tally: Tally, expected: Outcome, draw: random.Random, seconds: float
) -> None:
    test.clear()
    tally.runs += 1
    process = test.start(tally.method)
    for attempt in range(test.kills):
        before = test.temporaries()
        _strike(test, process, draw.uniform(0, seconds), at_write=attempt % 2 == 1)
        if process.exitcode not in (-test.signal, EXIT_CODE):
            break
        tally.kills += 1
        tally.torn += bool(test.temporaries() - before)
        process = test.start(tally.method)
    process.join()
    tally.resumed += test.output().count(CONTINUING)
    if process.exitcode:
        tally.lost += 1
        tally.messages.append(f"{tally.method}: exit {process.exitcode}: {test.output()[-300:]}")
    elif different := differences(test.outcome(tally.method), expected):
        tally.corrupt += 1
        tally.messages.append(f"{tally.method}: differs in {', '.join(different)}")


def _strike(test: KillTest, process: ForkServerProcess, seconds: float, at_write: bool) -> None:
    """Send the signal after `seconds`, or at the first write after that, and wait for the end."""
    before = test.temporaries()
    process.join(seconds)
    while at_write and process.is_alive() and not test.temporaries() - before:
        time.sleep(POLL_SECONDS)
    if process.is_alive() and process.pid:
        process.kill() if test.signal == signal.SIGKILL else process.terminate()
    process.join()
