"""An experiment's jobs at once, here or on a Slurm cluster: submitit starts them, dvc runs them."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import submitit
from submitit.core.utils import UncompletedJobError

from segdistill.errors import SuiteError
from segdistill.pipeline.jobs import Job, failed_cells, matrix_jobs, was_stopped
from segdistill.pipeline.reproduction import Reproduction
from segdistill.progress import progress
from segdistill.settings.loading import pipeline_of
from segdistill.settings.schema import Experiment
from segdistill.stop import StopRequest

LOGS = Path(".scratch/run")
POLL_SECONDS = 0.2
YEAR = 365 * 24 * 60  # minutes; else submitit ends local jobs after two of them
Value = str | int
Submitted = submitit.Job[int]


@dataclass(frozen=True)
class Pool:
    """Where jobs run: `places` at once, each with these GPUs (None: those that Slurm gives)."""

    executor: submitit.Executor
    places: Sequence[str | None]
    stop: StopRequest
    flags: tuple[str, ...] = ()  # of every `dvc repro`
    keep_going: bool = False

    def run(self, jobs: Sequence[Job]) -> dict[str, str]:
        """Run `jobs` and those that follow them; what failed, with the reason.

        Nothing is started after a failure, or with `keep_going` only what does not need it.
        Raises Stopped after a request to stop, once every training has saved its state.
        """
        waiting, free, done = list(jobs), list(self.places), 0
        running: list[tuple[Job, str | None, Submitted]] = []
        failures: dict[str, str] = {}
        with progress("run", len(jobs) + sum(len(job.then) for job in jobs)) as show:
            while running or (waiting and not self.stop.requested):
                while waiting and free and not self.stop.requested:
                    job, place = waiting.pop(0), free.pop(0)
                    running.append((job, place, self._submit(job, place)))
                show(done, ", ".join(job.name for job, *_ in running))
                time.sleep(POLL_SECONDS)
                for entry in [entry for entry in running if entry[2].done()]:
                    running.remove(entry)
                    job, place, submitted = entry
                    free.append(place)
                    done += 1
                    found = self._failures(job, submitted)
                    failures |= found
                    if failures and not self.keep_going:
                        waiting.clear()
                    elif not found:
                        waiting += job.then
                if self.stop.requested:
                    self._ask_to_stop([submitted for *_, submitted in running])
        self.stop.leave_if_requested()
        return failures

    def _submit(self, job: Job, gpus: str | None) -> Submitted:
        runner = None if gpus is None else os.getpid()
        work = Reproduction(Path.cwd(), job.stages, self.flags, gpus, runner)
        # A terminal's Ctrl-C is for this process alone, which tells the jobs.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return self.executor.submit(work)
        finally:
            signal.signal(signal.SIGINT, before)

    def _failures(self, job: Job, submitted: Submitted) -> dict[str, str]:
        log = submitted.stdout() or ""
        try:
            if submitted.result() == 0:
                return {}
        except UncompletedJobError as error:
            log += f"\nerror: job {submitted.job_id}: {str(error).strip().splitlines()[-1]}"
        self.stop.requested |= was_stopped(log)
        return failed_cells(job, log)

    def _ask_to_stop(self, running: Sequence[Submitted]) -> None:
        for job in running:
            if isinstance(job, submitit.LocalJob):
                with suppress(ProcessLookupError):
                    os.kill(int(job.job_id), signal.SIGTERM)
            else:
                job.cancel(check=False)
        while not all(job.done() for job in running):
            time.sleep(POLL_SECONDS)


def run_matrix(experiment: Experiment, here: Pool, pool: Pool) -> dict[str, str]:
    """Run every stage of `experiment`, the cells in `pool`, the others `here`; what failed, with
    the reason.

    Raises SuiteError if nothing could begin, Stopped after a request to stop.
    """
    pipeline = pipeline_of(experiment.name)
    for reason in here.run([Job("digest", (f"{pipeline}digest",))]).values():
        raise SuiteError(f"digest: {reason}")
    failures = pool.run(matrix_jobs(experiment))
    if failures and not pool.keep_going:
        return failures
    return failures | here.run([Job("compare", (f"{pipeline}compare",))])


def make_executor(kind: str, parameters: Mapping[str, Value]) -> submitit.Executor:
    """submitit's executor of a `kind` ("local", "slurm") with submitit's own `parameters`.

    Raises SuiteError if it is not there or does not know one of them.
    """
    folder = LOGS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=kind)
        executor.update_parameters(name="segdistill", stderr_to_stdout=True, **parameters)
    except (NameError, ValueError, TypeError, RuntimeError, AssertionError) as error:
        raise SuiteError(f"{kind}: {str(error).splitlines()[0]}") from error
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
