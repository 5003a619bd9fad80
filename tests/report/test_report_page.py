"""The whole report of a small project: files, page, escaping, sameness."""

import csv
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from results_tree import Tree, make_tree

from segdistill.evaluation.areas import Areas
from segdistill.evaluation.scores import scores
from segdistill.report.compare import Report, build_report

ROOT = Path(__file__).resolve().parents[2]
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = make_tree(tmp_path_factory.mktemp("project"), ("scenes_camvid",), seeds=(0, 1))
    paper = f'{EVIL} "quoted" & more'
    for seed in tree.seeds:
        tree.change(tree.run("scenes_camvid", "kd", seed) / "run.json", paper=paper, note=EVIL)
    return tree


@pytest.fixture(scope="module")
def report(tree: Tree) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tree.root)
        return build_report(None, Path("results"))


@pytest.fixture(scope="module")
def page(report: Report, tree: Tree) -> str:
    assert report.status == 0
    return (tree.folder / "report.html").read_text(encoding="utf-8")


class _Links(HTMLParser):
    """Collects identifiers, links, sources and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        self.titles += [found["title"]] if "title" in found else []


def _parsed(page: str) -> _Links:
    parser = _Links()
    parser.feed(page)
    return parser


def test_nothing_from_a_record_becomes_markup(page: str) -> None:
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "script" not in _parsed(page).tags


def test_the_page_needs_no_network(page: str) -> None:
    found = _parsed(page)
    assert all(link.startswith("#") for link in found.links)
    assert found.sources
    assert all(source.startswith("data:image/") for source in found.sources)
    assert "link" not in found.tags
    assert "url(" not in page
    assert "@import" not in page


def test_every_link_has_its_target(page: str) -> None:
    found = _parsed(page)
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_hovering_names_run_and_hashes(page: str, tree: Tree) -> None:
    run = json.loads((tree.run("scenes_camvid", "pcd", 1) / "run.json").read_text())
    hint = next(t for t in _parsed(page).titles if run["weights_sha256"][:12] in t)
    assert "seed 1" in hint
    assert run["git_commit"][:12] in hint
    assert run["manifest_sha256"][:12] in hint


def test_synthetic_data_are_called_so_everywhere(page: str, tree: Tree) -> None:
    assert "scenes_camvid is drawn, not photographed" in page
    for path in (tree.folder / "tables").glob("*.md"):
        assert "synthetic" in path.read_text(), path.name
    for path in (tree.folder / "tables").glob("*.tex"):
        assert "synthetic" in path.read_text(), path.name


def test_every_table_says_that_pcd_is_a_reconstruction(tree: Tree) -> None:
    tables = list((tree.folder / "tables").glob("*.md"))
    assert len(tables) == 6
    for path in tables:
        assert "PCD (reconstructed from the abstract)" in path.read_text(), path.name


def test_two_seeds_are_no_claim(page: str) -> None:
    assert "Not enough seeds for a claim (fewer than 5): every row (2)." in page


def test_every_number_follows_from_the_areas(tree: Tree) -> None:
    """The headline's CSV is recomputed from the areas of the evaluations alone."""
    with (tree.folder / "tables" / "headline_scenes_camvid.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    for method in tree.methods:
        mious = []
        for seed in tree.seeds:
            folder = tree.evaluation("scenes_camvid", method, seed)
            classes = json.loads((folder / "scores.json").read_text())["classes"]
            mious.append(scores(Areas.load(folder / "areas.npz"), None, classes)["miou"])
        assert float(rows[method]["miou_mean"]) == pytest.approx(np.mean(mious), abs=1e-12)
        assert float(rows[method]["miou_std"]) == pytest.approx(np.std(mious, ddof=1), abs=1e-12)


def test_plots_come_as_svg_png_and_numbers(tree: Tree) -> None:
    found = {path.name for path in (tree.folder / "plots").iterdir()}
    names = {
        "gains",
        "cost",
        "boundary_scenes_camvid",
        "classes_scenes_camvid",
        "curves_cross_entropy_scenes_camvid",
    }
    images = {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    numbers = {f"{name.removesuffix('_scenes_camvid')}.csv" for name in names}
    assert found == images | numbers


def test_pictures_show_the_same_images(tree: Tree) -> None:
    pictures = sorted((tree.folder / "pictures").iterdir())
    names = [f"scenes_camvid_000{i}.png" for i in (0, 1)]
    assert [path.name for path in pictures] == names
    with Image.open(pictures[0]) as picture:
        assert picture.width > 1000


def test_the_summary_is_plain_json(tree: Tree) -> None:
    text = (tree.folder / "summary.json").read_text()
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    assert json.loads(text)["cells"] == {"finished": 9, "missing": 0, "failed": 0}


def test_no_file_names_this_machine(tree: Tree, report: Report) -> None:
    assert report.status == 0
    for path in tree.folder.glob("*/*.*"):
        if path.suffix in (".md", ".csv", ".tex", ".svg"):
            assert str(tree.root) not in path.read_text(), path.name
    assert str(tree.root) not in (tree.folder / "report.html").read_text()
    assert str(tree.root) not in (tree.folder / "summary.json").read_text()


def test_equal_results_give_equal_bytes_in_another_process(tree: Tree, report: Report) -> None:
    assert report.status == 0
    before = _hashes(tree.folder)
    command = [sys.executable, str(ROOT / "experiments" / "compare.py")]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=True)
    assert _hashes(tree.folder) == before
    assert "scenes_camvid (synthetic): mIoU on test (6 images)" in done.stdout
    assert "9 of 9 cells finished" in done.stdout


def _hashes(folder: Path) -> dict[str, str]:
    written = [folder / "report.html", folder / "summary.json"]
    for name in ("tables", "plots", "pictures"):
        written += (folder / name).iterdir()
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in written}
