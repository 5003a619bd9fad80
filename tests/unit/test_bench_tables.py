"""The benchmark's arithmetic: ratios, bounds, and what the tables say of them."""

import pytest

from harness.bench.bounds import BOUNDS, Bound, Verdict, step_verdicts, verdicts
from harness.bench.cases import CASES, SIZE, measured
from harness.bench.cohort import Together
from harness.bench.losses import Cost, LossRow
from harness.bench.measure import Memory
from harness.bench.steps import Spent, StepRow, least
from harness.bench.tables import bound_table, cohort_table, loss_table, step_bound_table, step_table
from harness.learner import PHASES
from harness.records import Seconds
from harness.trials import Trial

MIB = 2**20
LITERAL = Cost(0.5, Memory(64 * MIB, 32 * MIB))


def cost(seconds: float, peak: int) -> Cost:
    return Cost(seconds, Memory(peak, peak // 2))


def row(case: str, ours: Cost) -> LossRow:
    return LossRow(case, "kd", (128, 256), (64, 128), ours, LITERAL, floor_seconds=0.01)


def test_ratios_of_a_row() -> None:
    found = row("kd", cost(0.05, 16 * MIB))
    assert found.time_ratio == pytest.approx(0.1)
    assert found.memory_ratio == pytest.approx(0.25)
    assert found.over_floor == pytest.approx(5.0)


def test_loss_table_prints_milliseconds_and_mebibytes_and_keeps_exact_values() -> None:
    table = loss_table([row("kd", cost(0.05, 16 * MIB))], ["on a machine"])
    shown = [entry.text for entry in table.rows[0]]
    assert shown == ["kd", "128/256", "64x128", "50", "500", "0.1", "16", "64", "0.25", "2", "5"]
    assert table.values[0]["seconds"] == 0.05
    assert table.values[0]["literal_peak_bytes"] == 64 * MIB
    assert table.notes[-1] == "on a machine"


def test_bounds_name_cases_that_are_measured() -> None:
    names = {case.name for case in CASES}
    assert len(names) == len(CASES)
    assert {bound.case for bound in BOUNDS} <= names
    assert {bound.rival for bound in BOUNDS if bound.rival} <= names


def test_verdicts_compare_with_the_literal_formula_or_with_another_case() -> None:
    rows = [
        row("pcd", cost(0.3, MIB)),
        row("cwd, features", cost(0.2, MIB)),
        row("ifvd", cost(0.04, 8 * MIB)),
    ]
    found = {(v.bound.case, v.bound.quantity): v for v in verdicts(rows)}
    assert set(found) == {
        ("pcd", "time"),
        ("cwd, features", "time"),
        ("ifvd", "time"),
        ("ifvd", "memory"),
    }
    assert found["pcd", "time"].ratio == pytest.approx(0.3 / 0.2)
    assert not found["pcd", "time"].kept
    assert found["cwd, features", "time"].ratio == pytest.approx(0.2 / 0.5)
    assert found["ifvd", "time"].ratio == pytest.approx(0.08)
    assert found["ifvd", "memory"].ratio == pytest.approx(8 / 64)
    assert not found["ifvd", "memory"].kept


def test_a_bound_is_kept_at_its_limit() -> None:
    bound = Bound("kd", "time", 1.05)
    assert Verdict(bound, 1.05).kept
    assert not Verdict(bound, 1.0501).kept


def test_bound_table_says_what_was_missed() -> None:
    verdict = Verdict(Bound("pcd", "time", 1.0, "cwd, features"), 1.5)
    (shown,) = bound_table([verdict]).rows
    assert [entry.text for entry in shown] == ["pcd", "time", "cwd, features", "≤ 1", "1.5", "no"]


def test_step_is_the_sum_of_its_phases() -> None:
    phases = dict(zip(PHASES, (0.001, 0.002, 0.003, 0.004, 0.005, 0.006), strict=True))
    found = StepRow("kd", Spent(phases, 0.018), Spent(phases, 0.012))
    assert found.own.seconds == pytest.approx(0.021)
    assert found.over_floor == pytest.approx(1.5)
    table = step_table([found], "title", [])
    shown = [entry.text for entry in table.rows[0]]
    assert shown == ["kd", "1", "2", "3", "4", "5", "6", "21", "18", "1.5"]
    assert table.values[0]["floor_processor_seconds"] == 0.012


def test_steps_are_held_to_their_limits() -> None:
    phases = dict.fromkeys(PHASES, 0.01)
    rows = [StepRow(name, Spent(phases, 0.0106), Spent(phases, 0.01)) for name in ("kd", "pcd")]
    rows.append(StepRow("mgd", Spent(phases, 1.0), Spent(phases, 0.01)))
    shown = [[e.text for e in row] for row in step_bound_table(step_verdicts(rows)).rows]
    assert shown == [["kd", "≤ 1.05", "1.06", "no"], ["pcd", "≤ 1.15", "1.06", "yes"]]


def test_a_cohort_is_held_against_its_parts() -> None:
    def run(name: str, teacher: float, own: float, data: float = 1.0) -> Trial:
        parts = {"data": data, "teacher": teacher, "student": own, "method": 0.0}
        total = data + teacher + own
        return Trial(name, Seconds(total=total, backward=0.0, optimizer=0.0, **parts), 1, name, 1)

    alone = (run("student", 0.0, 2.0), run("kd", 3.0, 4.0))
    found = Together(alone, (run("student", 0.0, 2.5), run("kd", 3.5, 4.0)), 10.0, 11.0 / 1.1)
    assert found.over_parts == pytest.approx((1 + 3.5 + 2.5 + 4) / (1 + 3 + 2 + 4))
    assert found.over_separate == pytest.approx(1.0)
    table = cohort_table(found, 10, [])
    assert [entry.text for entry in table.rows[-1]] == ["all in a cohort", "100", "350", "650"]
    assert "takes 1.1 times one loading" in table.notes[1]


def test_least_is_taken_clock_by_clock() -> None:
    assert least([{"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 3.0}]) == {"a": 1.0, "b": 1.0}


def test_whole_maps_are_measured_where_the_usual_ones_are_smaller() -> None:
    assert [case.name for case in measured("whole")] == ["cirkd, mini-batch"]
    assert all(case.size("whole") == SIZE for case in CASES)
    assert all(case.widths("whole") == case.widths("usual") for case in CASES)
    assert {case.name for case in CASES} - {case.name for case in measured("large")} == {
        case.name for case in CASES if case.reads == ("logits",)
    }
