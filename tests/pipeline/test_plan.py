import argparse
from pathlib import Path

import pytest
import torch
from results_tree import PROFILE, STEPS, Tree
from submission_cases import DATA, make_submission

from segdistill.commands import plan
from segdistill.data.catalogue import dataset_info
from segdistill.errors import SuiteError
from segdistill.evaluation.cost import macs, parameters
from segdistill.models.segmentor import build
from segdistill.pipeline import probe
from segdistill.pipeline.arithmetic import counted_costs
from segdistill.pipeline.forecast import (
    Cost,
    Forecast,
    cost_of,
    forecast,
    makespan,
    measured,
    pooled,
)
from segdistill.pipeline.plan import duration, plan_lines
from segdistill.pipeline.states import CellState, State
from segdistill.settings.loading import read_profile
from segdistill.settings.schema import Execution

ROOT = Path(__file__).resolve().parents[2]
COHORT = Execution(cohort=True, processes=2)
COSTS = {
    ("a", "teacher"): Cost(0.1, 0.4, 1000.0),
    ("a", "student"): Cost(0.2, 0.1, 100.0),
    ("a", "kd"): Cost(0.3, 0.2, 200.0),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_submission(tmp_path_factory.mktemp("plan"))


@pytest.fixture(autouse=True)
def _inside(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.root)


def _cell(method: str, seed: int = 0, state: State = "missing", dataset: str = "a") -> CellState:
    return CellState(dataset, method, seed, state, "", 100)


def test_costs_are_means_over_the_seeds_of_a_method(tree: Tree) -> None:
    """A made-up run takes 6 + len(method) seconds, a sixth of it in each of the six phases."""
    costs = measured(PROFILE)
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
    assert cost_of(_cell("kd"), costs) == costs["a", "kd"]
    assert cost_of(_cell("kd", dataset="c"), costs) == Cost(0.4, pytest.approx(0.3), 250.0)
    assert cost_of(_cell("pcd"), COSTS) == Cost(0.25, pytest.approx(0.15), 150.0)
    assert cost_of(_cell("teacher", dataset="c"), COSTS) == COSTS["a", "teacher"]
    assert cost_of(_cell("teacher"), {("a", "kd"): COSTS["a", "kd"]}) is None


def test_cohorts_share_data_and_teacher_and_run_side_by_side() -> None:
    cells = [_cell("teacher"), *(_cell(m, s) for m in ("student", "kd") for s in range(4))]
    # teacher 100 (0.1 + 0.4); a seed 100 (0.3 + 0.1 + 0.2) = 60; four seeds on two processes
    assert forecast(cells, COSTS, COHORT) == Forecast(50 + 120, 1000 + 4 * 300)
    # one seed is split into kd 100 (0.3 + 0.2) = 50 and a student of 30, one cell is not
    assert forecast(cells[1:3], COSTS, COHORT).seconds == pytest.approx(30)  # seeds 0 and 1
    assert forecast([cells[1], cells[5]], COSTS, COHORT).seconds == pytest.approx(50)
    assert forecast(cells[1:2], COSTS, COHORT).seconds == pytest.approx(30)
    # alone: 30 for a student and 50 for kd, four times
    assert forecast(cells, COSTS, Execution()).seconds == pytest.approx(50 + 4 * (30 + 50))


def test_devices_of_a_pool_share_cells_or_seeds() -> None:
    cells = [_cell("teacher"), *(_cell(m, s) for m in ("student", "kd") for s in range(4))]
    # teacher 50; then four students of 30 and four of kd of 50, or four cohorts of 60
    assert pooled(cells, COSTS, cohort=False, workers=1) == pytest.approx(50 + 4 * (30 + 50))
    assert pooled(cells, COSTS, cohort=False, workers=8) == pytest.approx(50 + 50)
    assert pooled(cells, COSTS, cohort=False, workers=4) == pytest.approx(50 + 30 + 50)
    assert pooled(cells, COSTS, cohort=True, workers=3) == pytest.approx(50 + 2 * 60)
    assert pooled(cells, {}, cohort=True, workers=3) is None


def test_makespan_lets_no_job_start_before_what_it_waits_for() -> None:
    chains = [(10.0, [5.0, 5.0]), (4.0, [1.0])]
    assert makespan(chains, 1) == 25
    assert makespan(chains, 2) == 15  # 10, then two of 5 side by side; 4 and 1 fit beside the 10
    assert makespan(chains, 100) == 15
    assert makespan([], 3) == 0


def test_counted_costs_are_the_networks_operations_over_the_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    profile = read_profile("smoke")
    costs = counted_costs("smoke", profile, teraflops=1e-6)  # a million operations a second
    teacher, kd = costs["scenes_camvid", "teacher"], costs["scenes_camvid", "kd"]
    student = costs["scenes_camvid", "student"]
    assert (teacher.shared, student.shared) == (0.0, 0.0)
    # The teacher's batch is 4, the students' 2: three passes of 4 against one of 2.
    assert kd.shared == pytest.approx(teacher.own / 6)
    assert kd.own == student.own > 0
    doubled = counted_costs("smoke", profile, teraflops=2e-6)
    assert doubled["scenes_camvid", "kd"].own == pytest.approx(kd.own / 2)
    classes = len(dataset_info("scenes_camvid").classes)
    net = build(profile.networks.student, classes)
    assert kd.own == pytest.approx(3 * 2 * 2 * macs(net, torch.empty(1, 3, 64, 64)) / 1e6)
    assert kd.bytes == 12 * parameters(net)


def test_unmeasured_trainings_make_the_forecast_unknown() -> None:
    assert forecast([_cell("kd")], {}, COHORT) == Forecast(None, None)
    assert forecast([], {}, COHORT) == Forecast(0.0, 0)


def test_plan_lists_what_is_open_and_sums_it_up() -> None:
    cells = [
        _cell("teacher"),
        _cell("student", 0, "done"),
        _cell("student", 1, "trained"),
        CellState("a", "kd", 0, "stale", "code", 100),
        _cell("dist", 1),
    ]
    waiting = [cells[0], *cells[3:]]
    left = Forecast(3700.0, 3 * 2**20)
    assert len(waiting) == 3
    assert list(plan_lines(cells, {("a", "kd"): COSTS["a", "kd"]}, left, 5 * 2**20)) == [
        "missing  a/teacher              100 steps         ?",
        "trained  a/student/seed1        100 steps         -",
        "stale    a/kd/seed0             100 steps      50 s  code",
        "missing  a/dist/seed1           100 steps      50 s",
        "1 done: published and scored",
        "1 trained: trained; `dvc repro` only has to publish or score it",
        "1 stale: results of other settings, code, data or teacher; will be made anew",
        "2 missing: nothing yet",
        "3 to train: about 62 min (scoring not counted), 3 MiB of disk; 5 MiB are free",
        "a/teacher is to be trained: if its weights change, the 2 students of a that are ready "
        "are trained anew",
    ]
    unknown = list(plan_lines(waiting[:1], {}, Forecast(None, None), 0))
    assert unknown[-1] == "1 to train: time and disk unknown; measure them with --probe"
    done = list(plan_lines([cells[1]], {}, Forecast(0, 0), 0))
    assert done == ["1 done: published and scored", "nothing to train"]


def test_seeds_that_are_alike_share_a_line() -> None:
    cells = [*(_cell("kd", seed) for seed in range(3)), _cell("kd", 3, "started")]
    lines = list(plan_lines(cells, COSTS, Forecast(None, None), 0))
    assert lines[:2] == [
        "missing  a/kd/seeds 0,1,2 3 x    100 steps      50 s",
        "started  a/kd/seed3              100 steps      50 s",
    ]


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (0.4, 119, 120, 7199, 7200, 2e5)] == [
        "0 s", "119 s", "2 min", "120 min", "2.0 h", "2.3 days",
    ]  # fmt: skip


def test_probe_times_every_method_and_keeps_nothing(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe, "STEPS", 2)
    before = sorted(tree.root.rglob("*"))
    costs = probe.probe(PROFILE, DATA, ["teacher", "student", "kd"])
    assert sorted(costs) == [(DATA, "kd"), (DATA, "student"), (DATA, "teacher")]
    assert all(cost.own > 0 and cost.shared > 0 for cost in costs.values())
    assert costs[DATA, "teacher"].bytes > costs[DATA, "kd"].bytes == costs[DATA, "student"].bytes
    assert sorted(tree.root.rglob("*")) == before
    assert "2/2" in capsys.readouterr().err


def _options(**given: object) -> argparse.Namespace:
    unset = {"profile": None, "probe": False, "teraflops": None, "devices": None}
    return argparse.Namespace(**{**unset, **given})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devices": 0}, "--devices must be above 0, got 0"),
        ({"teraflops": -1.0}, "--teraflops must be above 0, got -1.0"),
    ],
)
def test_nothing_is_planned_for_no_device_or_no_speed(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        plan.run(_options(**options))


def test_a_faster_device_and_a_second_one_shorten_the_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = []
    for speed, devices in ((1e-5, 1), (2e-5, 1), (1e-5, 2)):
        assert plan.run(_options(teraflops=speed, devices=devices)) == 0
        last = next(x for x in capsys.readouterr().out.splitlines() if "to train: about" in x)
        found.append(float(last.split("about ")[1].split()[0]))
    assert found[1] < found[0]
    assert found[2] < found[0]


def test_command_prints_estimates_from_earlier_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.run(_options()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "profile demo: 7 cells"
    # 6 of the 60 steps that took 8 seconds, after a teacher whose weights are not there
    kd = next(line for line in lines if "camvid/kd/seeds 0,1" in line)
    assert kd.split()[:8] == ["stale", "camvid/kd/seeds", "0,1", "2", "x", "6", "steps", "1"]
    assert "weights.safetensors: cannot read" in kd
