"""Variants of one method: which are found, what they change, and their differences."""

import json
from pathlib import Path

import numpy as np
import pytest
from results_tree import PAPERS, Tree, make_tree

from segdistill.check.tables import table_faults
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import mean_iou
from segdistill.report.compare import build_report
from segdistill.report.comparison import Comparison, compare_methods
from segdistill.report.matrix import collect
from segdistill.report.notes import method_sources
from segdistill.report.plots.gains import variant_plot
from segdistill.report.tables.headline import variant_table
from segdistill.report.variants import MEASURES, variants_of

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


def compared(tree: Tree, methods: tuple[str, ...]) -> Comparison:
    return compare_methods(collect(tree.experiment(methods=methods), tree.folder), DATA, [])


def test_a_variant_is_paired_with_the_default_of_its_method(tree: Tree) -> None:
    def score(method: str, seed: int, narrow: bool) -> float:
        areas = Areas.load(tree.evaluation(DATA, method, seed) / "areas.npz")
        return float(mean_iou((areas.boundary[0] if narrow else areas.pixels).total()))

    found = variants_of(compared(tree, tree.methods))
    assert list(found) == ["pcd"]
    default, fisher = found["pcd"]
    assert (default.method, default.changes, default.gains) == ("pcd", "default", {})
    assert (fisher.method, fisher.changes) == ("cwd", "score: fisher, weight: unset")
    for narrow, measure in enumerate(MEASURES):
        expected = [
            score("cwd", seed, bool(narrow)) - score("pcd", seed, bool(narrow))
            for seed in tree.seeds
        ]
        np.testing.assert_allclose(fisher.gains[measure].per_seed, expected, atol=1e-12)


def test_table_and_plot_hold_the_same_numbers(tree: Tree) -> None:
    comparison = compared(tree, tree.methods)
    variants = variants_of(comparison)["pcd"]
    table = variant_table(comparison, "pcd", variants)
    plot = variant_plot(comparison, "pcd", variants)
    assert [row[0].text for row in table.rows] == ["default", "score: fisher, weight: unset"]
    differences = [table.values[1][f"{measure} difference_mean"] for measure in MEASURES]
    assert differences == [row["gain"] for row in plot.values]
    assert differences == [gain.mean for gain in variants[1].gains.values()]
    cited = [line for line in method_sources(comparison.matrix) if line.endswith(PAPERS["pcd"])]
    assert [set(line.partition(":")[0].split(", ")) for line in cited] == [{"pcd", "cwd"}]


def test_without_the_default_there_are_no_variants(tree: Tree) -> None:
    assert variants_of(compared(tree, ("student", "kd", "cwd"))) == {}


def test_the_report_writes_it_and_the_check_recomputes_it(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.root)
    build_report(None, Path("results"))
    tables = {path.suffix for path in tree.folder.glob("tables/ablation_pcd_camvid.*")}
    assert tables == {".md", ".csv", ".tex"}
    plots = {path.name for path in tree.folder.glob("plots/ablation_*")}
    assert plots == {"ablation_pcd.csv", "ablation_pcd_camvid.png", "ablation_pcd_camvid.svg"}
    assert list(table_faults(tree.folder)) == []
