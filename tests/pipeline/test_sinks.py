"""Training logs copied for TensorBoard and DVCLive."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from segdistill.commands import export_logs as command
from segdistill.errors import SuiteError
from segdistill.pipeline.sinks import SINKS, export_logs

LOG = """{"step": 0, "loss": 3.0, "kd/pixel": 1.0, "learning_rate": 0.1}
{"step": 5, "val_miou": 0.5}
{"step": 10, "loss": 2.0, "kd/pixel": null, "learning_rate": 0.05}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two runs below one folder."""
    for method in ("student", "kd"):
        folder = tmp_path / "results" / method / "seed0"
        folder.mkdir(parents=True)
        (folder / "log.jsonl").write_text(LOG)
    return tmp_path / "results"


def test_tensorboard_reads_every_finite_value_at_its_step(source: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for _ in range(2):  # once more replaces, it does not add
        places = export_logs(source, "tensorboard", tmp_path / "out")
    assert places == [tmp_path / "out" / method / "seed0" for method in ("kd", "student")]
    events = accumulator.EventAccumulator(str(places[0])).Reload()
    found = {
        tag: [(event.step, pytest.approx(event.value)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    assert found == {
        "loss": [(0, 3.0), (10, 2.0)],
        "kd/pixel": [(0, 1.0)],
        "val_miou": [(5, 0.5)],
        "learning_rate": [(0, 0.1), (10, 0.05)],
    }


def test_dvclive_leaves_the_repository_as_it_was(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dvclive")
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (place, _) = export_logs(source, "dvclive", tmp_path / "out")
    assert json.loads((place / "metrics.json").read_text())["loss"] == 2.0
    lines = (place / "plots" / "metrics" / "loss.tsv").read_text().splitlines()
    assert lines == ["step\tloss", "0\t3.0", "10\t2.0"]
    assert (tmp_path / "dvc.yaml").read_text() == "stages: {}\n"
    assert {path.name for path in tmp_path.iterdir()} == {".git", "dvc.yaml", "out", "results"}


@pytest.mark.parametrize("sink", SINKS)
def test_an_absent_package_is_named(
    source: Path, tmp_path: Path, sink: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("torch.utils.tensorboard", "dvclive", "dvclive.live"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SuiteError, match=rf"{sink} is not installed; pip install -e '\.\[{sink}"):
        export_logs(source, sink, tmp_path)


def test_a_folder_without_a_log_or_with_a_broken_one_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"out: no log\.jsonl below"):
        export_logs(tmp_path / "out", "dvclive", tmp_path)
    (source / "kd" / "seed0" / "log.jsonl").write_text('{"loss": 1}\n')
    with pytest.raises(SuiteError, match=r"log\.jsonl:1: not a line"):
        export_logs(source, "dvclive", tmp_path / "out")


def test_the_command_says_where_and_how_to_look(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    out = tmp_path / "out"
    assert command.run(Namespace(folder=source, to="tensorboard", out=out)) == 0
    assert capsys.readouterr().out == f"2 logs written below {out}\ntensorboard --logdir {out}\n"
