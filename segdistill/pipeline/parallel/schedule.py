"""Which jobs of a matrix may start, which are done, and what failed."""

from collections.abc import Iterable

from segdistill.pipeline.parallel.failures import Failure, failures, not_started
from segdistill.pipeline.parallel.jobs import Job


class Schedule:
    """Jobs in order. After a failure only those that need it are left out, or all (default)."""

    def __init__(self, jobs: Iterable[Job], keep_going: bool) -> None:
        self.waiting = list(jobs)
        self.failures: list[Failure] = []
        self.cells_done = 0
        self._keep_going = keep_going
        self._open = {job.name for job in self.waiting}

    @property
    def cells(self) -> int:
        """Trainings that are still to be begun."""
        return sum(job.cells for job in self.waiting)

    def ready(self) -> list[Job]:
        """The waiting jobs that need nothing any more."""
        return [job for job in self.waiting if job.after not in self._open]

    def start(self, job: Job) -> None:
        """`job` does not wait any longer."""
        self.waiting.remove(job)

    def finish(self, job: Job, status: int, log: str) -> None:
        """`job` ended with the exit `status` after printing `log`."""
        self._open.discard(job.name)
        found = list(failures(job, log)) if status else []
        self.failures += found
        self.cells_done += max(0, job.cells - len(found))
        if found:
            self._leave_out(job)

    def _leave_out(self, failed: Job) -> None:
        for job in list(self.waiting):
            if not self._keep_going or job.after == failed.name:
                self.waiting.remove(job)
                self._open.discard(job.name)
                self.failures.append(not_started(job, f"not started, since {failed.name} failed"))
