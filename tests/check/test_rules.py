"""`segdistill check` names every rule that a results folder breaks, on a folder of noise."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import refusal, segdistill
from published_tree import DATA, faults, make_published, refingerprint
from results_tree import Tree

from segdistill.check.differences import differences
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Counts
from segdistill.evaluation.scores import scores


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_published(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A fresh copy to break, in the current folder."""
    root = tmp_path / "project"
    shutil.copytree(whole.root, root)
    monkeypatch.chdir(root)
    return replace(whole, root=root)


def _run(tree: Tree, method: str = "kd", seed: int = 0) -> Path:
    return tree.run(DATA, method, seed) / "run.json"


def _scores(tree: Tree, seed: int = 0) -> Path:
    return tree.evaluation(DATA, "kd", seed) / "scores.json"


def _change_run(tree: Tree, method: str = "kd", seed: int = 0, **changes: object) -> None:
    """A change by someone who knows how fingerprints are made."""
    tree.change(_run(tree, method, seed), **changes)
    refingerprint(_run(tree, method, seed))


def _change_areas(tree: Tree, change: Callable[[Counts], Counts], rescore: bool = False) -> None:
    path = _scores(tree).with_name("areas.npz")
    areas = Areas.load(path)
    areas = replace(areas, pixels=change(areas.pixels))
    areas.save(path)
    if rescore:
        classes = json.loads(_scores(tree).read_text())["classes"]
        tree.change(_scores(tree), **scores(areas, None, classes))


def _one_pixel_more(pixels: Counts) -> Counts:
    """One more pixel of the sky is right in the first image."""
    more = np.zeros_like(pixels.intersection)
    more[0, 0] = 1
    return replace(pixels, intersection=pixels.intersection + more)


def _other_truth(pixels: Counts) -> Counts:
    """The second image's labels lose a pixel of sky that was wrong."""
    more = np.zeros_like(pixels.label)
    more[1, 0] = -1
    return replace(pixels, label=pixels.label + more)


def _copy_run(tree: Tree) -> None:
    """One cell's files in another cell's folders."""
    for place in (tree.run, tree.evaluation):
        shutil.rmtree(place(DATA, "pcd", 0))
        shutil.copytree(place(DATA, "kd", 0), place(DATA, "pcd", 0))


def _copy_seed(tree: Tree) -> None:
    """Seed 1 is seed 0 with the other seed's name on it."""
    weights = json.loads(_run(tree).read_text())["weights_sha256"]
    _change_run(tree, "kd", 1, weights_sha256=weights)
    tree.change(_scores(tree, 1), weights_sha256=weights)


def _swap_seeds_and_relabel(tree: Tree) -> None:
    for folder in (tree.run(DATA, "kd", 0), tree.evaluation(DATA, "kd", 0)):
        other, spare = folder.with_name("seed1"), folder.with_name("spare")
        folder.rename(spare)
        other.rename(folder)
        spare.rename(other)
    for seed in (0, 1):
        config = {**json.loads(_run(tree, "kd", seed).read_text())["config"], "seed": seed}
        tree.change(_run(tree, "kd", seed), seed=seed, config=config)
        refingerprint(_run(tree, "kd", seed))
        tree.change(_scores(tree, seed), seed=seed)


def _other_recipe(tree: Tree) -> None:
    config = json.loads(_run(tree).read_text())["config"]
    _change_run(tree, config={**config, "training": {"steps": 600}})


def _confusion(tree: Tree) -> None:
    path = _scores(tree).with_name("confusion.npy")
    matrix = np.load(path)
    matrix[0, 0] += 1
    np.save(path, matrix)


def _pickle(tree: Tree) -> None:
    np.save(_scores(tree).with_name("confusion.npy"), np.array([{}]), allow_pickle=True)


def _change_log(tree: Tree, change: Callable[[list[str]], list[str]]) -> None:
    path = tree.run(DATA, "kd", 0) / "log.jsonl"
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def _remove(tree: Tree, method: str) -> None:
    for folder in (tree.run(DATA, method, 0), tree.evaluation(DATA, method, 0)):
        shutil.rmtree(folder if method == "teacher" else folder.parent)


RUN, EVALUATION = "runs/camvid/kd/seed0", "evals/camvid/kd/seed0"
BREAKAGES: dict[str, tuple[Callable[[Tree], object], str]] = {
    "area": (
        lambda t: _change_areas(t, _one_pixel_more),
        f"{EVALUATION}/scores.json: confusion matrix and areas differ in intersection",
    ),
    "area of a truth": (
        lambda t: _change_areas(t, _other_truth, rescore=True),
        f"{EVALUATION}/areas.npz: other images or labels than results/demo/evals/camvid/teacher",
    ),
    "confusion": (_confusion, f"{EVALUATION}/scores.json: confusion matrix and areas differ"),
    "pickled confusion": (_pickle, f"{EVALUATION}/confusion.npy: not a confusion matrix"),
    "score": (
        lambda t: t.change(_scores(t), pixel_accuracy=0.5),
        f"{EVALUATION}/scores.json: pixel_accuracy: 0.5, expected",
    ),
    "class score": (lambda t: t.change(_scores(t), iou={}), "scores.json: iou.sky: missing"),
    "image count": (lambda t: t.change(_scores(t), images=7), "images is 7, areas.npz holds 6"),
    "other split": (lambda t: t.change(_scores(t), split="val"), "another split than"),
    "class names": (
        lambda t: t.change(_scores(t), classes=[f"class {i}" for i in range(11)]),
        "classes are not those of camvid",
    ),
    "called synthetic": (lambda t: t.change(_scores(t), synthetic=True), "synthetic is not False"),
    "no scores": (lambda t: _scores(t).unlink(), f"{EVALUATION}/scores.json: cannot read"),
    "unknown key": (lambda t: t.change(_scores(t), best=1), f"{EVALUATION}/scores.json: best"),
    "run of another cell": (
        _copy_run,
        "runs/camvid/pcd/seed0/run.json: is that of results/demo/runs/camvid/kd/seed0",
    ),
    "swapped and relabelled seeds": (
        _swap_seeds_and_relabel,
        f"{RUN}/run.json: initial_weights_sha256 is not that of the other cells",
    ),
    "copied seed": (_copy_seed, "runs/camvid/kd: several seeds have the same weights_sha256"),
    "missing seed": (
        lambda t: shutil.rmtree(t.run(DATA, "kd", 1)),
        "runs/camvid/kd: lacks seed 1",
    ),
    "folder misnamed": (
        lambda t: t.run(DATA, "kd", 0).rename(t.run(DATA, "kd", 0).with_name("best")),
        "evals/camvid/kd/best/scores.json: cannot read",
    ),
    "other order": (
        lambda t: _change_run(t, order_sha256="0" * 64),
        f"{RUN}/run.json: order_sha256 is not that of the other cells",
    ),
    "other data": (
        lambda t: _change_run(t, manifest_sha256="0" * 64),
        f"{RUN}/run.json: manifest_sha256 is not that of the other cells",
    ),
    "other teacher": (
        lambda t: _change_run(t, teacher_sha256="0" * 64),
        f"{RUN}/run.json: teacher_sha256 is not that of the other cells",
    ),
    "teacher replaced": (
        lambda t: _change_run(t, "teacher", weights_sha256="0" * 64),
        "teachers/camvid: 6 students name another teacher",
    ),
    "longer schedule": (_other_recipe, f"{RUN}/run.json: training is not that of the other cells"),
    "code digest": (
        lambda t: t.change(_run(t), code_digest="0" * 64),
        f"{RUN}/run.json: fingerprint does not follow from config, code, data and teacher",
    ),
    "other weights": (
        lambda t: (t.run(DATA, "kd", 0) / "weights.safetensors").write_bytes(b"other"),
        f"{RUN}/weights.safetensors: its sha256 is not that of run.json",
    ),
    "no commit": (lambda t: t.change(_run(t), git_commit=None), "git_commit names no commit"),
    "no environment": (
        lambda t: t.change(_run(t), environment={"python": "3.11"}),
        "environment lacks platform, processor, cores, threads, device, packages",
    ),
    "no hash": (lambda t: t.change(_run(t), code_digest="abc"), "code_digest is no sha256"),
    "cut log": (
        lambda t: _change_log(t, lambda lines: lines[:-1]),
        f"{RUN}/log.jsonl: its steps do not ascend to 59",
    ),
    "loss of NaN": (
        lambda t: _change_log(t, lambda lines: ['{"step": 0, "loss": NaN}\n', *lines[1:]]),
        f"{RUN}/log.jsonl: holds NaN or Inf",
    ),
    "no student": (lambda t: _remove(t, "student"), "runs/camvid/student: lacks seed 0, 1"),
    "no teacher": (lambda t: _remove(t, "teacher"), "the dataset's teacher is missing"),
}


@pytest.mark.usefixtures("tree")
def test_a_whole_folder_is_as_recorded() -> None:
    done = segdistill("check", "results/demo")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "note: results/demo: 7 of 7 cells not compared with this checkout: "
        "data/camvid/MANIFEST.json is not here",
        "note: results/demo: 7 of 7 cells without weights here",
        "note: results/demo: 2 seeds; a claim needs 5",
        "cells checked: 7; all as recorded",
    ]
    assert segdistill("check").out == done.out


@pytest.mark.parametrize("name", BREAKAGES)
def test_every_broken_rule_is_named(tree: Tree, name: str) -> None:
    breaking, message = BREAKAGES[name]
    breaking(tree)
    found = faults(tree.folder.relative_to(tree.root))
    assert any(message in fault for fault in found), found
    assert all(fault.startswith("results/demo/") for fault in found)


def test_fitting_scores_and_confusion_do_not_hide_an_area_of_other_weights(tree: Tree) -> None:
    """The folder is consistent once areas, scores and confusion are changed together."""
    _change_areas(tree, _one_pixel_more, rescore=True)
    _confusion(tree)
    (found,) = faults(tree.folder)
    assert found.endswith(("differ in prediction", "differ in label"))


def test_a_run_and_a_copy_elsewhere_are_checked_alone(tree: Tree) -> None:
    _change_log(tree, lambda lines: lines[:-1])
    done = segdistill("check", "results/demo/runs/camvid/kd/seed0", "results/demo/teachers/camvid")
    assert done.status == 1
    assert [line for line in done.out.splitlines() if not line.startswith("note")] == [
        f"{tree.run(DATA, 'kd', 0)}/log.jsonl: its steps do not ascend to 59",
        "cells checked: 2; differences: 1",
    ]
    copy = shutil.copytree(tree.folder, tree.root / "theirs" / "demo")
    (found,) = faults(copy)
    assert found.startswith(f"{copy}/runs/camvid/kd/seed0/log.jsonl")


def test_paths_without_results_are_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no results here" in refusal("check")
    for path in ("absent", tmp_path):
        assert "neither a published run nor a folder results/EXPERIMENT" in refusal("check", path)


def test_weights_that_are_not_there_cannot_be_evaluated(tree: Tree) -> None:
    assert "no weights here to evaluate" in refusal("check", tree.folder, "--evaluate")


def test_differences_name_the_leaf_and_forgive_rounding() -> None:
    expected = {"a": 0.5, "b": [1, {"c": None}], "d": "x"}
    assert list(differences({"a": 0.5 + 9e-10, "b": [1, {"c": None}], "d": "x"}, expected)) == []
    assert list(differences({"a": 0.5 + 2e-9, "b": [1, {"c": 0}], "e": 1}, expected)) == [
        "a: 0.500000002, expected 0.5",
        "b.1.c: 0, expected None",
        "d: missing",
        "e: not expected",
    ]
    assert list(differences({"a": math.nan}, {"a": 0.5})) == ["a: nan, expected 0.5"]
    assert list(differences([1], [1, 2], "n")) == ["n.1: missing"]
    assert list(differences(True, 1, "n")) == ["n: True, expected 1"]
