"""A pool runs the matrix in parallel with the bits of `dvc repro`, and goes on after preemption."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from segdistill.settings.grid import grid_of
from workspace import DATASET, PROFILE, Workspace, copy_project

from segdistill.pipeline.parallel.cluster import Cluster
from segdistill.pipeline.parallel.jobs import matrix_jobs
from segdistill.pipeline.parallel.local import read_log
from segdistill.pipeline.parallel.process import Options
from segdistill.pipeline.parallel.schedule import Schedule
from segdistill.stop import StopRequest

PLACE = f"{PROFILE}-{DATASET}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return copy_project(tmp_path_factory.mktemp("pool"))


def forget(workspace: Workspace) -> None:
    """Remove every result and state."""
    for name in (".scratch", f"results/{PROFILE}", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(workspace.root / name, ignore_errors=True)
    (workspace.root / "dvc.lock").unlink(missing_ok=True)


def test_a_pool_has_the_bits_of_dvc_and_lists_what_failed(workspace: Workspace) -> None:
    with (workspace.root / f"experiments/profiles/{PROFILE}.yaml").open("a") as file:
        file.write("  broken: {method: kd, weight: 1.0e+38}\n")
    workspace.set(methods=["student", "broken", "kd"], seeds=[0, 1])
    printed = workspace.run("-m", "segdistill", "pool", "-j", "2", "--keep-going", status=2)
    for seed in (0, 1):
        cell = f"{PLACE}-broken-{seed}"
        assert f"    dvc repro -s train@{cell} evaluate@{cell}" in printed
        assert f"{cell}: {PROFILE}/{DATASET}/broken/seed{seed}: " in printed
    assert "2 failed" in printed
    assert (workspace.results / "report.html").is_file()
    found = [workspace.record(name, seed) for name in ("student", "kd") for seed in (0, 1)]
    forget(workspace)
    workspace.set(methods=["student", "kd"])
    workspace.repro()
    for record in found:
        again = workspace.record(record.method, record.seed)
        assert again.weights_sha256 == record.weights_sha256


def test_a_preempted_job_of_a_cluster_goes_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """submitit's local executor stands for Slurm; SIGUSR2 is its notice of preemption."""
    forget(workspace)
    workspace.edit(f"experiments/profiles/{PROFILE}.yaml", "train: {steps: 3", "train: {steps: 150")
    workspace.set(methods=["student", "kd"], seeds=[0])
    workspace.repro("-s", "digest")
    monkeypatch.chdir(workspace.root)
    for name, value in workspace.environment().items():
        monkeypatch.setenv(name, value)
    schedule = Schedule(matrix_jobs(grid_of(), cohort=True), keep_going=True)
    students = schedule.waiting[1]
    preempted: list[int] = []

    def preempt(done: int, detail: str = "") -> None:
        del detail
        if done and not preempted and any(Path(".scratch").glob("*/checkpoint-*.pt")):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # it may end between listing and asking
                    if "submitit.core._submit" in process.cmdline():
                        os.kill(process.pid, signal.SIGUSR2)
                        preempted.append(process.pid)

    Cluster("local", {"timeout_min": 60}).run(schedule, preempt, Options(), StopRequest())
    assert len(preempted) == 1
    assert schedule.failures == []
    assert schedule.cells_done == 3
    assert "continuing from step" in read_log(students)
    assert workspace.record("kd", 0).steps == 150
