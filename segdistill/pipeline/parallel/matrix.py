"""A whole matrix: the code's digests first, then every cell, then the tables of what is done."""

from collections.abc import Callable, Iterator, Sequence

from segdistill.errors import SuiteError
from segdistill.pipeline.parallel.failures import Failure
from segdistill.pipeline.parallel.jobs import first_job, last_job, matrix_jobs
from segdistill.pipeline.parallel.local import run_alone
from segdistill.pipeline.parallel.places import Place
from segdistill.pipeline.parallel.process import LOGS, Options
from segdistill.pipeline.parallel.schedule import Schedule
from segdistill.pipeline.recorded import mend_stages
from segdistill.pipeline.rwlock import drop_torn_rwlock
from segdistill.progress import Progress, progress
from segdistill.settings.loading import read_profile
from segdistill.settings.schema import Params
from segdistill.stop import StopRequest

Runner = Callable[[Schedule, Progress], None]


def run_matrix(
    grid: Params, here: Place, options: Options, stop: StopRequest, runner: Runner
) -> list[Failure]:
    """Run every stage of `grid`, the cells by `runner`; what failed.

    Raises SuiteError if nothing could begin, Stopped if asked to stop.
    """
    mend_stages()
    drop_torn_rwlock()
    begun = run_alone(first_job(), here, options, stop)
    if begun.failures:
        raise SuiteError(f"digest: {begun.failures[0].reason} (all of it in {LOGS}/digest.log)")
    jobs = matrix_jobs(grid, read_profile(grid.profile).execution.cohort)
    schedule = Schedule(jobs, options.keep_going)
    with progress(f"pool {grid.profile}", schedule.cells) as show:
        runner(schedule, show)
    if schedule.failures and not options.keep_going:
        return schedule.failures
    ended = run_alone(last_job(grid), here, options, stop)
    return schedule.failures + ended.failures


def report(failures: Sequence[Failure]) -> Iterator[str]:
    """What failed as text, each with the command for it."""
    if not failures:
        yield "all cells are finished"
        return
    yield f"{len(failures)} failed or were not started; their output is in {LOGS}/"
    for failure in failures:
        yield f"{failure.name}: {failure.reason}"
        yield f"    {failure.command}"
