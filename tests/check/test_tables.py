"""Tables and summaries are held against the areas: one changed value is told by name."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from published_tree import faults, make_published
from results_tree import Tree

from segdistill.report.compare import build_report


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A whole folder with its report."""
    tree = make_published(tmp_path_factory.mktemp("reported"))
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
    assert faults(tree.folder) == []


@pytest.mark.parametrize("name", ["headline", "focus", "classes", "boundaries", "objects", "cost"])
def test_one_changed_table_cell_is_caught(tree: Tree, name: str) -> None:
    path = tree.folder / "tables" / f"{name}_camvid.csv"
    lines = path.read_text().splitlines()
    index = next(i for i, line in enumerate(lines) if i and not line.endswith(","))
    rest, _, value = lines[index].rpartition(",")
    lines[index] = f"{rest},{float(value) + 2e-9}"
    path.write_text("\n".join(lines) + "\n")
    (found,) = faults(tree.folder)
    assert found.startswith(f"{tree.folder}/tables/{name}_camvid.csv.line {index + 1}.")


def test_a_changed_summary_metric_or_a_strange_table_is_caught(tree: Tree) -> None:
    path = tree.folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["cells"]["missing"] = 1
    path.write_text(json.dumps(summary))
    (tree.folder / "tables" / "mine.csv").write_text("")
    tree.change(tree.folder / "metrics" / "kd.json", more=1)
    assert [
        found.removeprefix(f"{tree.folder}/").partition(": ")[0] for found in faults(tree.folder)
    ] == [
        "tables/mine.csv",
        "summary.json.cells.missing",
        "metrics/kd.json.more",
    ]


def test_tables_of_an_unknown_experiment_or_that_are_no_text(tree: Tree) -> None:
    path = tree.folder / "tables" / "classes_camvid.csv"
    path.write_bytes(b"\xff\xfe")
    (found,) = faults(tree.folder)
    assert "tables cannot be recomputed: " in found
    assert "classes_camvid.csv: cannot read" in found
    path.write_text("x" * 200_000 + "\n")
    (found,) = faults(tree.folder)
    assert "classes_camvid.csv: not CSV (field larger than field limit" in found
    tree.change(tree.root / "params.yaml", experiment="other")
    (found,) = faults(tree.folder)
    assert "tables cannot be recomputed: experiment 'demo': there is no" in found
