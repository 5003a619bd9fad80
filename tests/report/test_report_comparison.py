"""What the report says about a dataset, against values computed by hand."""

import json
import shutil
import statistics
from pathlib import Path

import numpy as np
import pytest
from results_tree import PROFILE, Tree, make_tree

from segdistill.report.claims import Claim
from segdistill.report.comparison import Comparison
from segdistill.report.gains import compare_methods
from segdistill.report.headline import headline_table
from segdistill.report.summary import summarise
from segdistill.report.tables.across_table import across_table
from segdistill.report.tables.claim_table import claim_table
from segdistill.report.tables.cost_table import cost_table
from segdistill.report.tables.focus_table import focus_table
from segdistill.report.tables.matrix import Matrix, collect
from segdistill.report.tables.metric_tables import boundary_table, class_table, object_table
from segdistill.settings.schema import Grid, Statistics

SETTINGS = Statistics(resamples=200, confidence=0.95, seed=0)
SEEDS = (0, 1, 2, 3, 4)
OURS = ("PSPNet-R101", "PSPNet-R18")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("project"), ("camvid",), seeds=SEEDS)


@pytest.fixture(scope="module")
def matrix(tree: Tree) -> Matrix:
    return _collect(tree)


@pytest.fixture(scope="module")
def comparison(matrix: Matrix) -> Comparison:
    return compare_methods(matrix, "camvid", _claims(), SETTINGS)


def _collect(tree: Tree) -> Matrix:
    grid = Grid(datasets=tree.datasets, methods=tree.methods, seeds=tree.seeds)
    return collect(PROFILE, grid, tree.folder)


def _claims() -> list[Claim]:
    def claim(method: str, gain: float, pair: tuple[str, str] = OURS, split: str = "test") -> Claim:
        return Claim("camvid", *pair, method, 0.7, gain, split, "a paper", "https://example.org")

    return [
        claim("kd", 0.30),
        claim("cwd", 0.065),
        claim("pcd", 0.001),
        claim("pcd", 0.03, ("DeepLabV3-R101", "PSPNet-R18")),
        claim("pcd", 0.03, split="val"),
    ]


def _mious(matrix: Matrix, method: str) -> list[float]:
    values = [result.scores.miou for result in matrix.of("camvid", method).values()]
    return [value for value in values if value is not None]


def test_rows_hold_mean_and_sample_deviation(matrix: Matrix, comparison: Comparison) -> None:
    for row in comparison.rows:
        mious = _mious(matrix, row.method)
        assert row.mean == pytest.approx(sum(mious) / 5, abs=1e-15)
        assert row.std == pytest.approx(np.std(mious, ddof=1), abs=1e-15)


def test_gains_are_paired_by_seed(matrix: Matrix, comparison: Comparison) -> None:
    student = _mious(matrix, "student")
    for row, gain in comparison.gains:
        expected = np.subtract(_mious(matrix, row.method), student)
        np.testing.assert_allclose(gain.per_seed, expected, atol=1e-12)
        assert gain.mean == pytest.approx(expected.mean(), abs=1e-12)
        assert gain.p == 1 / 2**5


def test_the_bootstrap_agrees_with_the_gain(comparison: Comparison) -> None:
    for row, gain in comparison.gains:
        assert row.draws is not None
        assert row.draws.shape == (200,)
        assert statistics.fmean(row.draws) == pytest.approx(gain.mean, rel=0.2)


def test_the_best_and_the_second_row_are_marked(comparison: Comparison) -> None:
    marks = {row.method: row.mark for row in comparison.rows}
    assert marks == {"student": "", "kd": "", "cwd": "second", "pcd": "best"}


def test_equal_methods_share_the_mark(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ("camvid",), ("student", "cwd", "cwd2"), (0, 1))
    rows = compare_methods(_collect(tree), "camvid", [], SETTINGS).rows
    marks = {row.method: row.mark for row in rows}
    assert marks["cwd"] == "best"
    assert marks["cwd2"] != "best"  # errors like the student's
    for seed in (0, 1):
        for name in ("scores.json", "areas.npz"):
            source = tree.evaluation("camvid", "cwd", seed) / name
            (tree.evaluation("camvid", "cwd2", seed) / name).write_bytes(source.read_bytes())
        path = tree.evaluation("camvid", "cwd2", seed) / "scores.json"
        run = tree.run("camvid", "cwd2", seed) / "run.json"
        tree.change(path, method="cwd2")
        weights = _collect(tree).of("camvid", "cwd")[seed].run.weights_sha256
        tree.change(run, weights_sha256=weights)
    rows = compare_methods(_collect(tree), "camvid", [], SETTINGS).rows
    assert {row.method: row.mark for row in rows} == {
        "student": "second",
        "cwd": "best",
        "cwd2": "best",
    }


def test_nothing_is_marked_where_nothing_differs(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ("camvid",), ("student", "other"), (0, 1))  # equal error rates
    matrix = _collect(tree)
    comparison = compare_methods(matrix, "camvid", [], SETTINGS)
    assert {row.mark for row in comparison.rows} == {""}
    assert any("No row is marked best" in n for n in headline_table(matrix, comparison).notes)


def test_verdicts_need_the_same_networks_and_split(comparison: Comparison) -> None:
    verdicts = {row.method: [j.verdict for j in row.published] for row in comparison.rows}
    assert verdicts == {
        "student": [],
        "kd": ["partly"],
        "cwd": ["reproduced"],
        "pcd": ["exceeded", "none: other networks or split", "none: other networks or split"],
    }


def test_the_headline_prints_what_it_computes(matrix: Matrix, comparison: Comparison) -> None:
    table = headline_table(matrix, comparison)
    assert table.header[-2:] == ("published gain", "verdict")
    pcd = table.rows[-1]
    mious = _mious(matrix, "pcd")
    expected = f"{100 * statistics.fmean(mious):.2f} ± {100 * statistics.stdev(mious):.2f}"
    assert [entry.text for entry in pcd[:3]] == ["pcd (reconstructed)", expected, "5"]
    assert pcd[-1].text == "exceeded"
    assert table.values[-1]["miou_mean"] == pytest.approx(statistics.fmean(mious), abs=1e-15)
    assert "PCD (reconstructed from the abstract): no number here is the paper's." in table.notes
    assert any("conditional on one teacher" in note for note in table.notes)
    assert not any("Not enough seeds" in note for note in table.notes)


def test_without_a_claim_there_is_no_verdict_column(matrix: Matrix) -> None:
    bare = compare_methods(matrix, "camvid", [], SETTINGS)
    assert headline_table(matrix, bare).header[-1] == "p"
    assert claim_table(matrix, bare) is None


def test_every_claim_is_listed_with_its_source(matrix: Matrix, comparison: Comparison) -> None:
    table = claim_table(matrix, comparison)
    assert table is not None
    assert len(table.rows) == 5
    assert table.rows[0][-1].text == "a paper https://example.org"


def test_metric_tables_hold_the_records(matrix: Matrix, comparison: Comparison) -> None:
    found = list(matrix.of("camvid", "kd").values())
    first = found[0].scores
    by_class = {
        r["measure"]: r for r in class_table(matrix, comparison).values if r["method"] == "kd"
    }
    roads = [result.scores.iou["road"] for result in found]
    assert by_class["road"]["mean"] == pytest.approx(np.mean(np.array(roads, float)), abs=1e-15)
    assert by_class["bicyclist"]["mean"] is None
    boundary = boundary_table(matrix, comparison)
    assert len(boundary.header) == 1 + 1 + len(first.boundary_iou) + len(first.trimap_miou) + 2
    objects = object_table(matrix, comparison)
    assert f"tiny recall (of {first.small_objects['tiny'].count})" in objects.header


def test_cost_is_relative_to_the_student(matrix: Matrix, comparison: Comparison) -> None:
    rows = {row[0].text: row for row in cost_table(matrix, comparison).rows}
    kd, student = (6.0 + len(name) for name in ("kd", "student"))
    assert rows["kd"][6].text == f"{1000 * kd / 60:.0f}"
    assert rows["kd"][7].text == f"{kd / student:.3g}×"
    assert rows["teacher"][7].text == "–"


def test_cost_shows_memory_and_leaves_unknown_energy_out(
    matrix: Matrix, comparison: Comparison
) -> None:
    table = cost_table(matrix, comparison)
    assert [entry.text for entry in table.rows[0]][3:6] == ["1.5 (0.1)", "3", "–"]
    assert table.values[0]["peak_memory_bytes"] == 3 * 2**20
    assert table.values[0]["energy_mj"] is None


def test_the_focus_of_pcd_is_beside_its_claim(matrix: Matrix, comparison: Comparison) -> None:
    table = focus_table(matrix, comparison)
    ratios = {row[0].text: row[1].text for row in table.rows}
    assert ratios["teacher"] == "1.6"
    assert ratios["kd"] == "0.58 ± 0.0158"  # 0.56 + 0.01 seed over five seeds
    assert ratios["pcd (reconstructed)"] == "0.84 ± 0.0158"
    ious = [r.scores.small_objects["small"].iou for r in matrix.of("camvid", "kd").values()]
    values = next(v for v in table.values if (v["method"], v["measure"]) == ("kd", "small IoU"))
    assert values["n"] == 5
    assert values["mean"] == pytest.approx(np.mean([iou for iou in ious if iou is not None]))


def test_records_without_discriminability_have_a_blank(tree: Tree, tmp_path: Path) -> None:
    shutil.copytree(tree.folder, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("scores.json"):
        record = json.loads(path.read_text())
        del record["discriminability"], record["cost"]["peak_memory_bytes"]
        path.write_text(json.dumps(record))
    grid = Grid(datasets=tree.datasets, methods=tree.methods, seeds=tree.seeds)
    matrix = collect(PROFILE, grid, tmp_path / "copy")
    table = focus_table(matrix, compare_methods(matrix, "camvid", [], SETTINGS))
    assert not matrix.unfinished()
    assert {row[1].text for row in table.rows} == {"–"}


def test_a_mean_over_some_seeds_says_of_how_many(tree: Tree, tmp_path: Path) -> None:
    shutil.copytree(tree.folder, tmp_path / "copy")
    for seed in (1, 2, 3, 4):
        path = tmp_path / "copy" / "evals" / "camvid" / "kd" / f"seed{seed}" / "scores.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "discriminability": None}))
    grid = Grid(datasets=tree.datasets, methods=tree.methods, seeds=tree.seeds)
    matrix = collect(PROFILE, grid, tmp_path / "copy")
    table = focus_table(matrix, compare_methods(matrix, "camvid", [], SETTINGS))
    ratios = {row[0].text: row[1].text for row in table.rows}
    assert ratios["kd"] == "0.56 (n = 1)"
    assert ratios["pcd (reconstructed)"] == "0.84 ± 0.0158"


def test_the_summary_names_every_cell(matrix: Matrix, comparison: Comparison) -> None:
    summary = summarise(matrix, [comparison], [])
    assert summary["cells"] == {"finished": 21, "missing": 0, "failed": 0}
    methods = summary["datasets"]["camvid"]["methods"]
    assert list(methods) == ["teacher", "student", "kd", "cwd", "pcd"]
    assert methods["kd"]["seeds"]["3"]["miou"] == _mious(matrix, "kd")[3]


def test_one_dataset_needs_no_summary_across(matrix: Matrix, comparison: Comparison) -> None:
    assert across_table(matrix, [comparison]) is None


def test_across_datasets(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ("camvid", "scenes_camvid"), ("student", "kd"), (0, 1))
    matrix = _collect(tree)
    comparisons = [compare_methods(matrix, name, [], SETTINGS) for name in tree.datasets]
    table = across_table(matrix, comparisons)
    assert table is not None
    kd = sorted(value for c in comparisons for value in c.rows[1].mious)
    assert table.values[1]["interquartile_mean"] == pytest.approx((kd[1] + kd[2]) / 2)
    assert table.values[1]["probability_of_improvement"] == 1.0
    assert table.values[0]["probability_of_improvement"] is None
    assert any("synthetic" in note for note in table.notes)
