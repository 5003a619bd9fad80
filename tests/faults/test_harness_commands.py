"""Wrong input through the real command lines: status 2, one line that says what to mend."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import python
from data_files import write_dataset
from PIL import Image

from segdistill.pipeline.cells import plan
from segdistill.pipeline.lock import locked
from segdistill.settings.cell import Cell
from segdistill.settings.loading import PARAMS

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = """\
experiment: mini
about: For tests.
note: A miniature.
datasets: [camvid]
methods: [student, kd]
seeds: [0]
data:
  camvid: {crop: [16, 16]}
networks:
  teacher: {decoder: fcn, backbone: resnet, depth: 18, width: 8, head_width: 8}
  student: {decoder: fcn, backbone: resnet, depth: 18, width: 8, head_width: 4}
teacher: {steps: 1, batch: 2, learning_rate: 0.02}
train: {steps: 1, batch: 2, learning_rate: 0.02}
evaluate: {pictures: 1, latency_runs: 1}
execution: {}
options:
  student: {}
  kd: {weight: 1.0}
"""
PREPARE = ("experiments/prepare.py", "camvid", "--subset", "true")
TEACHER = ("experiments/train.py", "mini", "camvid", "teacher")
TRAIN = ("experiments/train.py", "mini", "camvid", "kd", "0")
EVALUATE = ("experiments/evaluate.py", "mini", "camvid", "kd", "0")
DIGEST = ("experiments/digest.py", "mini")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with a miniature CamVid beside it."""
    write_dataset("camvid", tmp_path / "camvid")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / PARAMS).write_text(EXPERIMENT)
    return folder


def call(project: Path, *command: str, root: str = "../camvid") -> subprocess.CompletedProcess[str]:
    return python(*command, cwd=project, CAMVID_ROOT=root)


def refused(project: Path, *command: str, root: str = "../camvid") -> str:
    """The error line of a command that must fail as a user's mistake does."""
    done = call(project, *command, root=root)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]


def prepared(project: Path) -> Path:
    done = call(project, *PREPARE)
    assert done.returncode == 0, done.stderr
    return project


def replace(path: Path, old: str, new: str) -> None:
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "command", "message"),
    [
        ("seeds", "sedes", DIGEST, "sedes: unknown key; did you mean 'seeds'"),
        ("[student, kd]", "[student, kdd]", DIGEST, "no block 'kdd'; did you mean 'kd'"),
        ("note", "noet", DIGEST, "noet: unknown key; did you mean 'note'"),
        ("about: ", "about: [", DIGEST, "params.yaml: not valid YAML"),
        ("methods:", "  methods:", DIGEST, "params.yaml: not valid YAML"),
        ("head_width: 4", "haed_width: 4", TRAIN, "student.haed_width: unknown key"),
        ("camvid: {", "camvd: {", TRAIN, "data: no block 'camvid'; did you mean 'camvd'"),
        ("mini", "maxi", TRAIN, "experiments/mini/params.yaml; known: maxi"),
        ("kd: {weight", "kd: {wieght", TRAIN, "kd.wieght: unknown; did you mean 'weight'?"),
        ("kd: {weight: 1.0}", "kd: {method: kdd}", TRAIN, "unknown method 'kdd'; did you mean"),
    ],
)
def test_wrong_settings(
    project: Path, old: str, new: str, command: tuple[str, ...], message: str
) -> None:
    replace(project / PARAMS, old, new)
    assert message in refused(project, *command)


def test_a_missing_data_root(project: Path) -> None:
    assert "../nowhere: no such folder of dataset camvid" in refused(
        project, *PREPARE, root="../nowhere"
    )
    assert "data set camvid: not installed" in refused(project, *PREPARE, root="")


def test_what_must_come_before(project: Path) -> None:
    """Data, then the teacher, then the student's weights."""
    assert "segdistill data camvid" in refused(project, *TEACHER)
    prepared(project)
    message = refused(project, *TRAIN)
    assert "results/mini/teachers/camvid/weights.safetensors" in message
    assert "results/mini/runs/camvid/kd/seed0/weights.safetensors" in refused(project, *EVALUATE)


def training_files(project: Path) -> tuple[Path, Path]:
    root = project.parent / "camvid"
    return sorted((root / "train").glob("*.png"))[0], sorted((root / "trainannot").glob("*.png"))[0]


def truncate(project: Path) -> Path:
    image, _ = training_files(project)
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    return image


def out_of_range(project: Path) -> Path:
    _, label = training_files(project)
    with Image.open(label) as picture:
        changed = picture.copy()
    changed.putpixel((3, 2), 77)
    changed.save(label)
    return label


def other_size(project: Path) -> Path:
    _, label = training_files(project)
    with Image.open(label) as picture:
        changed = picture.resize((5, 7))
    changed.save(label)
    return label


@pytest.mark.parametrize("damage", [truncate, out_of_range, other_size])
def test_damaged_data_are_named_when_they_are_prepared(
    project: Path, damage: Callable[[Path], Path]
) -> None:
    damaged = damage(project)
    assert damaged.name in refused(project, *PREPARE)
    assert not (project / "data/camvid/MANIFEST.json").exists()


def test_an_empty_split(project: Path) -> None:
    (project.parent / "camvid/test.txt").write_text("")
    assert "test.txt: split is empty" in refused(project, *PREPARE)


def test_a_file_where_the_results_should_go(project: Path) -> None:
    (project / "results").write_text("not a folder")
    assert "results/mini/digests/compare.txt: cannot write" in refused(project, *DIGEST)
    (project / "data").write_text("not a folder")
    assert "data/camvid" in refused(project, *PREPARE)


def failed(project: Path, *command: str) -> list[str]:
    """The errors of a stage whose worker fails: the worker's own, then the stage's."""
    done = call(project, *command)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors[-1] == "error: a training failed; its message is above"
    assert len(errors) == 2, done.stderr
    return errors


def test_images_that_break_after_they_were_prepared(project: Path) -> None:
    prepared(project)
    damaged = truncate(project)
    assert damaged.name in failed(project, *TEACHER)[0]
    (left,) = [path for path in (project / "results").rglob("*") if path.is_file()]
    assert left.name == "camvid.failure.txt"
    assert damaged.name in left.read_text()


def test_a_second_process_says_who_is_at_work(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(project)
    monkeypatch.chdir(project)
    with locked(plan(Cell("mini", "camvid", "teacher", 0)).scratch):
        message = failed(project, *TEACHER)[0]
    assert f"process {os.getpid()} is working on this run" in message
    assert call(project, *TEACHER).returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "segdistill"),
        ("-m", "segdistill", "trian"),
        ("-m", "segdistill", "data"),
        ("experiments/train.py", "mini", "camvid", "kd", "zero"),
    ],
)
def test_wrong_arguments_show_the_usage(project: Path, command: tuple[str, ...]) -> None:
    done = call(project, *command)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status", "min"), "there is no experiments/min/params.yaml; did you mean 'mini'?"),
        (("data", "camvod"), "did you mean 'camvid'?"),
        (("new-method", "kd"), "'kd': taken"),
        (("new-method", "Über-method"), "use lower-case letters"),
        (("weights", "resnet"), "unknown backbone 'resnet'"),
        (("weights", "--from", "x.pth"), "which backbone? Name one, or say --as what it is"),
        (("weights", "--as", "teacher", "mini", "camvid"), "--as takes no NAME, but --from FILE"),
        (
            ("weights", "--as", "pupil", "mini", "camvid", "--from", "x.pth", "--to", "y"),
            "--as pupil: a network is taken in as teacher or student",
        ),
        (
            ("weights", "--as", "student", "mini", "camvid", "--from", "x.pth", "--to", "y"),
            "x.pth: cannot read (No such file or directory)",
        ),
        (("run", "-j", "0"), "--jobs 0: at least one"),
        (("show", "mini/camvid/kd/0"), "mini/camvid/kd/0: no run.json there; name a run's folder"),
    ],
)
def test_wrong_values_of_commands(project: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(project, "-m", "segdistill", *arguments)
