"""What the report says about a dataset, against values computed by hand."""

import json
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from results_tree import Tree, make_tree

from segdistill.report.claims import Claim
from segdistill.report.comparison import Comparison, compare_methods
from segdistill.report.matrix import collect
from segdistill.report.summary import metric_files, summarise
from segdistill.report.tables import headline, measures
from segdistill.report.tables.table import Table

SEEDS = (0, 1, 2, 3, 4)
OURS = ("PSPNet-R101", "PSPNet-R18")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("project"), ("camvid",), seeds=SEEDS)


@pytest.fixture(scope="module")
def comparison(tree: Tree) -> Comparison:
    return _compare(tree, tree.folder, _claims())


def _compare(tree: Tree, folder: Path, claims: Sequence[Claim] = (), **changes: Any) -> Comparison:
    return compare_methods(collect(tree.experiment(**changes), folder), "camvid", claims)


def _claims() -> list[Claim]:
    def claim(method: str, gain: float, pair: tuple[str, str] = OURS, split: str = "test") -> Claim:
        return Claim("camvid", *pair, method, split, "a paper", "https://example.org", 0.7, gain)

    return [
        claim("kd", 0.30),
        claim("cwd", 0.065),
        claim("pcd", 0.001),
        claim("pcd", 0.03, ("DeepLabV3-R101", "PSPNet-R18")),
        claim("pcd", 0.03, split="val"),
    ]


def _recorded(tree: Tree, method: str, *keys: str) -> list[float]:
    """A score of every seed, as scores.json holds it."""
    found = []
    for seed in tree.seeds:
        value = json.loads((tree.evaluation("camvid", method, seed) / "scores.json").read_text())
        for key in keys:
            value = value[key]
        found.append(value)
    return found


def _columns(table: Table) -> dict[str, dict[str, str]]:
    """Printed entries by row and heading."""
    return {
        row[0].text: {name: entry.text for name, entry in zip(table.header, row, strict=True)}
        for row in table.rows
    }


def test_a_spread_is_mean_and_sample_deviation(tree: Tree, comparison: Comparison) -> None:
    mious = _recorded(tree, "kd", "miou")
    spread = comparison.spread("kd", "miou")
    assert spread is not None
    assert (spread.mean, spread.n, spread.of) == (statistics.fmean(mious), 5, 5)
    assert spread.std == pytest.approx(np.std(mious, ddof=1), abs=1e-15)
    assert comparison.spread("kd", "iou/bicyclist") is None
    assert comparison.spread("nobody", "miou") is None


def test_gains_are_paired_by_seed(tree: Tree, comparison: Comparison) -> None:
    student = _recorded(tree, "student", "miou")
    assert list(comparison.gains) == ["kd", "cwd", "pcd"]
    for method, gain in comparison.gains.items():
        expected = np.subtract(_recorded(tree, method, "miou"), student)
        np.testing.assert_allclose(gain.per_seed, expected, atol=1e-12)
        assert gain.mean == pytest.approx(expected.mean(), abs=1e-12)
        assert gain.p == 1 / 2**5
        draws = comparison.rows[method].draws
        assert draws is not None
        assert draws.shape == (500,)
        assert draws.mean() == pytest.approx(gain.mean, rel=0.2)


def test_the_headline_prints_what_it_computes(tree: Tree, comparison: Comparison) -> None:
    table = headline.headline_table(comparison)
    marks = {row[0].text: row[1].mark for row in table.rows}
    assert marks == {
        "teacher": "", "student": "", "kd": "", "cwd": "second", "pcd (reconstructed)": "best",
    }  # fmt: skip
    mious = _recorded(tree, "pcd", "miou")
    row = _columns(table)["pcd (reconstructed)"]
    assert row["mIoU, %"] == f"{100 * np.mean(mious):.2f} ± {100 * np.std(mious, ddof=1):.2f}"
    assert (row["n"], row["published gain"], row["verdict"]) == ("5", "+0.10", "exceeded")
    values = table.values[-1]
    assert values["miou_mean"] == statistics.fmean(mious)
    assert values["gain_mean"] == comparison.gains["pcd"].mean
    assert values["bootstrap_low"] < values["gain_mean"] < values["bootstrap_high"]
    assert "PCD (reconstructed from the abstract): no number here is the paper's." in table.notes
    assert any("conditional on one teacher" in note for note in table.notes)
    assert not any("Not enough seeds" in note for note in table.notes)


def test_fewer_than_five_seeds_are_never_bold(tree: Tree) -> None:
    table = headline.headline_table(_compare(tree, tree.folder, seeds=SEEDS[:4]))
    assert {entry.mark for row in table.rows for entry in row} == {"", "missing"}
    assert any("fewer than two rows have 5 seeds" in note for note in table.notes)
    assert any(note.startswith("Not enough seeds for a claim") for note in table.notes)


def test_verdicts_need_the_same_networks_and_split(tree: Tree, comparison: Comparison) -> None:
    verdicts = {m: [j.verdict for j in row.published] for m, row in comparison.rows.items()}
    assert verdicts == {
        "student": [],
        "kd": ["partly"],
        "cwd": ["reproduced"],
        "pcd": ["exceeded", "none: other networks or split", "none: other networks or split"],
    }
    table = headline.claim_table(comparison)
    assert table is not None
    assert len(table.rows) == 5
    assert table.rows[0][-1].text == "a paper https://example.org"
    bare = _compare(tree, tree.folder)
    assert headline.headline_table(bare).header[-1] == "p"
    assert headline.claim_table(bare) is None


def test_score_tables_hold_the_records(tree: Tree, comparison: Comparison) -> None:
    tables = {table.name: table for table in measures.score_tables(comparison)}
    assert list(tables) == ["focus_camvid", "boundaries_camvid", "objects_camvid"]
    kd = {name: table.values[2] for name, table in tables.items()}
    trimap = _recorded(tree, "kd", "trimap_miou", "4")
    assert kd["boundaries_camvid"]["trimap_miou/4_mean"] == statistics.fmean(trimap)
    recall = _recorded(tree, "kd", "small_objects", "small", "recall")
    assert kd["objects_camvid"]["small_objects/small/recall_std"] == statistics.stdev(recall)
    counts = _recorded(tree, "kd", "small_objects", "tiny", "count")
    assert f"The split has {counts[0]} tiny, " in tables["objects_camvid"].notes[0]
    focus = _columns(tables["focus_camvid"])
    name = "feature discriminability, B/W"
    assert focus["teacher"][name] == "1.6"
    assert focus["kd"][name] == "0.58 ± 0.0158"  # 0.56 + 0.01 seed over five seeds


def test_the_class_table_has_a_row_a_class(tree: Tree, comparison: Comparison) -> None:
    table = measures.class_table(comparison)
    roads = _recorded(tree, "kd", "iou", "road")
    row = next(row for row in table.values if row["class"] == "road")
    assert row["kd_mean"] == statistics.fmean(roads)
    printed = _columns(table)
    assert (
        printed["road"]["kd"] == f"{100 * np.mean(roads):.1f} ± {100 * np.std(roads, ddof=1):.1f}"
    )
    assert printed["bicyclist"]["kd"] == "–"  # no pixel of it in the split


def test_cost_is_relative_to_the_student(comparison: Comparison) -> None:
    table = measures.cost_table(comparison)
    rows = _columns(table)
    kd, student = (6.0 + len(name) for name in ("kd", "student"))
    assert rows["kd"]["training step, ms"] == f"{1000 * kd / 60:.0f}"
    assert rows["kd"]["relative to student"] == f"{kd / student:.3g}×"
    assert rows["teacher"]["relative to student"] == "–"
    assert rows["teacher"]["parameters"] == "12.3 k"
    assert [rows["kd"][name] for name in ("latency, ms", "latency IQR, ms", "memory, MiB")] == [
        "1.5", "0.1", "3",
    ]  # fmt: skip
    assert table.values[0]["cost/peak_memory_bytes"] == 3 * 2**20


def test_a_mean_over_some_seeds_says_of_how_many(tree: Tree, tmp_path: Path) -> None:
    shutil.copytree(tree.folder, tmp_path / "copy")
    for seed in (1, 2, 3, 4):
        path = tmp_path / "copy" / "evals" / "camvid" / "kd" / f"seed{seed}" / "scores.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "discriminability": None}))
    path = tmp_path / "copy" / "evals" / "camvid" / "teacher" / "scores.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "discriminability": None}))
    rows = _columns(measures.score_tables(_compare(tree, tmp_path / "copy"))[0])
    name = "feature discriminability, B/W"
    assert [rows[method][name] for method in ("teacher", "kd", "pcd (reconstructed)")] == [
        "–", "0.56 (n = 1)", "0.84 ± 0.0158",
    ]  # fmt: skip


def test_the_summary_counts_cells_and_metrics_are_few(tree: Tree, comparison: Comparison) -> None:
    summary = summarise(comparison.matrix, ["a problem"])
    assert summary["cells"] == {"finished": 21, "missing": 0, "failed": 0}
    assert (summary["unfinished"], summary["problems"]) == ([], ["a problem"])
    found = json.loads(metric_files([comparison])["kd.json"])["camvid"]
    assert found["miou"] == statistics.fmean(_recorded(tree, "kd", "miou"))
    assert found["gain"] == comparison.gains["kd"].mean
    assert found["seeds"] == 5
    assert "gain" not in json.loads(metric_files([comparison])["student.json"])["camvid"]


def test_across_datasets(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ("camvid", "scenes_camvid"), ("student", "kd"), (0, 1))
    matrix = collect(tree.experiment(), tree.folder)
    comparisons = [compare_methods(matrix, name, []) for name in tree.datasets]
    assert headline.across_table(matrix, comparisons[:1]) is None
    table = headline.across_table(matrix, comparisons)
    assert table is not None
    kd = sorted(value for one in comparisons for value in one.values("kd", "miou"))
    assert table.values[1]["interquartile_mean"] == pytest.approx((kd[1] + kd[2]) / 2)
    assert table.values[1]["probability_of_improvement"] == 1.0
    assert table.values[0]["probability_of_improvement"] is None
    assert [row["runs"] for row in table.values] == [4, 4]
    assert any("synthetic" in note for note in table.notes)
