"""Variants of one method: which are found, what they change, and their differences."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from results_tree import PAPERS, PROFILE, Tree, make_tree

from segdistill.check.tables import table_faults
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import mean_iou
from segdistill.report.ablation import Ablation, ablations
from segdistill.report.compare import build_report
from segdistill.report.comparison import Comparison
from segdistill.report.files import table_files
from segdistill.report.gains import compare_methods
from segdistill.report.notes import method_sources
from segdistill.report.plots.ablation_plots import ablation_plot
from segdistill.report.tables.ablation_table import ablation_table
from segdistill.report.tables.matrix import Matrix, collect
from segdistill.settings.schema import Grid, Statistics

DATA = "camvid"
TERMS = {
    "student": [],
    "pcd": [("pcd", {"weight": 3})],
    "cwd": [("pcd", {"score": "fisher"})],  # stands for a variant, such as pcd_fisher
    "kd": [("kd", {}), ("pcd", {})],  # a sum of methods is no variant
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = make_tree(tmp_path_factory.mktemp("project"), (DATA,), seeds=(0, 1, 2))
    for method, terms in TERMS.items():
        for seed in tree.seeds:
            path = tree.run(DATA, method, seed) / "run.json"
            config = json.loads(path.read_text())["config"]
            listed = [{"method": name, "fields": fields} for name, fields in terms]
            tree.change(path, config={**config, "terms": listed})
            if method == "cwd":
                tree.change(path, paper=PAPERS["pcd"])
    return tree


@pytest.fixture(scope="module")
def matrix(tree: Tree) -> Matrix:
    grid = Grid(datasets=tree.datasets, methods=tree.methods, seeds=tree.seeds)
    return collect(PROFILE, grid, tree.folder)


@pytest.fixture(scope="module")
def comparison(matrix: Matrix) -> Comparison:
    return compare_methods(matrix, DATA, [], Statistics(resamples=50))


@pytest.fixture(scope="module")
def ablation(comparison: Comparison) -> Ablation:
    (found,) = ablations(comparison)
    return found


def test_a_variant_is_another_block_of_the_same_method(ablation: Ablation) -> None:
    assert (ablation.method, ablation.base.method) == ("pcd", "pcd")
    assert [variant.row.method for variant in ablation.variants] == ["cwd"]
    assert ablation.variants[0].changes == "score: fisher, weight: unset"


def test_differences_are_paired_with_the_default(ablation: Ablation, tree: Tree) -> None:
    def score(method: str, seed: int, narrow: bool) -> float:
        areas = Areas.load(tree.evaluation(DATA, method, seed) / "areas.npz")
        return float(mean_iou((areas.boundary[0] if narrow else areas.pixels).total()))

    for narrow, gain in enumerate(ablation.variants[0].gains.values()):
        expected = [
            score("cwd", seed, bool(narrow)) - score("pcd", seed, bool(narrow))
            for seed in tree.seeds
        ]
        np.testing.assert_allclose(gain.per_seed, expected, atol=1e-12)
        assert gain.interval is not None
        assert gain.interval.low <= gain.mean <= gain.interval.high


def test_table_and_plot_hold_the_same_numbers(
    matrix: Matrix, comparison: Comparison, ablation: Ablation
) -> None:
    table = ablation_table(matrix, comparison, ablation)
    plot = ablation_plot(matrix, ablation)
    assert [row[0].text for row in table.rows] == ["default", "score: fisher, weight: unset"]
    assert [row["difference"] for row in table.values] == [v["difference"] for v in plot.values]
    rows = list(csv.DictReader(table_files(table)["ablation_pcd_camvid.csv"].decode().splitlines()))
    gains = ablation.variants[0].gains.values()
    assert [float(row["difference"]) for row in rows] == [gain.mean for gain in gains]
    assert plot.svg.startswith(b"<?xml")


def test_a_paper_is_cited_once_for_all_its_variants(matrix: Matrix) -> None:
    cited = [line for line in method_sources(matrix) if line.endswith(PAPERS["pcd"])]
    assert len(cited) == 1
    assert set(cited[0].partition(":")[0].split(", ")) == {"pcd", "cwd"}


def test_without_the_default_there_is_no_ablation(tree: Tree) -> None:
    grid = Grid(datasets=tree.datasets, methods=("student", "kd", "cwd"), seeds=tree.seeds)
    found = compare_methods(collect(PROFILE, grid, tree.folder), DATA, [], Statistics())
    assert ablations(found) == []


def test_the_report_writes_it_and_the_check_recomputes_it(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.root)
    build_report(None, Path("results"))
    for ending in ("md", "csv", "tex"):
        assert (tree.folder / "tables" / f"ablation_pcd_camvid.{ending}").is_file()
    for ending in ("svg", "png", "csv"):
        assert (tree.folder / "plots" / f"ablation_pcd_camvid.{ending}").is_file()
    assert list(table_faults(tree.folder)) == []
