"""Switching the active profile."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline.profiles import use_profile
from segdistill.settings.loading import read_params, read_profile

ROOT = Path(__file__).resolve().parents[2]
PARAMS = """\
# The grid.
profile: camvid
datasets: [scenes_voc]
methods: [student]  # more to come
seeds: [0, 1, 2, 3, 4, 5, 6]
statistics:
  resamples: 123  # few
"""


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "experiments/profiles", tmp_path / "experiments/profiles")
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS)
    return path


@pytest.mark.parametrize("name", ["scenes", "smoke"])
def test_use_copies_the_grid_and_nothing_else(params: Path, name: str) -> None:
    use_profile(name)
    found, grid = read_params(), read_profile(name).grid
    assert found.profile == name
    assert (found.datasets, found.methods, found.seeds) == (grid.datasets, grid.methods, grid.seeds)
    assert found.statistics.resamples == 123
    text = params.read_text()
    assert text.startswith("# The grid.\n")
    assert "# few" in text


def test_use_is_its_own_inverse(params: Path) -> None:
    use_profile("scenes")
    once = params.read_text()
    use_profile("smoke")
    use_profile("scenes")
    assert params.read_text() == once


def test_the_active_profile_keeps_the_lists_that_were_extended(params: Path) -> None:
    use_profile("smoke")
    yaml = YAML()
    document = yaml.load(params)
    document["seeds"].append(7)
    yaml.dump(document, params)
    extended = params.read_text()
    assert use_profile("smoke") == ["seeds"]
    assert params.read_text() == extended
    assert use_profile("smoke", reset=True) == []
    assert read_params().seeds == read_profile("smoke").grid.seeds


def test_a_profile_named_by_hand_alone_is_not_the_active_one(params: Path) -> None:
    use_profile("scenes")
    Path("dvc.lock").write_text(
        "stages:\n  compare@scenes:\n    cmd: python experiments/compare.py --profile scenes\n"
    )
    params.write_text(params.read_text().replace("profile: scenes", "profile: smoke"))
    assert use_profile("smoke") == []
    assert read_params().datasets == read_profile("smoke").grid.datasets


def test_using_what_is_not_there_changes_nothing(params: Path) -> None:
    with pytest.raises(SuiteError, match=r"scene\.yaml: no such profile; did you mean 'scenes'"):
        use_profile("scene")
    assert params.read_text() == PARAMS
    params.write_text("profile: smoke\nseeds: [0]\n")
    with pytest.raises(SuiteError, match=r"params\.yaml: datasets: Field required"):
        use_profile("scenes")


def test_a_method_that_dvc_could_not_find_is_refused(params: Path) -> None:
    profile = Path("experiments/profiles/smoke.yaml")
    text = profile.read_text().replace("methods: [", "methods: [kd0.1, ")
    profile.write_text(text.replace("methods:\n", "methods:\n  kd0.1: {method: kd}\n"))
    with pytest.raises(SuiteError, match=r"profile smoke: method kd0\.1: DVC reads no dot"):
        use_profile("smoke")
    assert params.read_text() == PARAMS


@pytest.mark.usefixtures("params")
@pytest.mark.parametrize("profile", sorted((ROOT / "experiments/profiles").glob("*.yaml")))
def test_dvc_finds_the_methods_of_every_profile(profile: Path) -> None:
    use_profile(profile.stem)
    assert read_params().profile == profile.stem
