import argparse
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_tree import Tree
from submission_cases import DATA, make_submission, reseal

from segdistill.check.differences import differences
from segdistill.check.submission import check_submission
from segdistill.commands import submit_check
from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Counts
from segdistill.evaluation.scores import scores


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_submission(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A fresh copy to break, in the current folder."""
    root = tmp_path / "project"
    shutil.copytree(whole.root, root)
    monkeypatch.chdir(root)
    return replace(whole, root=root)


def _run(tree: Tree, method: str = "kd", seed: int = 0) -> Path:
    return tree.run(DATA, method, seed) / "run.json"


def _scores(tree: Tree) -> Path:
    return tree.evaluation(DATA, "kd", 0) / "scores.json"


def _change_run(tree: Tree, method: str = "kd", seed: int = 0, **changes: object) -> None:
    """A change by someone who knows how fingerprints are made."""
    tree.change(_run(tree, method, seed), **changes)
    reseal(_run(tree, method, seed))


def _change_areas(tree: Tree, change: Callable[[Areas], Areas], rescore: bool = False) -> None:
    folder = tree.evaluation(DATA, "kd", 0)
    areas = change(Areas.load(folder / "areas.npz"))
    areas.save(folder / "areas.npz")
    if rescore:
        classes = json.loads(_scores(tree).read_text())["classes"]
        tree.change(_scores(tree), **scores(areas, None, classes))


def _one_pixel_more(areas: Areas) -> Areas:
    """One more pixel of the sky is right in the first image."""
    more = np.zeros_like(areas.intersection)
    more[0, 0] = 1
    pixels = areas.pixels
    return replace(
        areas, pixels=Counts(pixels.intersection + more, pixels.prediction, pixels.label)
    )


def _wide_band(areas: Areas) -> Areas:
    """The band at a contour holds more of the first image's sky than the image does."""
    label = areas.boundary.label.copy()
    label[0, 0, 0] = areas.label[0, 0] + 1
    boundary = areas.boundary
    return replace(areas, boundary=Counts(boundary.intersection, boundary.prediction, label))


def _other_truth(areas: Areas) -> Areas:
    """The second image's labels lose a pixel of sky that was wrong."""
    more = np.zeros_like(areas.label)
    more[1, 0] = -1
    pixels = areas.pixels
    return replace(
        areas, pixels=Counts(pixels.intersection, pixels.prediction, pixels.label + more)
    )


def _swap_seeds(tree: Tree) -> None:
    for folder in (tree.run(DATA, "kd", 0), tree.evaluation(DATA, "kd", 0)):
        other, spare = folder.with_name("seed1"), folder.with_name("spare")
        folder.rename(spare)
        other.rename(folder)
        spare.rename(other)


def _swap_seeds_and_relabel(tree: Tree) -> None:
    _swap_seeds(tree)
    for seed in (0, 1):
        config = {**json.loads(_run(tree, "kd", seed).read_text())["config"], "seed": seed}
        tree.change(_run(tree, "kd", seed), seed=seed, config=config)
        reseal(_run(tree, "kd", seed))
        tree.change(tree.evaluation(DATA, "kd", seed) / "scores.json", seed=seed)


def _copy_seed(tree: Tree) -> None:
    """Seed 1 is seed 0 with the other seed's name on it."""
    weights = json.loads(_run(tree).read_text())["weights_sha256"]
    _change_run(tree, "kd", 1, weights_sha256=weights)
    tree.change(tree.evaluation(DATA, "kd", 1) / "scores.json", weights_sha256=weights)


def _other_recipe(tree: Tree) -> None:
    config = json.loads(_run(tree).read_text())["config"]
    _change_run(tree, config={**config, "training": {"steps": 600}})


def _confusion(tree: Tree) -> None:
    path = tree.evaluation(DATA, "kd", 0) / "confusion.npy"
    matrix = np.load(path)
    matrix[0, 0] += 1
    np.save(path, matrix)


def _cut_log(tree: Tree) -> None:
    path = tree.run(DATA, "kd", 0) / "log.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def _other_weights(tree: Tree) -> None:
    (tree.run(DATA, "kd", 0) / "weights.safetensors").write_bytes(b"other")


BREAKAGES: dict[str, tuple[Callable[[Tree], object], str]] = {
    "area": (
        lambda t: _change_areas(t, _one_pixel_more),
        "confusion matrix and areas differ in intersection",
    ),
    "discriminability": (
        lambda t: t.change(t.evaluation(DATA, "kd", 0) / "scores.json", discriminability=-1.0),
        "camvid/kd/seed0: scores.json: discriminability is no ratio of variances",
    ),
    "wide band": (
        lambda t: _change_areas(t, _wide_band, rescore=True),
        "areas.npz has more label pixels near contours than on the whole image",
    ),
    "area of a truth": (
        lambda t: _change_areas(t, _other_truth, rescore=True),
        "camvid: camvid/kd/seed0/areas.npz: other images or labels than camvid/teacher",
    ),
    "confusion": (_confusion, "confusion matrix and areas differ"),
    "score": (lambda t: t.change(_scores(t), pixel_accuracy=0.5), "scores.json: pixel_accuracy: 0"),
    "class score": (lambda t: t.change(_scores(t), iou={}), "scores.json: iou.sky: missing"),
    "image count": (lambda t: t.change(_scores(t), images=7), "images is 7, areas.npz holds 6"),
    "other split": (lambda t: t.change(_scores(t), split="val"), "another split than"),
    "class names": (
        lambda t: t.change(_scores(t), classes=[f"class {i}" for i in range(11)]),
        "classes are not those of camvid",
    ),
    "called synthetic": (lambda t: t.change(_scores(t), synthetic=True), "synthetic is not False"),
    "no scores": (lambda t: _scores(t).unlink(), "evals/camvid/kd/seed0/scores.json: cannot read"),
    "unknown key": (lambda t: t.change(_scores(t), best=1), "evals/camvid/kd/seed0/scores.json"),
    "swapped seeds": (_swap_seeds, "run.json: seed is '1' but its folder says '0'"),
    "swapped and relabelled seeds": (
        _swap_seeds_and_relabel,
        "kd/seed0/run.json: initial_weights_sha256 is not that of the other cells",
    ),
    "copied seed": (_copy_seed, "kd: several seeds have the same weights_sha256"),
    "missing seed": (
        lambda t: shutil.rmtree(t.run(DATA, "kd", 1)),
        "runs/camvid/kd/seed1/run.json: cannot read",
    ),
    "other order": (
        lambda t: _change_run(t, order_sha256="0" * 64),
        "camvid/kd/seed0/run.json: order_sha256 is not that of the other cells",
    ),
    "other data": (
        lambda t: _change_run(t, manifest_sha256="0" * 64),
        "camvid/kd/seed0/run.json: manifest_sha256 is not that of the other cells",
    ),
    "other teacher": (
        lambda t: _change_run(t, teacher_sha256="0" * 64),
        "camvid/kd/seed0/run.json: teacher_sha256 is not that of the other cells",
    ),
    "teacher replaced": (
        lambda t: _change_run(t, "teacher", weights_sha256="0" * 64),
        "6 students name another teacher",
    ),
    "longer schedule": (_other_recipe, "config.training is not that of the other cells"),
    "edited setting": (
        lambda t: t.change(_run(t), code_digest="0" * 64),
        "fingerprint does not follow from config, code, data and teacher",
    ),
    "other weights": (_other_weights, "weights.safetensors: its sha256 is not that of run.json"),
    "no commit": (lambda t: t.change(_run(t), git_commit=None), "git_commit names no commit"),
    "no environment": (
        lambda t: t.change(_run(t), environment={"python": "3.11"}),
        "environment lacks platform, processor, cores, threads, device, packages",
    ),
    "no hash": (lambda t: t.change(_run(t), code_digest="abc"), "code_digest is no sha256"),
    "cut log": (_cut_log, "kd/seed0: log.jsonl: does not end at the last step, 59"),
    "no student": (
        lambda t: (
            shutil.rmtree(t.folder / "runs" / DATA / "student")
            or shutil.rmtree(t.folder / "evals" / DATA / "student")
        ),
        "method 'student' is missing",
    ),
    "no teacher": (
        lambda t: (
            shutil.rmtree(t.run(DATA, "teacher")) or shutil.rmtree(t.evaluation(DATA, "teacher"))
        ),
        "camvid: the teacher is missing",
    ),
    "seed's folder misnamed": (
        lambda t: t.run(DATA, "kd", 0).rename(t.run(DATA, "kd", 0).with_name("best")),
        "runs/camvid/kd/best: not named seedN",
    ),
    "pickled confusion": (
        lambda t: np.save(
            t.evaluation(DATA, "kd", 0) / "confusion.npy", np.array([{}]), allow_pickle=True
        ),
        "evals/camvid/kd/seed0/confusion.npy: not a confusion matrix",
    ),
}


def test_a_whole_folder_has_no_violation(tree: Tree) -> None:
    verdict = check_submission(tree.folder)
    assert verdict.violations == ()
    assert verdict.cells == 7
    assert verdict.remarks == (
        "7 of 7 cells without weights here, whose sha256 was not checked",
        "2 seeds; a claim needs 5",
    )


@pytest.mark.parametrize("name", BREAKAGES)
def test_every_broken_rule_is_named(tree: Tree, name: str) -> None:
    breaking, message = BREAKAGES[name]
    breaking(tree)
    violations = check_submission(tree.folder).violations
    assert any(message in violation for violation in violations), violations


def test_fitting_scores_and_confusion_do_not_hide_an_area_of_other_weights(tree: Tree) -> None:
    """The folder is consistent once areas, scores and confusion are changed together."""
    _change_areas(tree, _one_pixel_more, rescore=True)
    _confusion(tree)
    (violation,) = [v for v in check_submission(tree.folder).violations if "confusion" in v]
    assert "differ in prediction" in violation or "differ in label" in violation


def test_archive_that_would_fill_the_memory_is_refused(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segdistill.check.folder.MAX_UNPACKED", 1000)
    assert any("areas.npz: unpacks to" in v for v in check_submission(tree.folder).violations)


def test_empty_and_absent_folders(tmp_path: Path) -> None:
    assert check_submission(tmp_path).violations == ("no complete cell was found",)
    with pytest.raises(SuiteError, match="no such folder; name a folder results/PROFILE"):
        check_submission(tmp_path / "absent")


def test_command_exits_with_2_and_lists_every_violation(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = argparse.Namespace(folder=Path("results/demo"))
    assert submit_check.run(arguments) == 0
    assert capsys.readouterr().out.endswith("results/demo: 7 cells, 0 violations\n")
    _cut_log(tree)
    _change_run(tree, "pcd", 1, git_commit=None)
    assert submit_check.run(arguments) == 2
    assert capsys.readouterr().out.splitlines()[:2] == [
        "violation: camvid/kd/seed0: log.jsonl: does not end at the last step, 59",
        "violation: camvid/pcd/seed1: run.json: git_commit names no commit",
    ]


def test_differences_name_the_leaf_and_forgive_rounding() -> None:
    expected = {"a": 0.5, "b": [1, {"c": None}], "d": "x"}
    assert list(differences({"a": 0.5 + 9e-10, "b": [1, {"c": None}], "d": "x"}, expected)) == []
    assert list(differences({"a": 0.5 + 2e-9, "b": [1, {"c": 0}], "e": 1}, expected)) == [
        "a: 0.500000002, expected 0.5",
        "b[1].c: 0, expected None",
        "d: missing",
        "e: not expected",
    ]
    assert list(differences({"a": math.nan}, {"a": 0.5})) == ["a: nan, expected 0.5"]
    assert list(differences([1], [1, 2], "n")) == ["n: 1 entries, expected 2 entries"]
    assert list(differences(True, 1, "n")) == ["n: True, expected 1"]
