"""Which jobs run when and where, and what is said of those that fail."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from submitit.core.utils import UncompletedJobError

from segdistill.errors import SuiteError
from segdistill.pipeline import pool as pools
from segdistill.pipeline.devices import places
from segdistill.pipeline.jobs import Job, failed_cells, matrix_jobs, was_stopped
from segdistill.pipeline.pool import Pool, make_executor, parse_parameters
from segdistill.settings.loading import pipeline_of, read_experiment
from segdistill.stop import Stopped, StopRequest

ROOT = Path(__file__).resolve().parents[2]
TEACHER = Job("d-teacher", ())
LOG = """\
submitit INFO (2026-01-01 00:00:00,000) - Starting with JobEnvironment(...)
Running stage 'dvc.yaml:train@d-student-0':
> python experiments/train.py p d student 0
error: d kd: loss is nan at step 3
Running stage 'dvc.yaml:train@d-kd-0':
error: d kd: loss is nan at step 3
error: a training failed; its message is above
ERROR: failed to reproduce stages: 'dvc.yaml:train@d-kd-0' and 'dvc.yaml:evaluate@d-kd-0'
submitit INFO (2026-01-01 00:00:01,000) - Job completed successfully
"""


class Submitted:
    """A job that ends when it is first asked."""

    job_id = "7"

    def __init__(self, work: Any, ends: dict[str, tuple[int, str]]) -> None:
        self.status, self.log = ends.get(work.stages[0], (0, ""))

    def done(self) -> bool:
        return True

    def result(self) -> int:
        if self.status < 0:
            raise UncompletedJobError("some text\nit was killed")
        return self.status

    def stdout(self) -> str:
        return self.log


class Executor:
    """submitit's place: keeps what was submitted, and with which GPUs."""

    def __init__(self, **ends: tuple[int, str]) -> None:
        self.ends = ends
        self.begun: list[tuple[str, str | None]] = []

    def submit(self, work: Any) -> Submitted:
        self.begun.append((work.stages[0], work.gpus))
        return Submitted(work, self.ends)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "POLL_SECONDS", 0.0)


def run(executor: Executor, gpus: Sequence[str] = ("",), **options: Any) -> dict[str, str]:
    given: Any = executor
    return Pool(given, gpus, StopRequest(), **options).run(
        [Job("a", ("a",), (Job("a0", ("a0",)), Job("a1", ("a1",)))), Job("b", ("b",))]
    )


def test_a_job_is_a_teacher_or_all_students_of_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    experiment = read_experiment("smoke").model_copy(
        update={"methods": ("student", "kd"), "seeds": (0, 1)}
    )
    (job,) = matrix_jobs(experiment)
    pipeline = "experiments/smoke/dvc.yaml:"
    assert job.stages == (
        "data/dvc.yaml:prepare@scenes_camvid",
        f"{pipeline}teacher@scenes_camvid",
        f"{pipeline}evaluate_teacher@scenes_camvid",
    )
    assert [student.name for student in job.then] == ["scenes_camvid-seed0", "scenes_camvid-seed1"]
    assert job.then[1].stages == tuple(
        f"{pipeline}{kind}@scenes_camvid-{method}-1"
        for method in ("student", "kd")
        for kind in ("train", "evaluate")
    )
    assert pipeline_of("scenes") == ""


def test_students_wait_for_their_teacher_and_places_are_given_on() -> None:
    executor = Executor()
    assert run(executor, ("0", "1")) == {}
    assert executor.begun == [("a", "0"), ("b", "1"), ("a0", "0"), ("a1", "1")]


def test_going_on_leaves_out_what_needs_the_failed_alone() -> None:
    executor = Executor(a=(1, "error: no data\n"))
    assert run(executor, keep_going=True) == {"a": "no data"}
    assert [name for name, _ in executor.begun] == ["a", "b"]


def test_otherwise_nothing_is_begun_after_a_failure() -> None:
    executor = Executor(a=(255, ""))
    assert run(executor) == {"a": "no message"}
    assert [name for name, _ in executor.begun] == ["a"]


def test_a_job_without_a_result_says_why() -> None:
    assert run(Executor(a=(-9, "last words")))["a"] == "job 7: it was killed"


def test_a_stage_that_was_stopped_stops_all(capsys: pytest.CaptureFixture[str]) -> None:
    executor = Executor(a=(255, "ERROR: failed to reproduce 'a': failed to run: exited with 75"))
    with pytest.raises(Stopped):
        run(executor, keep_going=True)
    assert [name for name, _ in executor.begun] == ["a"]
    assert "stopped as asked" in capsys.readouterr().err


def test_a_failed_cell_is_named_with_its_reason() -> None:
    assert failed_cells(Job("d-seed0", ()), LOG) == {"d-kd-0": "d kd: loss is nan at step 3"}
    assert not was_stopped(LOG)


def test_without_a_reason_the_last_line_is_told() -> None:
    log = "ERROR: 'results' is busy\n\nsubmitit INFO (x) - done\n"
    assert failed_cells(TEACHER, log) == {"d-teacher": "ERROR: 'results' is busy"}
    log = "ERROR: failed to reproduce 'teacher@d': failed to run: 'prepare@d', exited with -9"
    assert failed_cells(TEACHER, log) == {"d": log}


def test_places_share_gpus() -> None:
    assert places(2, [], 4, 1, 1) == ["", ""]
    assert places(3, ["0", "1"], 4, 1, 1) == ["0", "1", "0"]
    assert places(2, ["0", "1", "2", "3"], 4, 2, 1) == ["0,1", "2,3"]
    assert places(1, ["0"], 4, 2, 1) == ["0"]


@pytest.mark.parametrize(
    ("gpus", "cores", "threads", "devices", "count"),
    [(0, 8, 2, 1, 4), (0, 1, 2, 1, 1), (4, 2, 8, 1, 4), (4, 2, 8, 2, 2), (1, 2, 8, 2, 1)],
)
def test_as_many_at_once_as_there_is_room(
    gpus: int, cores: int, threads: int, devices: int, count: int
) -> None:
    assert len(places(None, [str(i) for i in range(gpus)], cores, devices, threads)) == count


def test_parameters_of_a_cluster(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_parameters(["slurm_partition=gpu", "timeout_min=60"]) == {
        "slurm_partition": "gpu",
        "timeout_min": 60,
    }
    with pytest.raises(SuiteError, match="--set gpu: expected KEY=VALUE"):
        parse_parameters(["gpu"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=r"local: .*no_such_option"):
        make_executor("local", {"no_such_option": 1})
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SuiteError, match="slurm: "):
        make_executor("slurm", {})
