"""`show` tells of a run what its records and its log say."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from published_tree import DATA, make_published
from results_tree import EXPERIMENT, Tree

from segdistill.commands import show
from segdistill.errors import SuiteError
from segdistill.report.run_text import find_run, log_rows, run_lines

LOG = """{"step": 0, "loss": 3.0, "kd/pixel": 1.0, "gradient/kd/pixel": 0.5}
{"step": 1, "val_miou": 0.5}
{"step": 2, "loss": 2.0, "kd/pixel": 0.5, "gradient/kd/pixel": 0.5}
{"step": 3, "loss": 1.0, "kd/pixel": null, "gradient/kd/pixel": 0.5}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_published(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def tree(whole: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    root = tmp_path / "project"
    shutil.copytree(whole.root, root)
    monkeypatch.chdir(root)
    tree = replace(whole, root=root)
    (tree.run(DATA, "kd", 1) / "log.jsonl").write_text(LOG)
    return tree


def told(folder: Path) -> dict[str, dict[str, str]]:
    """The sections, each as what follows a name on its line."""
    sections: dict[str, dict[str, str]] = {}
    for line in run_lines(folder):
        if line and not line.startswith(" "):
            section = sections.setdefault(line, {})
        elif line:
            name, _, rest = line.strip().partition("  ")
            section[name] = rest.strip()
    return sections


def test_everything_recorded_is_told(tree: Tree) -> None:
    folder = tree.run(DATA, "kd", 1)
    record = json.loads((folder / "run.json").read_text())
    sections = told(folder)
    assert [*sections] == ["run", "config", "seconds", "environment", "hashes", "log", "scores"]
    assert sections["run"]["method"] == "kd"
    assert sections["run"]["steps"] == "60"
    assert sections["config"]["training.steps"] == "60"
    assert sections["config"]["student.decoder"] == "pspnet"
    assert sections["seconds"]["total"] == "8"
    assert sections["seconds"]["teacher"] == "1.33333"
    assert sections["environment"]["packages.torch"] == "2.0"
    assert sections["hashes"]["weights_sha256"] == record["weights_sha256"]
    assert sections["hashes"]["pretrained_sha256"] == "none"
    assert sections["hashes"]["git_commit"] == record["git_commit"]
    keys = [key for section in sections.values() for key in section]
    known = record.keys() - {"schema", "config", "seconds", "environment"}
    assert known <= set(keys)


def test_scores_are_percentages_of_the_record(tree: Tree) -> None:
    scores = json.loads((tree.evaluation(DATA, "kd", 1) / "scores.json").read_text())
    shown = told(tree.run(DATA, "kd", 1))["scores"]
    assert (shown["split"], shown["images"]) == ("test", "6")
    assert shown["miou"] == f"{100 * scores['miou']:.2f} %"
    assert shown["boundary_iou.0.02"] == f"{100 * scores['boundary_iou']['0.02']:.2f} %"
    assert shown["small_objects.tiny.count"] == str(scores["small_objects"]["tiny"]["count"])
    assert shown["cost.macs"] == "123456789"
    assert shown["cost.latency_ms"] == "1.5"


def test_the_log_is_first_last_and_mean_of_every_quantity(tree: Tree) -> None:
    folder = tree.run(DATA, "kd", 1)
    assert log_rows(folder / "log.jsonl") == [
        ("loss", "3", "1", "2"),
        ("kd/pixel", "1", "nan", "nan"),
        ("gradient/kd/pixel", "0.5", "0.5", "0.5"),
        ("val_miou", "0.5", "0.5", "0.5"),
    ]
    lines = list(run_lines(folder))
    start = lines.index("log")
    assert lines[start + 1 : start + 4] == [
        "  quantity           first  last  mean",
        "  loss                   3     1     2",
        "  kd/pixel               1   nan   nan",
    ]


def test_a_run_is_found_by_folder_record_or_name(tree: Tree) -> None:
    folder = tree.run(DATA, "kd", 1)
    names = (str(folder), str(folder / "run.json"), f"{EXPERIMENT}/{DATA}/kd/seed1",
             f"{EXPERIMENT}/{DATA}/kd/1", f"results/{EXPERIMENT}/runs/{DATA}/kd/seed1")  # fmt: skip
    assert {find_run(name).resolve() for name in names} == {folder}
    assert find_run(f"{EXPERIMENT}/{DATA}/teacher").resolve() == tree.run(DATA, "teacher")
    for name in ("demo/camvid/kd/seed7", "demo/camvid/kd/best", "nowhere"):
        with pytest.raises(SuiteError, match=f"{name}: no run.json there; name a run's folder"):
            find_run(name)


def test_a_copy_elsewhere_is_told_with_its_own_scores(tree: Tree, tmp_path: Path) -> None:
    shutil.move(tree.root / "results", tmp_path / "elsewhere" / "results")
    place = tmp_path / "elsewhere" / "results" / EXPERIMENT / "runs" / DATA / "kd" / "seed1"
    assert "miou" in told(place)["scores"]


def test_without_scores_of_these_weights_it_is_not_scored(tree: Tree) -> None:
    path = tree.evaluation(DATA, "kd", 1) / "scores.json"
    tree.change(path, weights_sha256="0" * 64)
    assert told(tree.run(DATA, "kd", 1))["scores"] == {"not scored yet": ""}
    path.unlink()
    assert told(tree.run(DATA, "kd", 1))["scores"] == {"not scored yet": ""}


def test_a_broken_log_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for line in ('{"step": 1, "lo', "[1]", '{"loss": 1}', '{"step": 1, "loss": "x"}'):
        path.write_text('{"step": 0, "loss": 1}\n' + line + "\n")
        with pytest.raises(SuiteError, match=r"log\.jsonl:2: not a line of a training log"):
            log_rows(path)
    with pytest.raises(SuiteError, match="cannot read the log"):
        log_rows(tmp_path / "absent")


def test_command_prints_the_runs(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{EXPERIMENT}/{DATA}/kd/seed{seed}" for seed in (0, 1)]
    assert show.run(argparse.Namespace(runs=names, log=None)) == 0
    lines = [line for seed in (0, 1) for line in run_lines(tree.run(DATA, "kd", seed))]
    assert capsys.readouterr().out == "\n".join(lines) + "\n"
