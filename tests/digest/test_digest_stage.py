"""The digest stage: an imported teacher's file counts as much as the code."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from results_tree import make_tree

from experiments import digest
from segdistill.digest.choices import training_choices
from segdistill.digest.walk import code_digest
from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import read_experiment, run_config

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("experiments/smoke/params.yaml")
SOURCE = "source: 'teachers/{dataset}.safetensors', "


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / FILE.parent).mkdir(parents=True)
    text = (ROOT / FILE).read_text()
    text = text.replace("datasets: [scenes_camvid]", "datasets: [scenes_camvid, scenes_voc]")
    (tmp_path / FILE).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["digest.py", "smoke"])
    return tmp_path


def _import_teachers(project: Path) -> None:
    path = project / FILE
    path.write_text(path.read_text().replace("teacher: {steps", f"teacher: {{{SOURCE}steps"))


def _written(dataset: str = "scenes_voc") -> str:
    assert digest.main() == 0
    return Path(f"results/smoke/digests/{dataset}/teacher.txt").read_text().rstrip("\n")


def _code(dataset: str = "scenes_voc") -> str:
    return code_digest("train", training_choices(run_config(Cell("smoke", dataset, TEACHER, 0))))


@pytest.mark.usefixtures("project")
def test_a_trained_teacher_depends_on_code_alone() -> None:
    assert _written() == _code()


@pytest.mark.usefixtures("project")
def test_a_stage_has_a_digest_for_what_it_runs() -> None:
    assert digest.main() == 0
    folder = Path("results/smoke/digests")
    kinds = ("teacher", "evaluate_teacher", "evaluate")
    methods = read_experiment("smoke").methods
    kinds += tuple(f"train-{method}" for method in methods)
    names = {f"{dataset}/{kind}" for dataset in ("scenes_camvid", "scenes_voc") for kind in kinds}
    found = {str(path.relative_to(folder))[:-4]: path.read_text() for path in folder.rglob("*.txt")}
    assert found.keys() == names | {"compare"}
    student = run_config(Cell("smoke", "scenes_voc", "student", 0))
    assert found["scenes_voc/train-student"].split() == [
        code_digest("train", training_choices(student))
    ]
    assert found["scenes_voc/train-student"] != found["scenes_camvid/train-student"]


def test_an_imported_teacher_depends_on_its_file(project: Path) -> None:
    _import_teachers(project)
    (project / "teachers").mkdir()
    for name in ("scenes_camvid", "scenes_voc"):
        (project / f"teachers/{name}.safetensors").write_bytes(name.encode())
    for name in ("scenes_camvid", "scenes_voc"):
        known = hashlib.sha256(name.encode()).hexdigest()
        assert _written(name) == f"{_code(name)} teachers/{name}.safetensors {known}"
    before = _written()
    (project / "teachers/scenes_voc.safetensors").write_bytes(b"others")
    assert _written() != before


def test_a_clone_without_the_file_has_its_hash_from_the_record(project: Path) -> None:
    _import_teachers(project)
    assert _written().endswith("teachers/scenes_voc.safetensors None")
    tree = make_tree(project / "other", ("scenes_voc",), ("student",), (0,))
    record = json.loads((tree.run("scenes_voc", "teacher") / "run.json").read_text())
    place = project / "results/smoke/teachers/scenes_voc/run.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({**record, "pretrained_sha256": "ab" * 32}))
    assert _written().endswith(f"teachers/scenes_voc.safetensors {'ab' * 32}")
