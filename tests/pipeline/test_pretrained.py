"""Which files of weights a training starts from."""

import hashlib
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline import cells
from segdistill.pipeline.cells import plan
from segdistill.records import read_run
from segdistill.settings.cell import Cell
from segdistill.settings.loading import run_config

ROOT = Path(__file__).resolve().parents[2]
TEACHER = Cell("camvid", "camvid", "teacher", 0)


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "experiments/camvid", tmp_path / "experiments/camvid")
    path = tmp_path / "experiments/camvid/params.yaml"
    recipe = YAML(typ="safe").load(path)
    recipe["teacher"]["source"] = "t/{dataset}.st"
    YAML().dump(recipe, path)
    return path


def test_every_dataset_has_its_own_teacher_to_import(
    experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_config(TEACHER).as_dict()["training"]["source"] == "t/camvid.st"
    monkeypatch.setattr(cells, "manifest_hash", lambda _: "data")
    with pytest.raises(SuiteError, match=r"t/camvid.st: cannot read \(No such file"):
        plan(TEACHER)
    imported = experiment.parents[2] / "t/camvid.st"
    imported.parent.mkdir()
    imported.write_bytes(b"weights")
    cell = plan(TEACHER)
    assert cell.pretrained == hashlib.sha256(b"weights").hexdigest()
    imported.write_bytes(b"other weights")
    assert plan(TEACHER).fingerprint != cell.fingerprint


def test_a_published_teacher_stands_without_the_file_it_began_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("BACKBONE_ROOT", str(tmp_path))
    record = read_run(Path("results/camvid/teachers/camvid/run.json"))
    assert plan(TEACHER).pretrained == record.pretrained_sha256
    (tmp_path / "mobilenet_v2_imagenet.safetensors").write_bytes(b"another file")
    cell = plan(TEACHER)
    assert cell.pretrained == hashlib.sha256(b"another file").hexdigest()
    (tmp_path / "mobilenet_v2_imagenet.safetensors").unlink()
    monkeypatch.setattr(cells, "read_run", lambda _: record.model_copy(update={"config": {}}))
    with pytest.raises(SuiteError, match=r"mobilenet_v2_imagenet.safetensors: no such backbone"):
        plan(TEACHER)
