"""Killing trainings at random moments, and what became of each."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from segdistill.check.outcome import Outcome, differences, outcome
from segdistill.check.victim import CONTINUING, start_victim
from segdistill.check.workspace import STATE, make_workspace, temporaries
from segdistill.errors import SuiteError
from segdistill.stop import EXIT_CODE

SEED = 0  # of the trainings
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
    """Trainings of one profile and dataset in a workspace, and what is sent to them."""

    workspace: Path
    profile: str
    dataset: str
    signal: signal.Signals
    kills: int  # attempts on each run

    def start(self, *methods: str) -> ForkServerProcess:
        """A process that trains, evaluates and publishes `methods`."""
        return start_victim(self.workspace, self.profile, self.dataset, SEED, methods)

    def clear(self) -> None:
        """Forget everything but the teacher."""
        for part in (STATE[0], f"results/{self.profile}/runs", f"results/{self.profile}/evals"):
            shutil.rmtree(self.workspace / part, ignore_errors=True)
        (self.workspace / "output.txt").unlink(missing_ok=True)

    def outcome(self, method: str) -> Outcome:
        """What is published of `method`."""
        found = outcome(self.workspace / "results")
        return {name: content for name, content in found.items() if method in Path(name).parts}

    def output(self) -> str:
        """What the processes have printed since `clear`."""
        path = self.workspace / "output.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def kill_test(
    test: KillTest, data: Path, methods: Sequence[str], runs: int, seed: int
) -> Iterator[Tally]:
    """Kill `runs` trainings, the methods in turn; yields a tally as each method is through.

    Moments are drawn from `seed`: a time uniform over the uninterrupted run, and every other
    time the first file write after it. `data` holds the prepared dataset.
    """
    make_workspace(test.workspace, test.profile, test.dataset, methods, SEED, data)
    _finish(test, "teacher")
    expected = _reference(test, methods)
    for place, method in enumerate(methods):
        tally = Tally(method)
        test.clear()
        begin = time.monotonic()
        _finish(test, method)
        seconds = time.monotonic() - begin
        draw = random.Random(f"{seed}/{method}")
        for _ in range(place, runs, len(methods)):
            _run(test, tally, expected[method], draw, seconds)
        yield tally


def _reference(test: KillTest, methods: Sequence[str]) -> dict[str, Outcome]:
    """What an ordinary worker makes of all methods together when nobody kills it."""
    test.clear()
    command = [
        sys.executable,
        "-m",
        "segdistill.pipeline.worker",
        test.profile,
        test.dataset,
        str(SEED),
    ]
    done = subprocess.run([*command, *methods], cwd=test.workspace, capture_output=True)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise SuiteError(f"the uninterrupted run failed: {told[-1] if told else done.returncode}")
    _finish(test, *methods)
    return {method: test.outcome(method) for method in methods}


def _finish(test: KillTest, *methods: str) -> None:
    process = test.start(*methods)
    process.join()
    if process.exitcode:
        raise SuiteError(f"{methods[0]}: the uninterrupted run failed: {_last_line(test)}")


def _run(
    test: KillTest, tally: Tally, expected: Outcome, draw: random.Random, seconds: float
) -> None:
    test.clear()
    tally.runs += 1
    process = test.start(tally.method)
    for attempt in range(test.kills):
        before = temporaries(test.workspace)
        _strike(test, process, draw.uniform(0, seconds), at_write=attempt % 2 == 1)
        if process.exitcode not in (-test.signal, EXIT_CODE):
            break
        tally.kills += 1
        tally.torn += bool(temporaries(test.workspace) - before)
        process = test.start(tally.method)
    process.join()
    tally.resumed += test.output().count(CONTINUING)
    if process.exitcode:
        tally.lost += 1
        tally.messages.append(f"{tally.method}: exit {process.exitcode}: {_last_line(test)}")
    elif different := differences(test.outcome(tally.method), expected):
        tally.corrupt += 1
        tally.messages.append(f"{tally.method}: differs in {', '.join(different)}")


def _strike(test: KillTest, process: ForkServerProcess, seconds: float, at_write: bool) -> None:
    """Send the signal after `seconds`, or at the first write after that, and wait for the end."""
    before = temporaries(test.workspace)
    process.join(seconds)
    while at_write and process.is_alive() and not temporaries(test.workspace) - before:
        time.sleep(POLL_SECONDS)
    if process.is_alive() and process.pid:
        process.kill() if test.signal == signal.SIGKILL else process.terminate()
    process.join()


def _last_line(test: KillTest) -> str:
    return (test.output().splitlines() or ["no message"])[-1]
