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

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import plan_student
from segdistill.pipeline.seal import read_seal
from segdistill.pipeline.states import _running
from segdistill.report.logs import read_series

EXPERIMENT = Path("experiments/experiments/smoke.yaml")
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
    shutil.rmtree(plan_student("smoke", "scenes_camvid", "pcd", 0).scratch)
    shutil.rmtree(RUN)
    command = f"{sys.executable} {ROOT}/experiments/train.py smoke scenes_camvid pcd 0 {closed}"
    assert subprocess.run(["sh", "-c", command], env=environment(), check=False).returncode == 0
    assert json.loads(record.read_text())["weights_sha256"] == before


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", ".", "a/b", ""])
def test_a_experiment_is_no_path(name: str, tmp_path: Path) -> None:
    params = Path("params.yaml").read_text()
    (tmp_path / "evil.yaml").write_text(EXPERIMENT.read_text())
    for words in (("use", name), ("status", name), ("run", name)):
        assert "an experiment is named as its file" in refusal(*words)
    before = {path for path in tmp_path.rglob("*") if ".scratch" not in path.parts}
    assert "an experiment is named as its file" in refused("teacher.py", name, "scenes_camvid")
    assert "an experiment is named as its file" in refused("prepare.py", name, "scenes_camvid")
    assert "an experiment is named as its file" in refused("compare.py", "--experiment", name)
    assert {path for path in tmp_path.rglob("*") if ".scratch" not in path.parts} == before
    assert Path("params.yaml").read_text() == params


@pytest.mark.usefixtures("project")
def test_a_name_that_no_file_can_have() -> None:
    assert "File name too long" in refusal("use", "a" * 300)
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
    Path("params.yaml").write_text(text)
    assert refusal("status")
    assert refused("digest.py")


@pytest.mark.usefixtures("project")
def test_a_folder_in_place_of_the_lock() -> None:
    shutil.rmtree("results/smoke/runs")
    lock = plan_student(*STUDENT, 0).scratch / "lock"
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
    text = EXPERIMENT.read_text()
    assert "\nteacher: {" in text
    EXPERIMENT.write_text(text.replace("\nteacher: {", '\nteacher: {source: "a\\0b", '))
    assert "NUL" in refused("teacher.py", "smoke", "scenes_camvid")


@pytest.mark.usefixtures("project")
def test_a_seed_below_zero() -> None:
    assert "seed -1: a seed is 0 or more" in refused("train.py", *STUDENT, "-1")
    assert "seed -1: a seed is 0 or more" in refused("evaluate.py", *STUDENT, "-1")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("key", "value"), [("steps", 10**30), ("batch", 10**23), ("threads", 10**11)]
)
def test_numbers_out_of_all_proportion(key: str, value: int) -> None:
    lines = EXPERIMENT.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("train:"))
    settings = {"steps": 6, "batch": 2, "learning_rate": 0.02, key: value}
    end = next(i for i in range(place + 1, len(lines)) if not lines[i].startswith(" "))
    lines[place:end] = [f"train: {json.dumps(settings)}"]
    EXPERIMENT.write_text("\n".join(lines) + "\n")
    assert f"train.{key}: {value:g} is more than" in refused("train.py", *STUDENT, "0")


@pytest.mark.usefixtures("project")
def test_aliases_that_stand_for_a_billion_values() -> None:
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    bomb = f"  bomb: {{method: kd, {', '.join(levels)}}}\n"
    EXPERIMENT.write_text(EXPERIMENT.read_text().rstrip("\n") + "\n" + bomb)
    message = refused("train.py", "smoke", "scenes_camvid", "bomb", "0")
    assert "methods.bomb: more than 10000 values" in message


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


@pytest.mark.usefixtures("project")
def test_the_link_to_the_settings_stays_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.yaml"
    shutil.move("params.yaml", elsewhere)
    Path("params.yaml").symlink_to(elsewhere)
    assert segdistill("use", "smoke").status == 0
    assert Path("params.yaml").is_symlink()
    assert "experiment: smoke" in elsewhere.read_text()


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
