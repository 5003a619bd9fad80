"""A training that ends with an error is remembered, told of, and forgotten once it succeeds."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline.cells import PlannedCell, plan
from segdistill.pipeline.failures import forget_failure, last_failure, note_failure
from segdistill.pipeline.publish import publish_run
from segdistill.pipeline.states import cell_states
from segdistill.pipeline.worker import noted_failures, work
from segdistill.report.matrix import collect
from segdistill.settings.cell import Cell
from segdistill.settings.loading import PARAMS, read_experiment
from segdistill.stop import StopRequest

DATASET = "scenes_camvid"
PLACE = f"smoke/{DATASET}/broken/seed0"


@pytest.fixture
def broken(project: Path) -> Path:
    """The project with a method whose loss is infinite, beside one that is sound."""
    _set_weight(1.0e38)
    return project


def _set_weight(weight: float) -> None:
    yaml = YAML()
    params = yaml.load(PARAMS)
    params["methods"] = ["broken", "sound"]
    params["options"]["broken"] = {"method": "kd", "weight": weight}
    params["options"]["sound"] = {"method": "kd", "weight": 1.0}
    yaml.dump(params, PARAMS)


def _cell(method: str) -> PlannedCell:
    return plan(Cell("smoke", DATASET, method, 0))


def _states() -> dict[str, tuple[str, str]]:
    lacking = collect(read_experiment(), Path("results/smoke")).unfinished()
    return {found.cell.method: (found.state, found.reason) for found in lacking}


@pytest.mark.usefixtures("broken")
def test_nan_in_one_cell_of_a_cohort_fails_that_cell_alone() -> None:
    with pytest.raises(SuiteError, match=PLACE):
        work("smoke", DATASET, 0, ["broken", "sound"], StopRequest())
    state, reason = _states()["broken"]
    assert state == "failed"
    assert reason.startswith(f"{PLACE}: ")
    assert "the last good checkpoint is kept in" in reason
    assert _states()["sound"] == ("missing", "")
    assert _cell("sound").trained
    (_cell("broken").scratch / "lock").unlink()  # names this process, which lives on
    found = cell_states(read_experiment())
    states = {one.cell.name: (one.state, one.reason) for one in found}
    assert states[f"{DATASET}/broken/seed0"] == ("failed", reason)
    assert states[f"{DATASET}/sound/seed0"] == ("trained", "not published yet")


@pytest.mark.usefixtures("broken")
def test_a_training_that_succeeds_is_failed_no_longer() -> None:
    with pytest.raises(SuiteError):
        work("smoke", DATASET, 0, ["broken"], StopRequest())
    _set_weight(1.0)
    work("smoke", DATASET, 0, ["broken"], StopRequest())
    publish_run(_cell("broken"))
    assert _states()["broken"] == ("missing", "")  # not scored yet
    assert list(Path("results").rglob("*.failure.txt")) == []


@pytest.mark.usefixtures("broken")
def test_whatever_went_wrong_is_kept_for_every_cell_without_results() -> None:
    with pytest.raises(MemoryError), noted_failures([_cell("broken"), _cell("sound")]):
        raise MemoryError
    assert _states() == {"broken": ("failed", "MemoryError"), "sound": ("failed", "MemoryError")}


def test_a_reason_is_one_harmless_line(tmp_path: Path) -> None:
    output = tmp_path / "runs" / "seed0"
    assert last_failure(output) == ""
    note_failure(output, "first\nsecond \x1b[31m")
    assert last_failure(output) == r"first\nsecond \x1b[31m"
    forget_failure(output)
    forget_failure(output)
    assert last_failure(output) == ""


def test_a_disk_that_refuses_hides_no_failure(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in place of the folder")
    note_failure(tmp_path / "runs" / "seed0", "reason")
    assert last_failure(tmp_path / "runs" / "seed0") == ""
