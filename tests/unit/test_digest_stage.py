"""The digest stage: an imported teacher's file counts as much as the code."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest
from results_tree import make_tree

from experiments import digest
from harness.digest import code_digest

ROOT = Path(__file__).resolve().parents[2]
PARAMS = "profile: smoke\ndatasets: [scenes_camvid, scenes_voc]\nmethods: [student]\nseeds: [0]\n"
SOURCE = "source: 'teachers/{dataset}.safetensors', "


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "experiments/profiles", tmp_path / "experiments/profiles")
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["digest.py"])
    return tmp_path


def _import_teachers(project: Path) -> None:
    path = project / "experiments/profiles/smoke.yaml"
    path.write_text(path.read_text().replace("teacher: {steps", f"teacher: {{{SOURCE}steps"))


def _written() -> str:
    assert digest.main() == 0
    return Path("results/digests/teacher.txt").read_text()


@pytest.mark.usefixtures("project")
def test_a_trained_teacher_depends_on_code_alone() -> None:
    assert _written() == code_digest("teacher")


def test_an_imported_teacher_depends_on_its_file(project: Path) -> None:
    _import_teachers(project)
    (project / "teachers").mkdir()
    for name in ("scenes_camvid", "scenes_voc"):
        (project / f"teachers/{name}.safetensors").write_bytes(name.encode())
    first = _written()
    hashes = [hashlib.sha256(x).hexdigest() for x in (b"scenes_camvid", b"scenes_voc")]
    assert first == code_digest("teacher") + (
        f"teachers/scenes_camvid.safetensors {hashes[0]}\n"
        f"teachers/scenes_voc.safetensors {hashes[1]}\n"
    )
    (project / "teachers/scenes_voc.safetensors").write_bytes(b"others")
    assert _written() != first


def test_a_clone_without_the_file_has_its_hash_from_the_record(project: Path) -> None:
    _import_teachers(project)
    assert _written().endswith("teachers/scenes_voc.safetensors None\n")
    tree = make_tree(project / "other", ("scenes_voc",), ("student",), (0,))
    record = json.loads((tree.run("scenes_voc", "teacher") / "run.json").read_text())
    place = project / "results/smoke/teachers/scenes_voc/run.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({**record, "pretrained_sha256": "ab" * 32}))
    assert _written().endswith(f"teachers/scenes_voc.safetensors {'ab' * 32}\n")
