"""What an ordinary user may not read or write is named in one line, and nothing is lost by it.

As root the commands run without the right to pass over permissions, so that they are denied too.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import python
from outcome import Outcome, differences, outcome

from segdistill.pipeline.cells import plan
from segdistill.settings.cell import Cell

CELL = ("smoke", "scenes_camvid", "pcd", "0")
RUN = Path("results/smoke/runs/scenes_camvid/pcd/seed0")
EVALUATION = Path("results/smoke/evals/scenes_camvid/pcd/seed0")
TEACHER = Path("results/smoke/teachers/scenes_camvid")
TRAIN = ("experiments/train.py", *CELL)
EVALUATE = ("experiments/evaluate.py", *CELL)
COMPARE = ("experiments/compare.py",)
STATUS = ("-m", "segdistill", "status")
CHECK = ("-m", "segdistill", "check", str(RUN))
UNREADABLE, UNWRITABLE = 0, 0o555
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture(scope="module")
def prefix() -> tuple[str, ...]:
    """What a command line begins with for permissions to count."""
    if os.geteuid() != 0:
        return ()
    if shutil.which(ORDINARY[0]) is None or subprocess.run([*ORDINARY, "true"]).returncode:
        pytest.skip("root cannot give up its rights here")
    return ORDINARY


@contextmanager
def denied(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def computed() -> Outcome:
    """What trainings and evaluations published, without the tables made of it."""
    found = outcome(Path("results"))
    return {name: content for name, content in found.items() if "scenes_camvid" in Path(name).parts}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("path", "mode", "words"),
    [
        (Path("params.yaml"), UNREADABLE, COMPARE),
        (Path("data"), UNREADABLE, TRAIN),
        (Path(".scratch"), UNREADABLE, TRAIN),
        (Path(".scratch"), UNREADABLE, EVALUATE),
        (TEACHER / "weights.safetensors", UNREADABLE, TRAIN),
        (TEACHER / "run.json", UNREADABLE, COMPARE),
        (RUN, UNREADABLE, STATUS),
        (RUN, UNWRITABLE, TRAIN),
        (RUN / "run.json", UNREADABLE, EVALUATE),
        (RUN / "weights.safetensors", UNREADABLE, EVALUATE),
        (EVALUATION, UNREADABLE, EVALUATE),
        (EVALUATION / "areas.npz", UNREADABLE, COMPARE),
        (EVALUATION / "scores.json", UNREADABLE, COMPARE),
        (Path("results/smoke"), UNWRITABLE, COMPARE),
    ],
)
def test_what_is_denied_is_named(
    path: Path, mode: int, words: tuple[str, ...], prefix: tuple[str, ...]
) -> None:
    before = computed()
    with denied(path, mode):
        done = python(*words, prefix=prefix)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done
    (line,) = (line for line in (done.stdout + done.stderr).splitlines() if "denied" in line)
    assert str(path).removeprefix("results/smoke/") in line  # the report is of that folder
    assert differences(computed(), before) == []
    again = python(*words, prefix=prefix)
    assert again.returncode == 0, again


@pytest.mark.usefixtures("project")
def test_a_log_that_cannot_be_read_is_a_difference(prefix: tuple[str, ...]) -> None:
    with denied(RUN / "log.jsonl", UNREADABLE):
        done = python(*CHECK, prefix=prefix)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"{RUN}/log.jsonl: cannot read (Permission denied)" in done.stdout


@pytest.mark.usefixtures("project")
def test_an_evaluation_that_can_be_replaced_only_in_part(prefix: tuple[str, ...]) -> None:
    before = computed()
    with denied(EVALUATION / "pictures", UNWRITABLE):
        done = python(*EVALUATE, prefix=prefix)
    assert done.returncode == 2
    assert f"{EVALUATION}: cannot be replaced (Permission denied)" in done.stderr
    assert python(*EVALUATE, prefix=prefix).returncode == 0
    assert differences(computed(), before) == []


@pytest.mark.usefixtures("project")
def test_a_training_that_another_user_holds(prefix: tuple[str, ...]) -> None:
    lock = plan(Cell("smoke", "scenes_camvid", "pcd", 0)).scratch / "lock"
    (lock.parent / "seal.json").unlink()
    with denied(lock, UNREADABLE):
        done = python(*TRAIN, prefix=prefix)
    assert done.returncode == 2
    assert f"{lock}: cannot write (Permission denied)" in done.stderr
    assert python(*TRAIN, prefix=prefix).returncode == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("path", [Path("data"), Path(".scratch"), Path("results/smoke")])
def test_status_says_where_a_run_could_not_write(path: Path, prefix: tuple[str, ...]) -> None:
    (RUN / "run.json").unlink()
    with denied(path, UNWRITABLE):
        done = python(*STATUS, prefix=prefix)
    assert done.returncode == 2
    line = f"missing here: folder {path}: {path}: may not be read and written"
    assert line in done.stdout
    assert f"folder {path}" not in python(*STATUS, prefix=prefix).stdout
