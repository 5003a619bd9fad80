"""Which files of weights a training starts from."""

import hashlib
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness import cells
from harness.cells import plan_teacher
from harness.config import teacher_run
from harness.errors import SuiteError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "experiments/profiles", tmp_path / "experiments/profiles")
    path = tmp_path / "experiments/profiles/camvid.yaml"
    recipe = YAML(typ="safe").load(path)
    recipe["teacher"]["source"] = "t/{dataset}.st"
    YAML().dump(recipe, path)
    return path


def test_every_dataset_has_its_own_teacher_to_import(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert teacher_run("camvid", "camvid").as_dict()["training"]["source"] == "t/camvid.st"
    monkeypatch.setattr(cells, "_manifest_hash", lambda _: "data")
    with pytest.raises(SuiteError, match=r"t/camvid.st: cannot read \(No such file"):
        plan_teacher("camvid", "camvid")
    imported = profile.parents[2] / "t/camvid.st"
    imported.parent.mkdir()
    imported.write_bytes(b"weights")
    cell = plan_teacher("camvid", "camvid")
    assert cell.pretrained == hashlib.sha256(b"weights").hexdigest()
    imported.write_bytes(b"other weights")
    assert plan_teacher("camvid", "camvid").fingerprint != cell.fingerprint
