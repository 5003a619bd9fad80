"""compare.py on what real runs leave behind: nothing, half of it, or garbage."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from results_tree import EXPERIMENT, Tree, make_tree

from segdistill.errors import SuiteError
from segdistill.report.compare import Report, build_report
from segdistill.report.comparison import compare_methods
from segdistill.report.matrix import Found, collect
from segdistill.report.pictures import pictures
from segdistill.report.tables.headline import headline_table

ROOT = Path(__file__).resolve().parents[2]
DATA = "camvid"
METHODS = ("student", "kd")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("whole"), (DATA,), METHODS, (0, 1))


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A fresh copy to break, in the current folder."""
    shutil.copytree(whole.root, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Tree(tmp_path / "project", whole.datasets, whole.methods, whole.seeds)


def _build() -> Report:
    return build_report(None, Path("results"))


def _cells(tree: Tree) -> list[Found]:
    return collect(tree.experiment(), tree.folder).unfinished()


def _compare(tree: Tree, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "experiments" / "compare.py"), *options]
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)


def test_nothing_has_run_yet(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, (DATA,), METHODS, (0, 1), finished=False)
    done = _compare(tree)
    assert done.returncode == 2
    assert "0 of 5 cells finished" in done.stdout
    assert done.stderr == ""
    assert _compare(tree, "--partial").returncode == 0
    page = (tree.folder / "report.html").read_text()
    assert "No cell is finished" in page
    assert "dvc repro evaluate@camvid-kd-1" in page
    assert "dvc repro evaluate_teacher@camvid" in page
    assert json.loads((tree.folder / "summary.json").read_text())["cells"]["missing"] == 5
    assert all((tree.folder / name).is_dir() for name in ("tables", "plots", "pictures"))


def test_a_method_without_results_is_shown_as_missing(tree: Tree) -> None:
    shutil.rmtree(tree.folder / "runs" / DATA / "kd")
    report = _build()
    assert report.status == 2
    (headline,) = report.headlines
    assert [(e.text, e.mark) for e in headline.rows[-1][1:3]] == [
        ("missing", "missing"),
        ("0 of 2", "missing"),
    ]
    assert len([note for note in headline.notes if note.startswith("missing: camvid/kd/seed")]) == 2


def test_a_missing_seed_is_counted_and_pairs_the_rest(tree: Tree) -> None:
    (tree.evaluation(DATA, "kd", 1) / "scores.json").unlink()
    (headline,) = _build().headlines
    kd = headline.rows[-1]
    assert kd[2].text == "1 of 2"
    assert kd[3].text.endswith("(images only)")
    assert kd[4].text == "–"
    assert headline.values[-1]["gain_n"] == 1


def test_without_the_student_there_is_no_gain(tree: Tree) -> None:
    shutil.rmtree(tree.folder / "runs" / DATA / "student")
    (headline,) = _build().headlines
    assert [entry.text for entry in headline.rows[-1][3:]] == ["–", "–"]


def test_one_seed_makes_no_claim_but_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tmp_path, (DATA,), METHODS, (7,))
    monkeypatch.chdir(tmp_path)
    report = _build()
    assert report.status == 0
    (headline,) = report.headlines
    assert any("No claim can be made from these rows" in note for note in headline.notes)
    assert not any(entry.mark for row in headline.rows for entry in row if entry.text != "–")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _score(tree: Tree, **changes: object) -> None:
    tree.change(tree.evaluation(DATA, "kd", 0) / "scores.json", **changes)


def _areas_of_other_weights(tree: Tree) -> None:
    source = tree.evaluation(DATA, "student", 0) / "areas.npz"
    shutil.copy(source, tree.evaluation(DATA, "kd", 0) / "areas.npz")


BREAKAGES: dict[str, tuple[Callable[[Tree], object], str]] = {
    "run.json is cut off": (
        lambda t: _write(t.run(DATA, "kd", 0) / "run.json", b'{"schema": 1, "ki'),
        "runs/camvid/kd/seed0/run.json",
    ),
    "run.json is binary": (
        lambda t: _write(t.run(DATA, "kd", 0) / "run.json", bytes(range(256))),
        "runs/camvid/kd/seed0/run.json",
    ),
    "scores.json is empty": (
        lambda t: _write(t.evaluation(DATA, "kd", 0) / "scores.json", b""),
        "evals/camvid/kd/seed0/scores.json",
    ),
    "scores.json is a list": (
        lambda t: _write(t.evaluation(DATA, "kd", 0) / "scores.json", b"[]"),
        "evals/camvid/kd/seed0/scores.json",
    ),
    "mIoU is NaN": (lambda t: _score(t, miou=math.nan), "miou is not a number"),
    "a class is infinite": (lambda t: _score(t, iou={"road": math.inf}), "iou/road is not a num"),
    "mIoU is undefined": (lambda t: _score(t, miou=None), "miou is undefined"),
    "mIoU was edited": (lambda t: _score(t, miou=0.99), "does not follow from areas.npz"),
    "other weights": (lambda t: _score(t, weights_sha256="0" * 64), "scores other weights"),
    "another seed's record": (lambda t: _score(t, seed=1), "not of the folder it lies in"),
    "another method's areas": (_areas_of_other_weights, "does not follow from areas.npz"),
    "areas.npz is cut off": (
        lambda t: _write(t.evaluation(DATA, "kd", 0) / "areas.npz", b"PK\x03\x04"),
        "evals/camvid/kd/seed0/areas.npz",
    ),
    "areas.npz is missing": (
        lambda t: (t.evaluation(DATA, "kd", 0) / "areas.npz").unlink(),
        "evals/camvid/kd/seed0/areas.npz",
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_cell_fails_alone_and_says_why(tree: Tree, name: str) -> None:
    breakage, reason = BREAKAGES[name]
    breakage(tree)
    (cell,) = _cells(tree)
    assert (cell.cell.name, cell.state) == ("camvid/kd/seed0", "failed")
    assert reason in cell.reason
    assert str(tree.root) not in cell.reason


def test_a_failed_cell_is_shown_with_its_reason(tree: Tree) -> None:
    _score(tree, miou=math.nan)
    done = _compare(tree, "--partial")
    assert done.returncode == 0, done.stderr
    reason = "evals/camvid/kd/seed0/scores.json: miou is not a number"
    assert f"failed: camvid/kd/seed0 {reason}" in done.stdout
    assert f"failed: {reason}" in (tree.folder / "report.html").read_text()
    summary = json.loads((tree.folder / "summary.json").read_text())
    assert summary["unfinished"][0]["reason"] == reason
    frame = pd.read_csv(tree.folder / "tables" / "results.csv")
    assert sorted(frame[frame["method"] == "kd"]["seed"].unique()) == [1]


def test_cells_of_other_data_or_order_are_warned_of(tree: Tree) -> None:
    tree.change(tree.run(DATA, "kd", 0) / "run.json", manifest_sha256="1" * 64)
    tree.change(tree.run(DATA, "kd", 1) / "run.json", order_sha256="1" * 64)
    warnings = _comparison(tree)
    assert any("different data manifests" in warning for warning in warnings)
    assert any("at seed 1 the methods began from different" in warning for warning in warnings)


def test_other_test_images_leave_no_gain(tree: Tree) -> None:
    for seed in (0, 1):
        path = tree.evaluation(DATA, "kd", seed) / "areas.npz"
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        arrays["names"] = np.array([f"other{name}" for name in arrays["names"]])
        np.savez_compressed(path, allow_pickle=False, **arrays)
    warnings = _comparison(tree)
    assert any("kd has no gain" in warning for warning in warnings)


def _comparison(tree: Tree) -> tuple[str, ...]:
    comparison = compare_methods(collect(tree.experiment(), tree.folder), DATA, [])
    notes = headline_table(comparison).notes
    assert set(comparison.warnings) <= set(notes)
    return comparison.warnings


def test_broken_logs_and_missing_data_are_named_but_stop_nothing(tree: Tree) -> None:
    (tree.run(DATA, "kd", 0) / "log.jsonl").write_text("{")
    (tree.run(DATA, "kd", 1) / "log.jsonl").unlink()
    shutil.rmtree(tree.root / "data")
    report = _build()
    assert report.status == 0
    text = "\n".join(report.problems)
    assert "camvid/kd/seed0: log.jsonl:1: not a line of a training log" in text
    assert "camvid/kd/seed1: log.jsonl: cannot read the log" in text
    assert "camvid: no pictures (data set camvid: not installed" in text
    assert str(tree.root) not in text


@pytest.mark.parametrize("fault", ["not a picture", "other size", "other class"])
def test_a_wrong_picture_is_named(tree: Tree, fault: str) -> None:
    path = tree.evaluation(DATA, "kd", 0) / "pictures" / "0000.png"
    if fault == "not a picture":
        path.write_bytes(b"x")
    else:
        shape = (8, 8) if fault == "other size" else (48, 64)
        Image.fromarray(np.full(shape, 99 if fault == "other class" else 0, np.uint8)).save(path)
    shown, problems = pictures(collect(tree.experiment(), tree.folder), DATA)
    assert not shown
    assert "0000.png" in problems[0]


def test_mistakes_of_the_user_end_in_one_line(tree: Tree) -> None:
    done = _compare(tree, "demmo")
    assert done.returncode == 2
    assert "did you mean 'demo'?" in done.stderr
    assert "Traceback" not in done.stderr
    (tree.root / "params.yaml").unlink()
    done = _compare(tree)
    assert done.returncode == 2
    assert done.stderr == "error: params.yaml: cannot read (No such file or directory)\n"


def test_another_experiment_has_its_own_settings_and_stages(tree: Tree) -> None:
    own = tree.root / "experiments" / EXPERIMENT
    own.mkdir(parents=True)
    shutil.copy(tree.root / "params.yaml", own)
    (own / "dvc.yaml").touch()
    tree.change(tree.root / "params.yaml", experiment="default", seeds=[5])
    (tree.evaluation(DATA, "kd", 1) / "scores.json").unlink()
    report = build_report(EXPERIMENT, Path("results"))
    assert report.folder == Path("results") / EXPERIMENT
    (lacking,) = report.matrix.unfinished()
    command = report.matrix.command(lacking.cell)
    assert command == "dvc repro experiments/demo/dvc.yaml:evaluate@camvid-kd-1"


def test_an_unknown_dataset_is_an_error(tree: Tree) -> None:
    tree.change(tree.root / "params.yaml", datasets=["camvit"])
    with pytest.raises(SuiteError, match="did you mean 'camvid'"):
        _build()


def test_help_names_the_defaults() -> None:
    command = [sys.executable, str(ROOT / "experiments" / "compare.py"), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "(default: results)" in " ".join(text.split())
    assert "(default: False)" in " ".join(text.split())
