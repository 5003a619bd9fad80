"""What keeps an experiment from being made on this machine is named with its mend."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from results_tree import EXPERIMENT, make_tree

from segdistill.commands import status
from segdistill.pipeline import forecast, needs
from segdistill.pipeline.forecast import Cost
from segdistill.pipeline.needs import lacking
from segdistill.pipeline.states import CellState, State
from segdistill.settings.cell import Cell
from segdistill.settings.loading import read_experiment

FILES = "data/camvid/files"
GET = "  get it: segdistill data camvid --from download"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose experiment reads CamVid, six images a split, from data/camvid/files."""
    make_tree(tmp_path, ("camvid",), ("student",), (0,), finished=False)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    monkeypatch.delenv("BACKBONE_ROOT", raising=False)
    monkeypatch.setattr(needs, "git_commit", lambda: "0" * 40)
    return tmp_path


def change(project: Path, part: str, **changes: object) -> None:
    path = project / "params.yaml"
    params = json.loads(path.read_text())
    params[part].update(changes)
    path.write_text(json.dumps(params))


def cell(method: str = "student", state: State = "missing", dataset: str = "camvid") -> CellState:
    return CellState(Cell(EXPERIMENT, dataset, method, 0), state, "", 6)


def found(*cells: CellState) -> Sequence[str]:
    return list(lacking(read_experiment(), cells or (cell("teacher"), cell())))


def test_nothing_is_missing_where_all_is_there_or_done(project: Path) -> None:
    assert found() == []
    (project / FILES / "train.txt").unlink()
    assert found(cell(state="done")) == []


def test_data_come_from_the_environment_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / FILES).rename(project / "camvid")
    (line,) = found()
    assert line.startswith("data camvid: data set camvid: not installed")
    assert line.splitlines()[1] == GET
    monkeypatch.setenv("CAMVID_ROOT", str(project / "nowhere"))
    assert "nowhere: no such folder of dataset camvid" in found()[0]
    monkeypatch.setenv("CAMVID_ROOT", "camvid")
    assert found() == []


def test_a_missing_image_is_found(project: Path) -> None:
    (project / FILES / "val" / "0003.png").unlink()
    assert "0003.png is missing" in found()[0]


def test_drawn_data_are_no_obstacle_before_they_are_drawn(project: Path) -> None:
    change(project, "data", scenes_voc={"crop": [64, 64]})
    drawn = cell(dataset="scenes_voc")
    assert found(drawn) == []
    (project / "data" / "scenes_voc").mkdir()
    (project / "data" / "scenes_voc" / "MANIFEST.json").write_text("{}")
    assert found(drawn)[0].endswith("\n  get it: segdistill data scenes_voc")


def test_backbones_are_looked_for_where_the_variable_says(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "mobilenet_v2_imagenet"
    network = {"decoder": "fcn", "backbone": "mobilenet_v2", "pretrained": name}
    change(project, "networks", teacher=network)
    assert found() == [
        f"backbone: data/backbones/{name}.safetensors: no such backbone; get it with "
        f"`segdistill weights {name}`"
    ]
    assert found(cell()) == []  # only the teacher begins with it
    assert found(cell("teacher", "trained")) == []  # and has begun
    (project / "here").mkdir()
    (project / "here" / f"{name}.safetensors").touch()
    monkeypatch.setenv("BACKBONE_ROOT", "here")
    assert found() == []


def test_an_imported_teacher_needs_its_file_and_no_backbone(project: Path) -> None:
    change(project, "teacher", source="{dataset}.safetensors")
    network = {"decoder": "fcn", "backbone": "mobilenet_v2", "pretrained": "mobilenet_v2_imagenet"}
    change(project, "networks", teacher=network)
    (line,) = found()
    assert line.startswith("teacher camvid: camvid.safetensors: no such file")
    (project / "camvid.safetensors").touch()
    assert found() == []


def test_git_and_dvc(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "git_commit", lambda: None)
    monkeypatch.setenv("PATH", str(project))
    assert [line.partition(";")[0] for line in found()] == [
        "git: no commit here, so results could name none",
        "dvc: not on the PATH",
    ]
    (project / ".dvc").rmdir()
    assert "dvc: no .dvc/ here" in found()[1]


def test_command_exits_with_2_and_names_what_is_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = argparse.Namespace(experiments=[], probe=False)
    assert status.run(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 to train: time and disk unknown")
    costs = {("camvid", method): Cost(0.0, 5.0, 2.0**60) for method in ("teacher", "student")}
    monkeypatch.setattr(forecast, "measured", lambda _: costs)
    assert status.run(arguments) == 2
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last[0].startswith("2 to train: about 70 s (scoring not counted), ")  # 8 + 6 steps
    assert last[1].startswith("missing here: disk: ")
    (project / FILES / "train.txt").unlink()
    assert status.run(arguments) == 2
    assert "missing here: data camvid: " in capsys.readouterr().out
