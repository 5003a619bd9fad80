"""One dvc at work on a job, in a process group of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.following import follow
from segdistill.pipeline.parallel.jobs import Job
from segdistill.pipeline.parallel.places import Place
from segdistill.pipeline.publish import COHORT, SEED_ALONE

LOGS = Path(".scratch/pool")


@dataclass(frozen=True)
class Options:
    """What is passed on to every dvc."""

    keep_going: bool = False
    allow_missing: bool = False


class DvcProcess:
    """`dvc repro` of a job's stages; what it prints goes to the job's log."""

    def __init__(self, job: Job, place: Place, options: Options) -> None:
        self.job = job
        self.place = place
        path = log_path(job)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as log:
                self._process = _start(_command(job, options), place, log.fileno())
        except OSError as error:
            raise SuiteError(f"{path}: cannot write ({error.strerror})") from error

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask dvc, its stage and their workers to save and stop."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    @property
    def gone(self) -> bool:
        """Whether no process of the group is left; a stage ends later than its dvc."""
        if self.poll() is None:
            return False
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def log_path(job: Job) -> Path:
    """Where the job's output goes."""
    return LOGS / f"{job.name}.log"


def _command(job: Job, options: Options) -> list[str]:
    flags = ["--keep-going"] * options.keep_going + ["--allow-missing"] * options.allow_missing
    return [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", *flags, *job.stages]


def _start(command: list[str], place: Place, output: int) -> subprocess.Popen[bytes]:
    # The stages call `python`, which must be this one also where no environment is active.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.Popen(
        command,
        env={**os.environ, **place.environment(), "PATH": path, COHORT: SEED_ALONE},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=partial(_settle, os.getpid(), place),
    )


def _settle(parent: int, place: Place) -> None:
    """In the new process: end with the pool, and leave the others' cores alone."""
    follow(parent)
    # Slurm sends its notice of preemption to every process; the job's own passes it on.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, place.cores)
