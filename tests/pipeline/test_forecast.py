"""Hours and disk that are left, from runs on machines of this kind or from a few steps."""

from pathlib import Path

import pytest
from published_tree import DATA, make_published
from results_tree import EXPERIMENT, STEPS, Tree

from segdistill.pipeline import devices, probe
from segdistill.pipeline import forecast as forecasting
from segdistill.pipeline.environment import processor
from segdistill.pipeline.forecast import (
    Cost,
    Forecast,
    cost_of,
    forecast,
    makespan,
    measured,
    same_kind,
)
from segdistill.pipeline.states import CellState, State
from segdistill.pipeline.status import duration, work_lines
from segdistill.settings.cell import Cell
from segdistill.settings.loading import read_experiment
from segdistill.settings.schema import Execution

COHORT = Execution(cohort=True, processes=2)
COSTS = {
    ("a", "teacher"): Cost(0.1, 0.4, 1000.0),
    ("a", "student"): Cost(0.2, 0.1, 100.0),
    ("a", "kd"): Cost(0.3, 0.2, 200.0),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_published(tmp_path_factory.mktemp("plan"))


@pytest.fixture(autouse=True)
def _inside(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.root)
    monkeypatch.setattr(devices, "GPUS", tree.root / "gpus")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def _cell(method: str, seed: int = 0, state: State = "missing", dataset: str = "a") -> CellState:
    return CellState(Cell("p", dataset, method, seed), state, "", 100)


def _seconds(cells: list[CellState], execution: Execution) -> float:
    left = forecast(cells, COSTS, execution)
    assert left is not None
    return left.seconds


def test_costs_are_means_over_the_seeds_of_a_method(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made-up run takes 6 + len(method) seconds, a sixth of it in each of the six phases."""
    assert measured(EXPERIMENT) == {}  # made on another processor
    monkeypatch.setattr(forecasting, "processor", lambda: "test")
    costs = measured(EXPERIMENT)
    assert sorted(costs) == [(DATA, m) for m in ("kd", "pcd", "student", "teacher")]
    kd = costs[DATA, "kd"]
    assert kd.shared * STEPS == pytest.approx(8 * 2 / 6)
    assert kd.own * STEPS == pytest.approx(8 * 4 / 6)
    folders = [place(DATA, "kd", s) for s in (0, 1) for place in (tree.run, tree.evaluation)]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert kd.bytes == pytest.approx(2 * sum(path.stat().st_size for path in files) / 2)
    assert measured("absent") == {}


def test_a_cell_without_runs_of_its_own_takes_the_nearest_cost() -> None:
    costs = {**COSTS, ("b", "kd"): Cost(0.5, 0.4, 300.0)}
    assert cost_of(_cell("kd").cell, costs) == costs["a", "kd"]
    assert cost_of(_cell("kd", dataset="c").cell, costs) == Cost(0.4, pytest.approx(0.3), 250.0)
    assert cost_of(_cell("pcd").cell, COSTS) == Cost(0.25, pytest.approx(0.15), 150.0)
    assert cost_of(_cell("teacher", dataset="c").cell, COSTS) == COSTS["a", "teacher"]
    assert cost_of(_cell("teacher").cell, {("a", "kd"): COSTS["a", "kd"]}) is None


def test_cohorts_share_data_and_teacher_and_run_side_by_side() -> None:
    cells = [_cell("teacher"), *(_cell(m, s) for m in ("student", "kd") for s in range(4))]
    # teacher 100 (0.1 + 0.4); a seed 100 (0.3 + 0.1 + 0.2) = 60; four seeds on two processes
    assert forecast(cells, COSTS, COHORT) == Forecast(50 + 120, 1000 + 4 * 300)
    # one seed is split into kd 100 (0.3 + 0.2) = 50 and a student of 30, one cell is not
    assert _seconds(cells[1:3], COHORT) == pytest.approx(30)  # seeds 0 and 1
    assert _seconds([cells[1], cells[5]], COHORT) == pytest.approx(50)
    assert _seconds(cells[1:2], COHORT) == pytest.approx(30)
    # alone: 30 for a student and 50 for kd, four times
    assert _seconds(cells, Execution()) == pytest.approx(50 + 4 * (30 + 50))


def test_a_run_counts_on_a_machine_of_its_kind_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"device": "cpu", "processor": processor()}
    assert same_kind(here)
    assert not same_kind({**here, "processor": "another"})
    assert not same_kind({**here, "device": "NVIDIA H100 80GB HBM3"})
    (tmp_path / "0000:01:00.0").mkdir()
    file = tmp_path / "0000:01:00.0" / "information"
    file.write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 58\n")
    monkeypatch.setattr(devices, "GPUS", tmp_path)
    assert same_kind({"device": "NVIDIA H100 80GB HBM3", "processor": "another"})
    assert not same_kind(here)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert same_kind(here)


def test_a_free_process_takes_the_next_job() -> None:
    assert makespan([3.0, 1.0, 1.0, 4.0], 1) == 9
    assert makespan([3.0, 1.0, 1.0, 4.0], 2) == 6  # 1 + 1 + 4 beside the 3
    assert makespan([3.0, 1.0, 1.0, 4.0], 9) == 4
    assert makespan([], 3) == 0


def test_unmeasured_trainings_make_the_forecast_unknown() -> None:
    assert forecast([_cell("kd")], {}, COHORT) is None
    assert forecast([], {}, COHORT) == Forecast(0.0, 0)


def test_what_is_left_is_summed_up() -> None:
    cells = [_cell("teacher"), _cell("student", 0, "done"), _cell("kd"), _cell("dist", 1, "stale")]
    left = Forecast(3700.0, 3 * 2**20)
    assert list(work_lines(cells, left, 5 * 2**20)) == [
        "3 to train: about 62 min (scoring not counted), 3 MiB of disk; 5 MiB are free",
        "a/teacher is to be trained: if its weights change, the 1 students of a that are ready "
        "are trained anew",
    ]
    unknown = list(work_lines(cells[2:], None, 0))
    assert unknown == ["2 to train: time and disk unknown; measure them with --probe"]
    assert list(work_lines(cells[1:2], Forecast(0, 0), 0)) == []


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (0.4, 119, 120, 7199, 7200, 2e5)] == [
        "0 s", "119 s", "2 min", "120 min", "2.0 h", "2.3 days",
    ]  # fmt: skip


def test_probe_times_every_method_and_keeps_nothing(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe, "STEPS", 2)
    before = sorted(tree.root.rglob("*"))
    costs = probe.probe(read_experiment(), DATA, ["teacher", "student", "kd"])
    assert sorted(costs) == [(DATA, "kd"), (DATA, "student"), (DATA, "teacher")]
    assert all(cost.own > 0 and cost.shared > 0 for cost in costs.values())
    assert costs[DATA, "teacher"].bytes > costs[DATA, "kd"].bytes == costs[DATA, "student"].bytes
    assert sorted(tree.root.rglob("*")) == before
    assert "2/2" in capsys.readouterr().err
