"""Which trainings go together, and what becomes of the processes that do them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from segdistill.errors import SuiteError
from segdistill.pipeline import cells, publish
from segdistill.pipeline.cells import PlannedCell, unfinished_cohort
from segdistill.pipeline.publish import ensure_trained, run_workers
from segdistill.pipeline.seal import seal
from segdistill.records import file_hash
from segdistill.settings.cell import Cell
from segdistill.settings.loading import run_config
from segdistill.stop import Stopped

ROOT = Path(__file__).resolve().parents[2]
DATASET = "scenes_camvid"
FILE = Path("experiments/smoke/params.yaml")
METHODS = "methods: [student, kd, cwd, skd, ifvd, pcd]"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a manifest and a teacher, whose content nobody looks into here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        cells, "weights_hash", lambda folder: file_hash(folder / "weights.safetensors")
    )
    FILE.parent.mkdir(parents=True)
    FILE.write_text((ROOT / FILE).read_text().replace(METHODS, "methods: [student, kd]"))
    for name in (f"data/{DATASET}/MANIFEST.json", TEACHER):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(name)
    return tmp_path


TEACHER = f"results/smoke/teachers/{DATASET}/weights.safetensors"


def plan(method: str, seed: int) -> PlannedCell:
    return cells.plan(Cell("smoke", DATASET, method, seed))


def names(planned: list[PlannedCell]) -> list[tuple[str, int]]:
    return [(cell.config.method, cell.config.seed) for cell in planned]


def finish(cell: PlannedCell) -> None:
    cell.scratch.mkdir(parents=True)
    (cell.scratch / "weights.safetensors").write_text("weights")
    seal(cell.scratch, {})


def test_a_cohort_is_what_is_left_of_the_matrix() -> None:
    whole = [("kd", 1), ("student", 0), ("kd", 0), ("student", 1)]
    assert names(unfinished_cohort(plan("kd", 1))) == whole
    finish(plan("student", 0))
    assert names(unfinished_cohort(plan("kd", 1))) == [("kd", 1), ("kd", 0), ("student", 1)]


def test_teachers_train_alone_and_all_do_without_cohorts() -> None:
    assert names(unfinished_cohort(plan("teacher", 0))) == [("teacher", 0)]
    FILE.write_text(FILE.read_text().replace("cohort: true", "cohort: false"))
    assert names(unfinished_cohort(plan("kd", 1))) == [("kd", 1)]


def test_one_job_a_seed_with_the_asked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[list[str]] = []
    monkeypatch.setattr(publish, "run_workers", lambda found, *_: jobs.extend(found))
    ensure_trained(plan("kd", 1))
    assert jobs == [
        ["smoke", DATASET, "1", "kd", "student"],
        ["smoke", DATASET, "0", "student", "kd"],
    ]
    finish(plan("kd", 1))
    jobs.clear()
    ensure_trained(plan("kd", 1))
    assert jobs == []


def test_a_pool_keeps_to_its_seed_and_to_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[object] = []
    monkeypatch.setattr(publish, "run_workers", lambda *found: jobs.extend(found))
    FILE.write_text(FILE.read_text().replace("processes: 1", "processes: 2"))
    monkeypatch.setenv(publish.COHORT, publish.SEED_ALONE)
    ensure_trained(plan("kd", 1))
    assert jobs == [[["smoke", DATASET, "1", "kd", "student"]], 1, 1]
    monkeypatch.delenv(publish.COHORT)
    jobs.clear()
    finish(plan("kd", 0))
    finish(plan("student", 0))
    ensure_trained(plan("kd", 1))
    both = [["smoke", DATASET, "1", "kd"], ["smoke", DATASET, "1", "student"]]
    assert jobs == [both, 2, 1]


def test_another_cells_failure_is_not_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(finished: Callable[[], None]) -> Callable[..., None]:
        def work(*_: object) -> None:
            finished()
            raise SuiteError("a training failed")

        return work

    monkeypatch.setattr(publish, "run_workers", diverge(lambda: None))
    with pytest.raises(SuiteError, match="a training failed"):
        ensure_trained(plan("kd", 0))
    monkeypatch.setattr(publish, "run_workers", diverge(lambda: finish(plan("kd", 0))))
    ensure_trained(plan("kd", 0))


def test_a_teacher_of_other_weights_makes_other_cells() -> None:
    before = plan("kd", 0)
    Path(TEACHER).write_text("other weights")
    assert plan("kd", 0).fingerprint != before.fingerprint
    assert plan("kd", 0).config == before.config == run_config(Cell("smoke", DATASET, "kd", 0))


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The worker replaced by a script: SECONDS STATUS, leaving a mark."""
    script = tmp_path / "worker.sh"
    script.write_text(
        "#!/bin/sh\nshift 2\n"
        'if [ -e running ]; then touch "both"; fi\n'
        'touch running; sleep "$1"; rm running; echo done >> marks; exit "$2"\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr("segdistill.stop.follow", lambda _: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return tmp_path


def marks(folder: Path) -> int:
    path = folder / "marks"
    return len(path.read_text().split()) if path.exists() else 0


def test_every_job_runs_and_a_failure_is_told_at_the_end(worker: Path) -> None:
    run_workers([["0", "0"], ["0", "0"]], processes=1)
    assert marks(worker) == 2
    assert not (worker / "both").exists()
    with pytest.raises(SuiteError, match="a training failed; its message is above"):
        run_workers([["0", "2"], ["0", "0"]], processes=1)
    assert marks(worker) == 4


def test_a_killed_worker_is_told_with_the_signal(worker: Path) -> None:
    (worker / "worker.sh").write_text("#!/bin/sh\nkill -KILL $$\n")
    with pytest.raises(SuiteError, match="killed by SIGKILL; by SIGKILL often for want of memory"):
        run_workers([["0", "0"]], processes=1)


def test_a_stopped_worker_stops_what_waits(worker: Path) -> None:
    with pytest.raises(Stopped):
        run_workers([["0", "75"], ["0", "0"]], processes=1)
    assert marks(worker) == 1


def test_processes_run_side_by_side(worker: Path) -> None:
    run_workers([["0.5", "0"], ["0", "0"]], processes=2)
    assert marks(worker) == 2
