"""What the process of a job does: `dvc repro` of its stages, stopped politely."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from submitit.helpers import DelayedSubmission

from segdistill.following import follow
from segdistill.pipeline.publish import COHORT, SEED_ALONE
from segdistill.stop import StopRequest

POLL_SECONDS = 0.2


@dataclass
class Reproduction:
    """`dvc repro` of `stages` in the project's folder; submitit calls it, here or on a node."""

    project: Path
    stages: tuple[str, ...]
    flags: tuple[str, ...] = ()
    gpus: str | None = None  # as CUDA_VISIBLE_DEVICES names them; None: it stays as it is
    runner: int | None = None  # the process on this machine that it ends with
    _dvc: "subprocess.Popen[bytes]" = field(init=False, repr=False)

    def __call__(self) -> int:
        """The exit status of dvc, which has its own session: signals come to it by way of here."""
        stop = StopRequest()
        stop.listen(with_parent=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._dvc = self._start()
        while self._dvc.poll() is None:
            time.sleep(POLL_SECONDS)
            if stop.requested or (self.runner and not _is_alive(self.runner)):
                self._terminate()
        return self._dvc.returncode

    def checkpoint(self) -> DelayedSubmission:
        """Before preemption or the end of the time: save, and go on from there another time."""
        self._terminate()
        return DelayedSubmission(replace(self))

    def _start(self) -> "subprocess.Popen[bytes]":
        # The stages call `python`, which must be this one also where no environment is active.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        gpus = {} if self.gpus is None else {"CUDA_VISIBLE_DEVICES": self.gpus}
        dvc = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s"]
        return subprocess.Popen(
            [*dvc, *self.flags, *self.stages],
            cwd=self.project,
            env={**os.environ, **gpus, "PATH": path, COHORT: SEED_ALONE},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_prepare, os.getpid()),
        )

    def _terminate(self) -> None:
        """Ask dvc, its stage and their workers to save, and wait until none of them is left."""
        with suppress(ProcessLookupError):
            os.killpg(self._dvc.pid, signal.SIGTERM)
            while True:  # a stage ends later than its dvc
                self._dvc.poll()
                os.killpg(self._dvc.pid, 0)
                time.sleep(POLL_SECONDS)


def _prepare(parent: int) -> None:
    """In dvc from its first moment on: end with the job."""
    follow(parent)
    # Slurm sends its notice of preemption to every process; the job's own passes it on.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
