"""Every number that is committed follows from committed per-image areas."""

import csv
import json
import shutil
import statistics
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_tree import Tree
from submission_cases import DATA, make_submission

from segdistill.check.submission import check_submission
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Counts, mean_iou
from segdistill.report.compare import build_report

ROOT = Path(__file__).resolve().parents[2]


def committed_trees(root: Path) -> list[Path]:
    """The folders results/PROFILE of which git tracks a run."""
    command = ["git", "ls-files", "-z", "results"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    runs = [Path(name) for name in listed.split("\0") if name.endswith("/run.json")]
    return sorted({root.joinpath(*run.parts[:2]) for run in runs})


def check_headlines(folder: Path) -> None:
    """mIoU and gain of every headline row, and of every seed, from the areas alone."""
    with (folder / "tables" / "results.csv").open(newline="") as file:
        tidy = {
            (row["dataset"], row["method"], "" if row["method"] == "teacher" else row["seed"]): row
            for row in csv.DictReader(file)
            if row["metric"] == "miou"
        }
    for path in (folder / "tables").glob("headline_*.csv"):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        mious = {row["method"]: _mious(folder, row["dataset"], row["method"]) for row in rows}
        for row in rows:
            ours = mious[row["method"]]
            assert float(row["miou_mean"]) == pytest.approx(_mean(ours), abs=1e-9)
            for seed, value in ours.items():
                found = tidy[row["dataset"], row["method"], seed.removeprefix("seed")]
                assert float(found["value"]) == pytest.approx(value, abs=1e-9)
            if row["gain_mean"]:
                gains = {seed: ours[seed] - mious["student"][seed] for seed in ours}
                assert float(row["gain_mean"]) == pytest.approx(_mean(gains), abs=1e-9)
            if row["miou_std"]:
                spread = statistics.stdev(ours.values())
                assert float(row["miou_std"]) == pytest.approx(spread, abs=1e-9)


def _mious(folder: Path, dataset: str, method: str) -> dict[str, float]:
    """mIoU by name of the seed's folder, "" for the teacher."""
    place = folder / "evals" / dataset / method
    return {
        str(path.parent.relative_to(place)).lstrip("."): float(
            mean_iou(Areas.load(path).pixels.total())
        )
        for path in sorted(place.rglob("areas.npz"))
    }


def _mean(values: dict[str, float]) -> float:
    return statistics.fmean(values.values())


def test_committed_results_follow_from_their_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    trees = committed_trees(ROOT)
    if not trees:
        warnings.warn("no results are committed: nothing to recompute", stacklevel=1)
    for folder in trees:
        assert check_submission(folder).violations == (), folder.name
        assert (folder / "summary.json").is_file(), folder.name
        check_headlines(folder)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A whole folder with its report."""
    tree = make_submission(tmp_path_factory.mktemp("reported"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tree.root)
        build_report(None, Path("results"))
    return tree


@pytest.fixture
def tree(reported: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    root = tmp_path / "project"
    shutil.copytree(reported.root, root)
    monkeypatch.chdir(root)
    return replace(reported, root=root)


def test_an_untouched_copy_passes(tree: Tree) -> None:
    assert check_submission(tree.folder).violations == ()
    check_headlines(tree.folder)


def test_one_changed_area_is_caught(tree: Tree) -> None:
    path = tree.evaluation(DATA, "kd", 0) / "areas.npz"
    areas = Areas.load(path)
    more = np.zeros_like(areas.prediction)
    more[0, 0] = 1
    pixels = Counts(areas.intersection, areas.prediction + more, areas.label)
    replace(areas, pixels=pixels).save(path)
    violations = check_submission(tree.folder).violations
    assert "camvid/kd/seed0: scores.json: confusion matrix and areas differ in prediction" in (
        violations
    )


@pytest.mark.parametrize("name", ["headline", "focus", "classes", "boundaries", "objects", "cost"])
def test_one_changed_table_cell_is_caught(tree: Tree, name: str) -> None:
    path = tree.folder / "tables" / f"{name}_camvid.csv"
    lines = path.read_text().splitlines()
    index = next(i for i, line in enumerate(lines) if i and not line.endswith(","))
    rest, _, value = lines[index].rpartition(",")
    lines[index] = f"{rest},{float(value) + 2e-9}"
    path.write_text("\n".join(lines) + "\n")
    (violation,) = check_submission(tree.folder).violations
    assert violation.startswith(f"tables/{name}_camvid.csv.line {index + 1}.")


def test_headlines_are_recomputed_without_the_report(tree: Tree) -> None:
    path = tree.folder / "tables" / "headline_camvid.csv"
    text = path.read_text()
    value = next(row for row in csv.DictReader(text.splitlines()) if row["method"] == "kd")
    path.write_text(text.replace(value["gain_mean"], str(float(value["gain_mean"]) + 2e-9)))
    with pytest.raises(AssertionError):
        check_headlines(tree.folder)


def test_one_swapped_seed_is_caught(tree: Tree) -> None:
    first, second = (tree.evaluation(DATA, "kd", seed) for seed in (0, 1))
    first.rename(first.with_name("spare"))
    second.rename(first)
    first.with_name("spare").rename(second)
    assert "camvid/kd/seed0: scores.json: seed is '1' but its folder says '0'" in (
        check_submission(tree.folder).violations
    )


def test_a_changed_summary_or_a_strange_table_is_caught(tree: Tree) -> None:
    path = tree.folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["cells"]["missing"] = 1
    path.write_text(json.dumps(summary))
    (tree.folder / "tables" / "mine.csv").write_text("")
    found = check_submission(tree.folder).violations
    assert [violation.partition(": ")[0] for violation in found] == [
        "tables/mine.csv",
        "summary.json.cells.missing",
    ]


def test_only_trees_that_git_tracks_are_taken(tmp_path: Path) -> None:
    for profile in ("kept", "scenes"):
        path = tmp_path / "results" / profile / "runs" / "run.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    assert committed_trees(tmp_path) == []
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "results/kept"], cwd=tmp_path, check=True)
    assert committed_trees(tmp_path) == [tmp_path / "results" / "kept"]


def test_tables_of_an_unknown_profile_or_that_are_no_text_are_violations(tree: Tree) -> None:
    path = tree.folder / "tables" / "classes_camvid.csv"
    path.write_bytes(b"\xff\xfe")
    (violation,) = check_submission(tree.folder).violations
    assert violation.startswith("tables cannot be recomputed: ")
    assert "classes_camvid.csv: cannot read" in violation
    path.write_text("x" * 200_000 + "\n")
    (violation,) = check_submission(tree.folder).violations
    assert "classes_camvid.csv: not CSV (field larger than field limit" in violation
    tree.change(tree.root / "params.yaml", profile="other")
    (tree.root / "experiments" / "profiles" / "demo.yaml").unlink()
    (violation,) = check_submission(tree.folder).violations
    assert "demo.yaml: no such profile" in violation
