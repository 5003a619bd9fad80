import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from results_tree import PROFILE, make_tree
from segdistill.settings.grid import grid_of

from segdistill.commands import doctor
from segdistill.diagnosis import Finding, examine, report_lines
from segdistill.diagnosis.inputs import backbone_finding, data_finding, input_findings
from segdistill.diagnosis.machine import (
    GIBIBYTE,
    amount_finding,
    device_finding,
    dvc_finding,
    git_finding,
    memory,
)
from segdistill.diagnosis.software import package_findings, python_finding
from segdistill.settings.loading import read_profile

GET = "segdistill data camvid --from download, or export CAMVID_ROOT=FOLDER (docs/datasets.md)"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose profile reads CamVid, six images a split, from data/camvid."""
    make_tree(tmp_path, ("camvid",), ("student",), (0,), finished=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    monkeypatch.delenv("BACKBONE_ROOT", raising=False)
    return tmp_path


def _change_profile(project: Path, part: str, **changes: object) -> None:
    path = project / "experiments" / "profiles" / f"{PROFILE}.yaml"
    profile = json.loads(path.read_text())
    profile[part].update(changes)
    path.write_text(json.dumps(profile))


def _data(dataset: str = "camvid") -> Finding:
    return data_finding(dataset, read_profile(PROFILE))


def test_python_must_be_of_the_projects_versions() -> None:
    assert python_finding("3.11.7", ">=3.11,<3.13") == Finding("python", "ok", "3.11.7")
    found = python_finding("3.13.0", ">=3.11,<3.13")
    assert (found.health, found.found) == ("missing", "3.13.0, not >=3.11,<3.13")


def test_packages_are_held_against_their_requirements() -> None:
    numpy = np.__version__
    asked = ["numpy>=1", "numpy<1", "no-such-package==1", 'no-such-extra; extra == "test"']
    assert list(package_findings(asked)) == [
        Finding("numpy", "missing", f"{numpy}, not <1", "pip install -e '.[test]'"),
        Finding("no-such-package", "missing", "not installed", "pip install -e '.[test]'"),
        Finding("packages", "ok", f"numpy {numpy}"),
    ]


def test_a_local_build_of_the_right_version_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdistill.diagnosis.software.version", lambda _: "2.13.0+cpu")
    (found,) = package_findings(["torch==2.13.0"])
    assert found == Finding("packages", "ok", "torch 2.13.0+cpu")


@pytest.mark.usefixtures("project")
def test_data_that_are_there_are_counted() -> None:
    counted = "data/camvid (root of the profile): 6 train, 6 val, 6 test"
    assert _data() == Finding(
        "data camvid", "ok", f"{counted}; no manifest yet, `dvc repro` writes it"
    )


def test_data_come_from_the_environment_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _change_profile(project, "data", camvid={"crop": [64, 64]})
    found = _data()
    assert (found.health, found.mend) == ("missing", GET)
    assert "environment variable CAMVID_ROOT" in found.found
    monkeypatch.setenv("CAMVID_ROOT", str(project / "nowhere"))
    found = _data()
    assert (found.health, found.mend) == ("missing", GET)
    assert "nowhere: no such folder of dataset camvid" in found.found
    monkeypatch.setenv("CAMVID_ROOT", "data/camvid")
    assert _data().found.startswith("data/camvid (CAMVID_ROOT): 6 train")


def test_a_missing_image_and_other_counts_than_prepared_are_found(project: Path) -> None:
    manifest = {"schema": 1, "dataset": "camvid", "synthetic": False, "subset": True,
                "splits": {}, "files": {}, "duplicates": []}  # fmt: skip
    (project / "data" / "camvid" / "MANIFEST.json").write_text(json.dumps(manifest))
    found = _data()
    assert found.health == "missing"
    assert found.found.endswith("data/camvid/MANIFEST.json holds other counts")
    assert found.mend == "segdistill data camvid --verify"
    (project / "data" / "camvid" / "val" / "0003.png").unlink()
    assert "0003.png is missing" in _data().found


@pytest.mark.usefixtures("project")
def test_unknown_and_unlisted_datasets() -> None:
    found = _data("camvidd")
    assert (found.health, found.mend) == ("missing", "mend the grid in params.yaml")
    assert "did you mean 'camvid'" in found.found
    assert "the profile has no block data.voc" in _data("voc").found


def test_drawn_data_are_no_obstacle_before_they_are_drawn(project: Path) -> None:
    _change_profile(project, "data", scenes_voc={"crop": [64, 64]})
    assert _data("scenes_voc").found == "not drawn yet; `dvc repro` draws it"
    assert _data("scenes_voc").health == "ok"


def test_backbone_is_looked_for_where_the_variable_says(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = backbone_finding("mobilenet_v2_imagenet")
    assert (found.health, found.mend) == (
        "missing",
        "segdistill backbone mobilenet_v2_imagenet",
    )
    assert found.found == "data/backbones/mobilenet_v2_imagenet.safetensors: no such file"
    (project / "here").mkdir()
    (project / "here" / "mobilenet_v2_imagenet.safetensors").touch()
    monkeypatch.setenv("BACKBONE_ROOT", "here")
    assert backbone_finding("mobilenet_v2_imagenet").health == "ok"


def test_everything_the_profile_reads_is_looked_at(project: Path) -> None:
    pretrained = {"backbone": "mobilenet_v2", "pretrained": "mobilenet_v2_imagenet"}
    _change_profile(project, "networks", teacher={"decoder": "fcn", **pretrained})
    _change_profile(project, "teacher", source="teacher.safetensors")
    found = list(input_findings(grid_of(), read_profile(PROFILE)))
    assert [(f.subject, f.health) for f in found] == [
        ("data camvid", "ok"),
        ("backbone mobilenet_v2_imagenet", "missing"),
        ("teacher camvid", "missing"),
    ]
    assert found[-1].found == "teacher.safetensors: no such file"


def test_amounts_are_noted_when_small() -> None:
    enough, little = (
        amount_finding("disk", amount * GIBIBYTE, 2 * GIBIBYTE, "m") for amount in (2, 1)
    )
    assert enough == Finding("disk", "ok", "2.0 GiB")
    assert little == Finding("disk", "note", "1.0 GiB", "m")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/meminfo is Linux's")
def test_memory_is_the_machines() -> None:
    first = Path("/proc/meminfo").read_text().splitlines()[0].split()
    assert memory() == pytest.approx(int(first[1]) * 1024, rel=0.01)


def test_git_names_the_commit_or_what_keeps_it_from_being_named(project: Path) -> None:
    assert git_finding().found == "no commit"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    (project / "file").write_text("1")
    for command in (["init", "-q"], ["add", "file"], ["commit", "-qm", "m"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert git_finding() == Finding("git", "ok", head.stdout.strip())
    (project / "file").write_text("2")
    assert git_finding().found == f"{head.stdout.strip()}, with changed files"


def test_torch_that_does_not_import_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = device_finding()
    assert (found.subject, found.health) == ("torch", "missing")


def test_dvc_needs_its_folder_and_program(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dvc_finding().found == "no .dvc/ or dvc.yaml here"
    (project / ".dvc").mkdir()
    (project / "dvc.yaml").touch()
    program = project / "dvc"
    program.write_text("#!/bin/sh\necho 3.67.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(project))
    assert dvc_finding() == Finding("dvc", "ok", "3.67.1, nothing run yet")
    program.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    assert dvc_finding().found == "does not start (broken)"
    program.unlink()
    assert dvc_finding().found == "not on the PATH"


def test_command_exits_with_2_and_names_what_is_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = [Finding("all", "ok", "fine")]
    monkeypatch.setattr("segdistill.diagnosis.report.software_findings", lambda: fine)
    monkeypatch.setattr("segdistill.diagnosis.report.machine_findings", list)
    arguments = argparse.Namespace(profile=None)
    assert doctor.run(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "ready to run"
    (project / "data" / "camvid" / "train.txt").unlink()
    assert doctor.run(arguments) == 2
    assert capsys.readouterr().out.splitlines()[-1] == "cannot run: data camvid"
    assert doctor.run(argparse.Namespace(profile="demmo")) == 2
    out = capsys.readouterr().out
    assert "did you mean 'demo'" in out
    assert out.endswith("cannot run: profile\n")


def test_report_puts_the_mend_below_the_finding() -> None:
    findings = [Finding("disk", "note", "1.0 GiB", "free some"), Finding("python", "ok", "3.11")]
    assert list(report_lines(findings)) == [
        "note     disk    1.0 GiB",
        "                 mend: free some",
        "ok       python  3.11",
        "ready to run",
    ]


@pytest.mark.usefixtures("project")
def test_all_parts_are_examined() -> None:
    subjects = [finding.subject for finding in examine(None)]
    assert subjects[0] == "python"
    assert {"device", "memory", "disk", "git", "dvc", "profile", "data camvid"} <= set(subjects)
