"""`run` makes the matrix with the bits of `dvc repro`, and goes on after preemption or a stop."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from workspace import DATASET, EXPERIMENT, Workspace, copy_project

from segdistill.pipeline.jobs import Job, matrix_jobs
from segdistill.pipeline.pool import YEAR, Pool, make_executor
from segdistill.settings.loading import read_experiment
from segdistill.stop import StopRequest

PATIENCE = 120.0  # seconds


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return copy_project(tmp_path_factory.mktemp("pool"))


def forget(workspace: Workspace) -> None:
    """Remove every result and state."""
    for name in (".scratch", f"results/{EXPERIMENT}", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(workspace.root / name, ignore_errors=True)
    (workspace.root / "dvc.lock").unlink(missing_ok=True)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at_work(root: Path, *names: str) -> list[psutil.Process]:
    """The processes in the folder `root` whose command line holds one of `names`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if process.cwd() == str(root) and any(name in words for name in names):
                found.append(process)
    return found


def training(root: Path) -> bool:
    """Whether a student has saved its first state (the teacher's is gone with its training)."""
    return (root / "results" / EXPERIMENT / "evals" / DATASET / "teacher").is_dir() and any(
        root.glob(".scratch/*/checkpoint-*.pt")
    )


def test_run_has_the_bits_of_dvc_and_lists_what_failed(workspace: Workspace) -> None:
    with (workspace.root / "params.yaml").open("a") as file:
        file.write("  broken: {method: kd, weight: 1.0e+38}\n")
    workspace.set(methods=["student", "broken", "kd"], seeds=[0, 1])
    printed = workspace.run("-m", "segdistill", "run", "-j", "2", "--keep-going", status=2)
    for seed in (0, 1):
        assert f"{DATASET}-broken-{seed}: {EXPERIMENT}/{DATASET}/broken/seed{seed}: " in printed
    assert "2 failed" in printed
    assert (workspace.results / "report.html").is_file()
    found = [workspace.record(name, seed) for name in ("student", "kd") for seed in (0, 1)]
    forget(workspace)
    workspace.set(methods=["student", "kd"])
    workspace.repro()
    for record in found:
        again = workspace.record(record.method, record.seed)
        assert again.weights_sha256 == record.weights_sha256


@pytest.fixture
def long(workspace: Workspace) -> Workspace:
    """Nothing is made yet, and students take 150 steps."""
    forget(workspace)
    params = workspace.root / "params.yaml"
    params.write_text(params.read_text().replace("train: {steps: 3,", "train: {steps: 150,"))
    workspace.set(methods=["student", "kd"], seeds=[0])
    return workspace


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_stops_every_job_once_it_has_saved(
    number: signal.Signals, long: Workspace, tmp_path: Path
) -> None:
    """A terminal's Ctrl-C comes to the whole group of processes, a SIGKILL to one."""
    command = [sys.executable, "-m", "segdistill", "run", "-j", "2"]
    with (tmp_path / "printed").open("w") as file:
        process = subprocess.Popen(
            command, cwd=long.root, env=long.environment(), stderr=file, start_new_session=True
        )
    until(lambda: training(long.root) or process.poll() is not None)
    if number == signal.SIGKILL:
        process.kill()
        process.wait()
        until(lambda: not at_work(long.root, "segdistill", "experiments/", "submitit"))
    else:
        os.killpg(process.pid, number)
        assert process.wait() == 75, (tmp_path / "printed").read_text()
        assert "stopped as asked; run the same command" in (tmp_path / "printed").read_text()
        assert at_work(long.root, "segdistill", "experiments/", "submitit") == []
    assert any(long.root.glob(".scratch/*/checkpoint-*.pt"))


def test_a_preempted_job_goes_on(long: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """submitit's local executor stands for Slurm; SIGUSR2 is its notice of preemption."""
    long.repro("-s", "digest")
    monkeypatch.chdir(long.root)
    for name, value in long.environment().items():
        monkeypatch.setenv(name, value)
    preempted: list[int] = []

    def preempt() -> None:
        until(lambda: training(long.root))
        for process in at_work(long.root, "submitit.core._submit"):
            os.kill(process.pid, signal.SIGUSR2)
            preempted.append(process.pid)

    noticing = threading.Thread(target=preempt)
    noticing.start()
    executor = make_executor("local", {"timeout_min": YEAR})
    jobs: list[Job] = matrix_jobs(read_experiment())
    assert Pool(executor, [""], StopRequest()).run(jobs) == {}
    noticing.join()
    assert len(preempted) == 1
    logs = [path.read_text() for path in Path(".scratch/run").rglob("*.out")]
    assert any("continuing from step" in log for log in logs)
    assert long.record("kd", 0).steps == 150
