"""Training logs as one table and as TensorBoard's event files."""

import argparse
import sys
from pathlib import Path

import pandas as pd
import pytest
from results_tree import EXPERIMENT, Tree, make_tree

from segdistill.commands import show
from segdistill.errors import SuiteError
from segdistill.report.log_export import to_csv, to_tensorboard

DATA = "camvid"
LOG = """{"step": 0, "loss": 3.0, "kd/pixel": 1.0}
{"step": 5, "val_miou": 0.5}
{"step": 10, "loss": 2.0, "kd/pixel": null}
"""
NAMES = [f"{EXPERIMENT}/runs/{DATA}/{method}/seed0" for method in ("student", "kd")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = make_tree(tmp_path_factory.mktemp("tree"), (DATA,), ("student", "kd"), (0,))
    for method in tree.methods:
        (tree.run(DATA, method) / "log.jsonl").write_text(LOG)
    return tree


@pytest.fixture
def folders(tree: Tree) -> list[Path]:
    return [tree.run(DATA, method) for method in tree.methods]


def test_a_table_has_a_line_a_value(folders: list[Path], tmp_path: Path) -> None:
    to_csv(folders, tmp_path / "log.csv")
    table = pd.read_csv(tmp_path / "log.csv")
    assert list(table.columns) == ["run", "step", "quantity", "value"]
    assert list(table["run"].unique()) == NAMES
    values = table[table["run"] == NAMES[1]].drop(columns="run").to_numpy().tolist()
    assert values[:4] == [[0, "loss", 3], [0, "kd/pixel", 1], [5, "val_miou", 0.5], [10, "loss", 2]]
    assert values[4][:2] == [10, "kd/pixel"]
    assert table["value"].isna().sum() == 2


def test_tensorboard_reads_every_finite_value_at_its_step(
    folders: list[Path], tmp_path: Path
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for _ in range(2):  # once more replaces, it does not add
        to_tensorboard(folders, tmp_path)
    events = accumulator.EventAccumulator(str(tmp_path / NAMES[0])).Reload()
    found = {
        tag: [(event.step, pytest.approx(event.value)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    assert found == {
        "loss": [(0, 3.0), (10, 2.0)],
        "kd/pixel": [(0, 1.0)],
        "val_miou": [(5, 0.5)],
    }
    assert (tmp_path / NAMES[1]).is_dir()


def test_an_absent_package_is_named(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SuiteError, match=r"not installed; pip install -e '\.\[tensorboard\]'"):
        to_tensorboard(folders, tmp_path)


def test_the_command_chooses_by_the_name(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    names = [str(folder) for folder in folders]
    assert show.run(argparse.Namespace(runs=names, log=tmp_path / "all.csv")) == 0
    assert show.run(argparse.Namespace(runs=names, log=tmp_path / "logs")) == 0
    printed = f"{tmp_path}/all.csv\ntensorboard --logdir {tmp_path}/logs\n"
    assert capsys.readouterr().out == printed
    assert (tmp_path / "all.csv").read_text().startswith("run,step,quantity,value\n")
    assert list((tmp_path / "logs" / NAMES[0]).glob("events.out.tfevents.*"))
