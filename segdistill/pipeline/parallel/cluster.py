"""Jobs on a Slurm cluster, by submitit. A preempted one saves its state and is queued again."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segdistill.errors import SuiteError
from segdistill.pipeline.parallel.jobs import Job
from segdistill.pipeline.parallel.local import read_log
from segdistill.pipeline.parallel.places import Place, available_cores
from segdistill.pipeline.parallel.process import LOGS, DvcProcess, Options
from segdistill.pipeline.parallel.schedule import Schedule
from segdistill.progress import Progress
from segdistill.stop import StopRequest

try:
    import submitit
    from submitit.core.utils import UncompletedJobError
    from submitit.helpers import DelayedSubmission
except ImportError as error:
    raise SuiteError("--slurm needs submitit: pip install -e '.[slurm]'") from error

POLL_SECONDS = 1.0
SUBMISSIONS = LOGS / "submitit"
Value = str | int


class DvcTask:
    """What a node runs: dvc on one job, in the shared folder of the project."""

    def __init__(self, project: Path, options: Options) -> None:
        self.project = project
        self.options = options
        self._process: DvcProcess | None = None

    def __call__(self, job: Job) -> int:
        """The exit status of dvc; the GPUs are those that Slurm gave."""
        os.chdir(self.project)
        self._process = DvcProcess(job, Place(tuple(available_cores())), self.options)
        while (status := self._process.poll()) is None:
            time.sleep(POLL_SECONDS)
        return status

    def checkpoint(self, job: Job) -> DelayedSubmission:
        """Before preemption or the end of the time: save, and go on from there another time."""
        if self._process:
            self._process.terminate()
            while not self._process.gone:
                time.sleep(POLL_SECONDS)
        return DelayedSubmission(DvcTask(self.project, self.options), job)


@dataclass(frozen=True)
class Cluster:
    """Where jobs go: submitit's name of the kind of cluster, its parameters, jobs at once."""

    kind: str
    parameters: Mapping[str, Value]
    at_once: int | None = None

    def run(self, schedule: Schedule, show: Progress, options: Options, stop: StopRequest) -> None:
        """Run the jobs of `schedule` to their end, those that are ready together as an array.

        Raises SuiteError if the cluster refuses, Stopped after a request to stop.
        """
        executor = self._executor()
        task = DvcTask(Path.cwd(), options)
        running: dict[Job, submitit.Job[int]] = {}
        while schedule.waiting or running:
            if ready := schedule.ready():
                running |= zip(ready, executor.map_array(task, ready), strict=True)
                for job in ready:
                    schedule.start(job)
            show(schedule.cells_done, f"{len(running)} submitted")
            time.sleep(POLL_SECONDS)
            for job in [job for job, submitted in running.items() if submitted.done()]:
                status, message = _result(running.pop(job))
                schedule.finish(job, status, f"{read_log(job)}\n{message}")
            if stop.requested:
                for submitted in running.values():
                    submitted.cancel()
                stop.leave_if_requested()

    def _executor(self) -> "submitit.AutoExecutor":
        parameters = dict(self.parameters)
        if self.at_once:
            parameters["slurm_array_parallelism"] = self.at_once
        try:
            executor = submitit.AutoExecutor(folder=SUBMISSIONS, cluster=self.kind)
            executor.update_parameters(name="segdistill", **parameters)
        except (NameError, ValueError, TypeError, RuntimeError, AssertionError) as error:
            raise SuiteError(f"{self.kind}: {str(error).splitlines()[0]}") from error
        return executor


def parse_parameters(words: Sequence[str]) -> dict[str, Value]:
    """`KEY=VALUE` words as a mapping; digits become numbers. Raises SuiteError for others."""
    found: dict[str, Value] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not key or not sign:
            raise SuiteError(f"--set {word}: expected KEY=VALUE, such as timeout_min=240")
        found[key] = int(value) if value.isdigit() else value
    return found


def _result(job: "submitit.Job[int]") -> tuple[int, str]:
    """The exit status of dvc on the node, or 1 and why there is none."""
    try:
        return job.result(), ""
    except UncompletedJobError as error:
        return 1, f"error: job {job.job_id}: {str(error).strip().splitlines()[-1]}"
