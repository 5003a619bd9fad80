"""Which jobs a pool runs when, where, and what it says of those that fail."""

import pytest

from segdistill.errors import SuiteError
from segdistill.pipeline.parallel.cluster import parse_parameters
from segdistill.pipeline.parallel.failures import failures, was_stopped
from segdistill.pipeline.parallel.jobs import Job, first_job, matrix_jobs
from segdistill.pipeline.parallel.places import Place, default_count, places
from segdistill.pipeline.parallel.schedule import Schedule
from segdistill.settings.schema import Params, Training

GRID = Params(profile="p", datasets=("d", "e"), methods=("student", "kd"), seeds=(0, 1))
TEACHER = Job("p-d", ("prepare@p-d", "teacher@p-d", "evaluate_teacher@p-d"), 1)
LOG = """\
Running stage 'train@p-d-student-0':
> python experiments/train.py p d student 0
Running stage 'train@p-d-kd-0':
error: d kd: loss is nan at step 3
error: a training failed; its message is above
ERROR: failed to reproduce stages: 'train@p-d-kd-0' and 'evaluate@p-d-kd-0'
"""


def test_a_job_is_a_cell_or_all_cells_of_a_seed() -> None:
    jobs = matrix_jobs(GRID, cohort=False)
    assert [job.name for job in jobs[:5]] == [
        "p-d", "p-d-student-0", "p-d-kd-0", "p-d-student-1", "p-d-kd-1",
    ]  # fmt: skip
    assert jobs[0] == TEACHER
    assert jobs[2] == Job("p-d-kd-0", ("train@p-d-kd-0", "evaluate@p-d-kd-0"), 1, after="p-d")
    cohorts = matrix_jobs(GRID, cohort=True)
    assert [job.name for job in cohorts[:4]] == ["p-d", "p-d-seed0", "p-d-seed1", "p-e"]
    assert cohorts[1].stages[2:] == jobs[2].stages
    assert sum(job.cells for job in cohorts) == sum(job.cells for job in jobs) == 10


def test_students_wait_for_their_own_teacher() -> None:
    schedule = Schedule(matrix_jobs(GRID, cohort=True), keep_going=True)
    assert [job.name for job in schedule.ready()] == ["p-d", "p-e"]
    schedule.start(TEACHER)
    schedule.finish(TEACHER, 0, "")
    assert [job.name for job in schedule.ready()] == ["p-d-seed0", "p-d-seed1", "p-e"]
    assert schedule.cells_done == 1


def test_going_on_leaves_out_what_needs_the_failed_alone() -> None:
    schedule = Schedule(matrix_jobs(GRID, cohort=True), keep_going=True)
    schedule.start(TEACHER)
    schedule.finish(TEACHER, 1, "error: no data\nERROR: failed to reproduce 'prepare@p-d'\n")
    assert [job.name for job in schedule.waiting] == ["p-e", "p-e-seed0", "p-e-seed1"]
    assert [failure.name for failure in schedule.failures] == ["p-d", "p-d-seed0", "p-d-seed1"]
    assert schedule.failures[1].reason == "not started, since p-d failed"
    assert schedule.failures[1].command.startswith("dvc repro -s train@p-d-student-0 evaluate@")


def test_otherwise_nothing_is_begun_after_a_failure() -> None:
    schedule = Schedule(matrix_jobs(GRID, cohort=True), keep_going=False)
    schedule.start(TEACHER)
    schedule.finish(TEACHER, 1, "")
    assert not schedule.waiting
    assert len(schedule.failures) == 6


def test_a_failed_cell_is_named_with_its_reason_and_command() -> None:
    job = matrix_jobs(GRID, cohort=True)[1]
    (found,) = failures(job, LOG)
    assert (found.name, found.reason) == ("p-d-kd-0", "d kd: loss is nan at step 3")
    assert found.command == "dvc repro -s train@p-d-kd-0 evaluate@p-d-kd-0"
    schedule = Schedule([job], keep_going=True)
    schedule.start(job)
    schedule.finish(job, 1, LOG)
    assert schedule.cells_done == 1


def test_all_of_a_job_failed_if_dvc_does_not_say_what() -> None:
    found = list(failures(TEACHER, "first\nkilled\n"))
    assert [(failure.name, failure.reason) for failure in found] == [("p-d", "killed")]
    assert [failure.reason for failure in failures(TEACHER, "")] == ["no message"]


def test_who_is_at_work_already_is_named() -> None:
    log = (
        "ERROR: '/p/results/digests' is busy, it is being blocked by:\n  (PID 12): dvc repro\n"
        "\nIf there are no processes with such PIDs, you can manually remove '/p/.dvc/tmp/rwlock'\n"
    )
    (found,) = failures(first_job(), log)
    assert found.reason == (
        "'/p/results/digests' is busy, it is being blocked by: (PID 12): dvc repro"
    )


def test_the_cause_is_no_failed_stage() -> None:
    log = "ERROR: failed to reproduce 'teacher@p-d': failed to run: 'prepare@p-d', exited with 75"
    (found,) = failures(TEACHER, log)
    assert found.command == "dvc repro -s teacher@p-d"
    assert was_stopped(log)
    assert not was_stopped(LOG)


def test_places_share_gpus_and_cores() -> None:
    assert places(2, [], [0, 1, 2, 3]) == [Place((0, 2)), Place((1, 3))]
    assert places(2, [], [5]) == [Place((5,)), Place((5,))]
    assert [place.gpus for place in places(3, ["0", "1"], [0])] == ["0", "1", "0"]
    assert [place.gpus for place in places(2, ["0", "1", "2", "3"], [0], devices=2)] == [
        "0,1",
        "2,3",
    ]
    assert [place.gpus for place in places(1, ["0"], [0], devices=2)] == ["0"]
    assert Place((0,)).environment() == {}
    assert Place((0,), "1").environment() == {"CUDA_VISIBLE_DEVICES": "1"}


@pytest.mark.parametrize(
    ("gpus", "cores", "threads", "devices", "count"),
    [(0, 8, 2, 1, 4), (0, 1, 2, 1, 1), (4, 2, 8, 1, 4), (4, 2, 8, 2, 2), (1, 2, 8, 2, 1)],
)
def test_as_many_at_once_as_there_is_room(
    gpus: int, cores: int, threads: int, devices: int, count: int
) -> None:
    training = Training(steps=1, batch=2, learning_rate=0.1, threads=threads, devices=devices)
    assert default_count([str(i) for i in range(gpus)], list(range(cores)), training) == count


def test_parameters_of_a_cluster() -> None:
    assert parse_parameters(["slurm_partition=gpu", "timeout_min=60"]) == {
        "slurm_partition": "gpu",
        "timeout_min": 60,
    }
    with pytest.raises(SuiteError, match="--set gpu: expected KEY=VALUE"):
        parse_parameters(["gpu"])
