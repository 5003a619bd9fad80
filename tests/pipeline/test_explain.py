import argparse
import json
import math
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from results_tree import PROFILE, Tree
from submission_cases import DATA, make_submission

from segdistill.commands import explain as command
from segdistill.errors import SuiteError
from segdistill.explain import Curve, Section, explain, read_curves, sections, text_lines
from segdistill.explain.page import HEIGHT, WIDTH, draw, render

LOG = """{"step": 0, "loss": 3.0, "cross_entropy": 2.0, "kd/pixel": 1.0, "learning_rate": 0.1}
{"step": 1, "val_miou": 0.5}
{"step": 2, "loss": 2.0, "cross_entropy": 1.5, "kd/pixel": 0.5, "learning_rate": 0.05}
{"step": 3, "loss": 1.0, "cross_entropy": 1.0, "kd/pixel": null, "learning_rate": 0.01}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_submission(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    root = tmp_path / "project"
    shutil.copytree(whole.root, root)
    monkeypatch.chdir(root)
    tree = replace(whole, root=root)
    (tree.run(DATA, "kd", 1) / "log.jsonl").write_text(LOG)
    return tree


def _section(title: str) -> Section:
    return next(s for s in sections(explain(f"{PROFILE}/{DATA}/kd/seed1")) if s.title == title)


def _values(title: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _section(title).rows}


@pytest.mark.usefixtures("tree")
def test_losses_are_first_last_and_mean_of_every_term() -> None:
    section = _section("losses")
    assert section.header == ("term", "first", "last", "mean")
    assert section.rows == (
        ("loss", "3", "1", "2"),
        ("cross_entropy", "2", "1", "1.5"),
        ("kd/pixel", "1", "nan", "nan"),
        ("val_miou", "0.5", "0.5", "0.5"),
    )


def test_gradient_norms_are_told_apart_from_losses(tree: Tree) -> None:
    log = tree.run(DATA, "kd", 1) / "log.jsonl"
    rows = [json.loads(line) for line in LOG.splitlines()]
    norms = {"gradient/kd/pixel": 0.5, "gradient/cross_entropy": 4.0}
    log.write_text("".join(json.dumps({**row, **norms}) + "\n" for row in rows))
    assert [row[0] for row in _section("losses").rows] == [
        "loss", "cross_entropy", "kd/pixel", "val_miou",
    ]  # fmt: skip
    assert _section("gradient norms").rows == (
        ("kd/pixel", "0.5", "0.5", "0.5"),
        ("cross_entropy", "4", "4", "4"),
    )
    page = render(explain(f"{PROFILE}/{DATA}/kd/seed1"))
    assert page.index("<h2>losses") < page.index("<h2>gradient norms") < page.index("<h2>time")
    assert page.count("<svg") == 6
    assert page.count("cross_entropy: 4 to 4, steps 0 to 3") == 3  # caption, name, title


@pytest.mark.usefixtures("tree")
def test_predictions_are_listed_where_the_run_was_scored() -> None:
    assert _section("predictions").rows == (
        ("0000", "pictures/0000.png"),
        ("0001", "pictures/0001.png"),
    )


@pytest.mark.usefixtures("tree")
def test_time_is_shared_out_over_the_phases() -> None:
    """A made-up run of kd takes 8 seconds, a sixth in each phase."""
    phases = ("data", "teacher", "student", "method", "backward", "optimizer")
    assert _section("time").rows == (
        ("total", "8.00", "100 %"),
        *((phase, "1.33", "17 %") for phase in phases),
    )


def test_settings_hashes_and_scores_are_those_of_the_records(tree: Tree) -> None:
    record = json.loads((tree.run(DATA, "kd", 1) / "run.json").read_text())
    scores = json.loads((tree.evaluation(DATA, "kd", 1) / "scores.json").read_text())
    assert _values("settings")["training.steps"] == "60"
    assert _values("settings")["student.decoder"] == "pspnet"
    assert _values("environment")["packages.torch"] == "2.0"
    assert _values("hashes")["weights_sha256"] == record["weights_sha256"]
    assert _values("hashes")["git_commit"] == record["git_commit"]
    shown = _values("scores")
    assert shown["split"] == "test (6 images)"
    assert shown["miou"] == f"{100 * scores['miou']:.2f} %"
    assert shown["boundary_iou.0.02"] == f"{100 * scores['boundary_iou']['0.02']:.2f} %"
    assert shown["small_objects.tiny.count"] == str(scores["small_objects"]["tiny"]["count"])
    assert shown["classes without a label"] == ", ".join(scores["absent_classes"])
    assert shown["cost.macs"] == "123456789"


def test_a_run_is_found_by_folder_record_or_name(tree: Tree) -> None:
    folder = tree.run(DATA, "kd", 1)
    names = (str(folder), str(folder / "run.json"), f"{PROFILE}/{DATA}/kd/seed1",
             f"{PROFILE}/{DATA}/kd/1", f"results/{PROFILE}/runs/{DATA}/kd/seed1")  # fmt: skip
    assert {explain(name).name for name in names} == {"demo/camvid/kd/seed1"}
    assert explain(f"{PROFILE}/{DATA}/teacher").run.kind == "teacher"
    for name in ("demo/camvid/kd/seed7", "demo/camvid/kd/best", "nowhere"):
        with pytest.raises(SuiteError, match=f"{name}: no run.json there; name a run's folder"):
            explain(name)


def test_a_copy_elsewhere_is_told_with_its_own_scores(tree: Tree, tmp_path: Path) -> None:
    shutil.move(tree.root / "results", tmp_path / "elsewhere" / "results")
    place = tmp_path / "elsewhere" / "results" / PROFILE / "runs" / DATA / "kd" / "seed1"
    assert explain(str(place)).scores is not None


def test_without_scores_of_these_weights_it_is_not_scored(tree: Tree) -> None:
    path = tree.evaluation(DATA, "kd", 1) / "scores.json"
    tree.change(path, weights_sha256="0" * 64)
    assert _section("scores").rows == (("", "not scored yet"),)
    path.unlink()
    assert _section("scores").rows == (("", "not scored yet"),)


def test_a_broken_log_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for line in ('{"step": 1, "lo', "[1]", '{"loss": 1}', '{"step": 1, "loss": "x"}'):
        path.write_text('{"step": 0, "loss": 1}\n' + line + "\n")
        with pytest.raises(SuiteError, match=r"log\.jsonl:2: not a line of a training log"):
            read_curves(path)
    with pytest.raises(SuiteError, match="cannot read the log"):
        read_curves(tmp_path / "absent")


@pytest.mark.usefixtures("tree")
def test_text_is_aligned() -> None:
    lines = list(text_lines(explain(f"{PROFILE}/{DATA}/kd/seed1")))
    start = lines.index("losses")
    assert lines[start + 1 : start + 4] == [
        "  term           first  last  mean",
        "  loss               3     1     2",
        "  cross_entropy      2     1   1.5",
    ]
    assert lines[:2] == ["run", "  kind         student"]


def test_curves_fill_their_picture_and_break_at_nan() -> None:
    drawn = draw(Curve("loss", (0, 5, 10), (2.0, 1.0, 0.0)))
    assert drawn.pieces == (((0.0, 0.0), (WIDTH / 2, HEIGHT / 2), (WIDTH, HEIGHT)),)
    assert drawn.label == "loss: 0 to 2, steps 0 to 10"
    broken = draw(Curve("loss", (0, 1, 2, 3), (1.0, math.nan, 2.0, math.inf)))
    assert [len(piece) for piece in broken.pieces] == [1, 1]
    assert draw(Curve("loss", (4,), (1.0,))).pieces == (((WIDTH / 2, HEIGHT / 2),),)
    assert draw(Curve("loss", (4,), (math.nan,))).pieces == ()


class _Tags(HTMLParser):
    """Counts tags and gathers every attribute that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href")]


def test_page_is_one_file_with_a_picture_a_curve_and_escapes_everything(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tree.run(DATA, "kd", 1)
    tree.change(folder / "run.json", paper="<script>alert(1)</script> & more")
    page = tree.root / "page.html"
    assert command.run(argparse.Namespace(name=str(folder), html=page)) == 0
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text()
    assert text == render(explain(str(folder)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
    tags = _Tags()
    tags.feed(text)
    assert tags.tags.count("svg") == 4
    assert tags.tags.count("circle") == 1  # val_miou was logged once
    assert "script" not in tags.tags
    assert len(tags.loads) == 2  # the label maps that the evaluation kept
    assert all((load or "").startswith("data:image/png;base64,") for load in tags.loads)


@pytest.mark.usefixtures("tree")
def test_command_prints_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{PROFILE}/{DATA}/kd/seed1"
    assert command.run(argparse.Namespace(name=name, html=None)) == 0
    assert capsys.readouterr().out == "\n".join(text_lines(explain(name))) + "\n"
