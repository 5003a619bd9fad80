"""Jobs side by side on this machine."""

import time
from collections.abc import Sequence

from segdistill.errors import SuiteError
from segdistill.pipeline.parallel.failures import was_stopped
from segdistill.pipeline.parallel.jobs import Job
from segdistill.pipeline.parallel.places import Place
from segdistill.pipeline.parallel.process import DvcProcess, Options, log_path
from segdistill.pipeline.parallel.schedule import Schedule
from segdistill.progress import Progress
from segdistill.stop import StopRequest

POLL_SECONDS = 0.2


def run_local(
    schedule: Schedule, show: Progress, places: Sequence[Place], options: Options, stop: StopRequest
) -> None:
    """Run the jobs of `schedule` to their end, one at a time at each of `places`.

    Raises Stopped after a request to stop, once every training has saved its state.
    """
    free, running = list(places), list[DvcProcess]()
    while schedule.waiting or running:
        for job in schedule.ready()[: len(free)]:
            schedule.start(job)
            running.append(DvcProcess(job, free.pop(0), options))
        show(schedule.cells_done, " ".join(process.job.name for process in running))
        time.sleep(POLL_SECONDS)
        for process in [process for process in running if process.poll() is not None]:
            log = read_log(process.job)
            stop.requested |= was_stopped(log)
            schedule.finish(process.job, process.poll() or 0, log)
            running.remove(process)
            free.append(process.place)
        if stop.requested:
            _stop(running)
            stop.leave_if_requested()


def run_alone(job: Job, place: Place, options: Options, stop: StopRequest) -> Schedule:
    """Run one job by itself."""
    schedule = Schedule([job], keep_going=False)
    run_local(schedule, _in_silence, [place], options, stop)
    return schedule


def _in_silence(done: int, detail: str = "") -> None:
    del done, detail


def read_log(job: Job) -> str:
    """What the job has printed. Raises SuiteError if that cannot be read."""
    path = log_path(job)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error


def _stop(processes: Sequence[DvcProcess]) -> None:
    """Ask all of `processes` to stop and wait until nothing of them is left."""
    for process in processes:
        process.terminate()
    while not all(process.gone for process in processes):
        time.sleep(POLL_SECONDS)
