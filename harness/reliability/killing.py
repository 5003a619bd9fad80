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

from harness.errors import SuiteError
from harness.reliability.outcome import Outcome, differences, outcome
from harness.reliability.victim import CONTINUING, start_victim
from harness.reliability.workspace import STATE, make_workspace, temporaries
from harness.stop import EXIT_CODE

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
    """Trainings of one profile, dataset and seed, in a workspace that holds their teacher."""

    workspace: Path
    profile: str
    dataset: str
    seed: int
    signal: signal.Signals
    kills: int  # attempts on each run

    def start(self, method: str) -> ForkServerProcess:
        """A process that trains, evaluates and publishes `method`."""
        return start_victim(self.workspace, self.profile, self.dataset, self.seed, [method])

    def clear(self) -> None:
        """Forget everything but the teacher."""
        for part in (STATE[0], f"results/{self.profile}/runs", f"results/{self.profile}/evals"):
            shutil.rmtree(self.workspace / part, ignore_errors=True)
        (self.workspace / "output.txt").unlink(missing_ok=True)

    def outcome(self) -> Outcome:
        """The published results."""
        return outcome(self.workspace / "results")

    def output(self) -> str:
        """What the processes have printed since `clear`."""
        path = self.workspace / "output.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def kill_test(
    folder: Path,
    data: Path,
    profile: str,
    dataset: str,
    methods: Sequence[str],
    runs: int,
    kills: int,
    number: signal.Signals,
    seed: int,
) -> Iterator[Tally]:
    """Kill `runs` trainings, the methods in turn, up to `kills` times each; a tally a method.

    Moments are drawn from `seed`: a time uniform over the uninterrupted run, and every other
    time the first file write after it. The tallies are yielded once a method is through.
    """
    make_workspace(folder, profile, dataset, methods, 0, data)
    test = KillTest(folder, profile, dataset, 0, number, kills)
    _finish(test, "teacher")
    for place, method in enumerate(methods):
        tally = Tally(method)
        expected, seconds = _reference(test, method)
        draw = random.Random(f"{seed}/{method}")
        for _ in range(place, runs, len(methods)):
            _run(test, tally, expected, seconds, draw)
        yield tally


def _reference(test: KillTest, method: str) -> tuple[Outcome, float]:
    """The results of an ordinary worker process that nobody kills, and a victim's duration."""
    test.clear()
    command = [sys.executable, "-m", "harness.worker", test.profile, test.dataset, str(test.seed)]
    subprocess.run([*command, method], cwd=test.workspace, capture_output=True, check=True)
    _finish(test, method)
    expected = test.outcome()
    test.clear()
    begin = time.monotonic()
    _finish(test, method)
    return expected, time.monotonic() - begin


def _finish(test: KillTest, method: str) -> None:
    process = test.start(method)
    process.join()
    if process.exitcode:
        raise SuiteError(f"{method}: the uninterrupted run failed\n{_last_line(test)}")


def _run(
    test: KillTest, tally: Tally, expected: Outcome, seconds: float, draw: random.Random
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
    elif different := differences(test.outcome(), expected):
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
