"""The tidy table of an experiment: what users get, and what compare writes."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from results_tree import EXPERIMENT, STEPS, Tree, make_tree

import segdistill
from segdistill.errors import SuiteError
from segdistill.report.collect import COLUMNS
from segdistill.report.compare import build_report

ROOT = Path(__file__).resolve().parents[2]
KEY = ["dataset", "method", "seed", "metric"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("project"), ("camvid",), ("student", "kd"), (0, 10, 2))


@pytest.fixture(scope="module")
def frame(tree: Tree) -> pd.DataFrame:
    return segdistill.results(EXPERIMENT, tree.root / "results")


def test_a_row_is_a_cell_and_a_metric(frame: pd.DataFrame) -> None:
    assert tuple(frame.columns) == COLUMNS
    assert not frame.duplicated(KEY).any()
    assert set(frame["experiment"]) == {EXPERIMENT}
    assert set(frame["ruleset"]) == {"published"}
    cells = frame[frame["metric"] == "miou"]
    assert list(zip(cells["method"], cells["seed"], strict=True)) == [
        *(("kd", 0), ("kd", 2), ("kd", 10)),
        *(("student", 0), ("student", 2), ("student", 10)),
        ("teacher", 0),
    ]


def test_values_are_those_of_the_records(tree: Tree, frame: pd.DataFrame) -> None:
    scores = json.loads((tree.evaluation("camvid", "kd", 2) / "scores.json").read_text())
    values = frame.set_index(KEY)["value"].loc["camvid", "kd", 2]
    assert values["miou"] == scores["miou"]
    assert values["iou/road"] == scores["iou"]["road"]
    assert values["boundary_iou/0.005"] == scores["boundary_iou"]["0.005"]
    assert values["small_objects/tiny/count"] == scores["small_objects"]["tiny"]["count"]
    assert values["cost/macs"] == 123456789
    assert values["steps"] == STEPS
    assert values["seconds_per_step"] == (6.0 + len("kd")) / STEPS
    assert scores["iou"]["bicyclist"] is None
    assert "iou/bicyclist" not in values  # undefined: no row
    assert "cost/energy_mj" not in values


def test_compare_writes_the_same_table(
    tree: Tree, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.root)
    build_report(None, Path("results"))
    written = pd.read_csv(tree.folder / "tables" / "results.csv")
    pd.testing.assert_frame_equal(
        written.sort_values(KEY, ignore_index=True),
        frame.sort_values(KEY, ignore_index=True),
        check_exact=True,
        check_dtype=False,
    )


def test_cells_without_an_evaluation_are_left_out(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ("camvid",), ("student",), (0, 1))
    (tree.evaluation("camvid", "student", 1) / "scores.json").unlink()
    frame = segdistill.results(EXPERIMENT, tmp_path / "results")
    assert sorted(frame[frame["method"] == "student"]["seed"].unique()) == [0]
    (tree.evaluation("camvid", "student", 0) / "scores.json").write_text("{")
    with pytest.raises(SuiteError, match=r"student/seed0/scores\.json"):
        segdistill.results(EXPERIMENT, tmp_path / "results")
    with pytest.raises(SuiteError, match="results/demmo: no such folder"):
        segdistill.results("demmo", tmp_path / "results")


def test_results_come_without_torch() -> None:
    code = (
        "import sys, segdistill\n"
        "assert not {'pandas', 'torch'} & set(sys.modules)\n"
        "frame = segdistill.results('camvid', 'results')\n"
        "assert 'torch' not in sys.modules\n"
        "print(len(frame[frame.metric == 'miou']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "31\n"
    with pytest.raises(AttributeError, match="no attribute 'result'"):
        segdistill.result  # noqa: B018
