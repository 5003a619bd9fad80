"""Input that nobody means: names that are paths, text without bottom, numbers without measure.

Each is refused in one line, through the real command lines, and nothing is written elsewhere.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import ROOT, environment, python, refusal, segdistill
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import plan
from segdistill.pipeline.seal import read_seal
from segdistill.pipeline.states import _running
from segdistill.report.logs import read_series
from segdistill.settings.cell import Cell
from segdistill.settings.loading import PARAMS

RUN = Path("results/smoke/runs/scenes_camvid/pcd/seed0")
DEEP = "[" * 200_000
STUDENT = ("smoke", "scenes_camvid", "student")


def script(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return python(f"experiments/{name}", *words)


def refused(name: str, *words: str) -> str:
    """The error of a script that has to fail as a user's mistake does."""
    done = script(name, *words)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    return done.stderr


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_keep_nothing_from_being_done(closed: str) -> None:
    record = RUN / "run.json"
    before = json.loads(record.read_text())["weights_sha256"]
    shutil.rmtree(plan(Cell("smoke", "scenes_camvid", "pcd", 0)).scratch)
    shutil.rmtree(RUN)
    command = f"{sys.executable} {ROOT}/experiments/train.py smoke scenes_camvid pcd 0 {closed}"
    assert subprocess.run(["sh", "-c", command], env=environment(), check=False).returncode == 0
    assert json.loads(record.read_text())["weights_sha256"] == before


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", ".", "a/b", ""])
def test_an_experiment_is_no_path(name: str, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    shutil.copy(PARAMS, tmp_path / "evil/params.yaml")
    before = set(tmp_path.rglob("*"))
    message = f"experiment {name!r}: there is no "
    assert message in refusal("status", name)
    assert message in refusal("run", name)
    assert message in refused("digest.py", name)
    assert message in refused("train.py", name, "scenes_camvid", "kd")
    assert message in refused("evaluate.py", name, "scenes_camvid", "kd")
    assert message in refused("compare.py", name)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("project")
def test_a_name_that_no_file_can_have() -> None:
    Path("experiments").mkdir()
    assert "File name too long" in refusal("status", "a" * 300)
    assert "File name too long" in refused("train.py", "a" * 300, "scenes_camvid", "kd", "0")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "line", [DEEP, '{"step": 1e999, "loss": 1}', '{"step": 1, "loss": 1' + "0" * 400 + "}"]
)
def test_a_log_without_bottom_or_measure(line: str) -> None:
    (RUN / "log.jsonl").write_text(line + "\n")
    assert "log.jsonl:1: not a line of a training log" in refusal("show", RUN)
    with pytest.raises(SuiteError, match="not a line of a training log"):
        read_series(RUN / "log.jsonl", "loss")
    compared = script("compare.py")
    assert (compared.returncode, compared.stderr) == (0, "")
    checked = segdistill("check", "results/smoke")
    assert checked.status == 1
    assert "log.jsonl: " in checked.out


@pytest.mark.usefixtures("project")
def test_a_seal_without_bottom_is_no_seal() -> None:
    for place in Path(".scratch").iterdir():
        if (place / "seal.json").is_file():
            assert read_seal(place) is not None
            (place / "seal.json").write_text(DEEP)
            assert read_seal(place) is None
    assert segdistill("status").status == 0


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("text", ["a: " + "[" * 20_000, "experiment: !!bool x", '"\\UFFFFFFFF": 1'])
def test_settings_that_break_the_parser(text: str) -> None:
    PARAMS.write_text(text)
    assert refusal("status")
    assert refused("digest.py", "smoke")


@pytest.mark.usefixtures("project")
def test_a_folder_in_place_of_the_lock() -> None:
    shutil.rmtree("results/smoke/runs")
    lock = plan(Cell(*STUDENT, 0)).scratch / "lock"
    shutil.rmtree(lock.parent, ignore_errors=True)
    lock.mkdir(parents=True)
    done = script("train.py", *STUDENT, "0")
    assert done.returncode == 2
    assert f"{lock}: cannot write (Is a directory)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("holder", ["0", "-1", "9" * 30, "", "\x00", str(2**31 - 1)])
def test_a_lock_that_names_no_process(holder: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(holder)
    assert not _running(tmp_path)
    (tmp_path / "lock").write_text(str(os.getpid()))
    assert _running(tmp_path)


@pytest.mark.usefixtures("project")
def test_a_home_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMVID_ROOT", "~nosuchuser/camvid")
    assert "begins with ~" in refusal("data", "camvid")


@pytest.mark.usefixtures("project")
def test_a_source_with_a_nul() -> None:
    yaml = YAML()
    params = yaml.load(PARAMS)
    params["teacher"]["source"] = "a\0b"
    yaml.dump(params, PARAMS)
    assert "NUL" in refused("train.py", "smoke", "scenes_camvid", "teacher")


@pytest.mark.usefixtures("project")
def test_a_seed_below_zero() -> None:
    assert "seed -1: a seed is 0 or more" in refused("train.py", *STUDENT, "-1")
    assert "seed -1: a seed is 0 or more" in refused("evaluate.py", *STUDENT, "-1")


@pytest.mark.usefixtures("project")
def test_arguments_of_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/proc/foo.py: cannot write" in refusal("new-method", "foo", "--into", "/proc")
    monkeypatch.chdir(tmp_path)
    assert "run this where the project is" in refusal("data", "scenes_camvid")
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("project")
def test_a_record_with_an_empty_section_is_shown() -> None:
    record = json.loads((RUN / "run.json").read_text())
    (RUN / "run.json").write_text(json.dumps({**record, "config": {"training": {}}}))
    assert segdistill("show", RUN).status == 0


def shell(line: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("PYTHON", sys.executable).replace("ROOT", str(ROOT))
    return subprocess.run(
        ["bash", "-c", command], env=environment(**changes), capture_output=True, text=True
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["-m segdistill status", "ROOT/experiments/compare.py"])
def test_output_that_nobody_takes(command: str) -> None:
    done = shell(f"PYTHON {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: standard output: cannot be used (No space left on device)\n"
    for line in (f"PYTHON {command} | true", f"PYTHON {command} >&-"):
        done = shell(line)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("project")
def test_a_terminal_that_knows_ascii_alone() -> None:
    done = shell("PYTHON ROOT/experiments/compare.py", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("seconds", [0.6, 1.5])
def test_an_early_interrupt_is_no_traceback(seconds: float) -> None:
    """The worker still imports torch; a terminal's Ctrl-C reaches it and its stage."""
    shutil.rmtree("results/smoke/runs")
    shutil.rmtree(".scratch")
    command = [sys.executable, str(ROOT / "experiments/train.py"), *STUDENT, "0"]
    stage = subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(seconds)
    os.killpg(stage.pid, signal.SIGINT)
    _, printed = stage.communicate(timeout=120)
    assert "Traceback" not in printed
    assert stage.returncode in (75, 130)
    done = script("train.py", *STUDENT, "0")
    assert done.returncode == 0, done.stderr
