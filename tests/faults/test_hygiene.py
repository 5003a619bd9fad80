"""A killed pipeline leaves no process and no half-written output behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import plan
from segdistill.pipeline.lock import locked
from segdistill.settings.cell import Cell
from segdistill.settings.loading import PARAMS

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds; far more than anything here takes
LONG = {"steps": 100000, "batch": 2, "learning_rate": 0.02}
STUDENT = Cell("smoke", "scenes_camvid", "student", 0)


@pytest.fixture
def long_run(project: Path) -> Iterator[Path]:
    """The project with an endless training; whatever is left of it in the end is killed."""
    yaml = YAML()
    params = yaml.load(PARAMS)
    params["train"] = LONG
    yaml.dump(params, PARAMS)
    shutil.rmtree("results/smoke/runs")
    yield project
    for pid in workers(project):
        os.kill(pid, signal.SIGKILL)


def workers(project: Path) -> list[int]:
    """The processes at work in the project's folder, by /proc."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().split(b"\0")
            if (place / "cwd").resolve() == project and b"segdistill.pipeline.worker" in command:
                found.append(int(place.name))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def dvc_stage(project: Path) -> list[str]:
    """A pipeline of the one stage, run by dvc as `dvc repro` runs it."""
    (project / "dvc.yaml").write_text(
        f"stages:\n  train:\n    cmd: {' '.join(stage())}\n    outs: [results/smoke/runs]\n"
    )
    subprocess.run(["dvc", "init", "--no-scm", "-q"], check=True, env=environment())
    return ["dvc", "repro"]


def stage(project: Path | None = None) -> list[str]:
    del project
    script = REPOSITORY / "experiments/train.py"
    return [sys.executable, str(script), "smoke", "scenes_camvid", "student", "0"]


def environment() -> dict[str, str]:
    """With the shell that dvc runs stages by where SHELL is not set; it may outlive dvc."""
    ours = {"PYTHONPATH": str(REPOSITORY), "DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh"}
    return {**os.environ, **ours}


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
@pytest.mark.parametrize(("command", "early"), [(stage, True), (stage, False), (dvc_stage, False)])
def test_no_worker_outlives_its_stage(
    command: Callable[[Path], list[str]], early: bool, long_run: Path
) -> None:
    with Path("printed.txt").open("w") as printed:
        process = subprocess.Popen(
            command(long_run), env=environment(), stdout=printed, stderr=printed
        )
    scratch = plan(STUDENT).scratch
    started = (lambda: workers(long_run)) if early else (lambda: (scratch / "lock").is_file())
    until(lambda: started() or process.poll() is not None)
    assert process.poll() is None, Path("printed.txt").read_text()
    process.kill()
    process.wait()
    until(lambda: not workers(long_run))
    assert not list(long_run.glob("results/smoke/runs/**/*.*"))
    assert not list(long_run.rglob(".*.tmp"))


def test_a_killed_drawing_leaves_no_dataset(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "segdistill", "data", "scenes_camvid"]
    process = subprocess.Popen(
        [*command, "--destination", str(tmp_path / "drawn")], env=environment(), cwd=tmp_path
    )
    until(
        lambda: (
            list(tmp_path.glob(".scenes_camvid.*/new/train/*.png")) or process.poll() is not None
        )
    )
    assert process.poll() is None
    process.kill()
    process.wait()
    assert not (tmp_path / "drawn").exists()


ORPHAN = """\
import os, sys, time
from pathlib import Path
from segdistill.following import follow_dvc
Path("pid").write_text(str(os.getpid()))
while not Path("go").exists():
    time.sleep(0.01)
follow_dvc()
Path("following").touch()
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is followed elsewhere")
@pytest.mark.parametrize("late", [True, False])
def test_a_stage_ends_with_dvc_through_a_shell(late: bool, tmp_path: Path) -> None:
    """The shell between the two stays; dvc dies while the stage works, or before it looks."""
    (tmp_path / "stage.py").write_text(ORPHAN)
    shell = f"DVC_STAGE=train sh -c '{sys.executable} stage.py; true' & wait"
    dvc = subprocess.Popen(
        ["sh", "-c", shell], cwd=tmp_path, env=environment(), start_new_session=True
    )
    until(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text())
    stage = int((tmp_path / "pid").read_text())
    if late:
        (tmp_path / "go").touch()
        until((tmp_path / "following").exists)
    dvc.kill()
    dvc.wait()
    (tmp_path / "go").touch()
    until(lambda: not is_alive(stage))


def test_a_second_process_says_who_holds_the_run(project: Path) -> None:
    scratch = plan(STUDENT).scratch
    shutil.rmtree(scratch)
    with locked(scratch):
        done = subprocess.run(
            stage(), cwd=project, env=environment(), capture_output=True, text=True
        )
    assert done.returncode == 2
    assert f"process {os.getpid()} is working on this run; wait for it or stop it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from segdistill.pipeline.lock import locked\n"
    )
    program += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, env=environment()
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(SuiteError, match=f"process {holder.pid} "), locked(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
