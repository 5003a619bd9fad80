"""A small project with a trained teacher and students, made once and copied for every test."""

import shutil
from pathlib import Path

import pytest
from small_project import make_project
from victim import start_victim

from segdistill.data.preparation import prepare
from segdistill.data.scenes import dataset

DATASET = "scenes_camvid"
METHODS = ("student", "pcd")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn dataset with as few images as the experiment reads."""
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "COUNTS", {"train": 16, "val": 4, "test": 4})
        prepare(DATASET, folder, folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Path:
    """A project in which a teacher and METHODS are trained and published, seed 0."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        make_project(folder, "smoke", DATASET, METHODS, 0, drawn)
    for methods in (["teacher"], METHODS):
        process = start_victim(folder, "smoke", DATASET, 0, methods)
        process.join()
        assert process.exitcode == 0, (folder / "output.txt").read_text()
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project, which is the working directory."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder
