"""An experiment's methods trained together and one by one, on its first dataset."""

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.conftest import Record
from benchmarks.tables import Row, Table, bounds
from segdistill.errors import SuiteError
from segdistill.pipeline.probe import Trial, run_trials
from segdistill.settings.cell import Cell
from segdistill.settings.loading import read_experiment, student_run
from segdistill.settings.schema import Execution

STEPS = 40
LIMIT = 1.1  # of a cohort's time over one loading and teacher's forward and the own parts
NOTES = (
    f"Means over {STEPS} steps, wall time. own: student, method and optimiser. The weights are the "
    "same bits both ways. parts: the cohort's time over one loading and teacher's forward and the "
    "sum of the methods' own parts. wall: its time over that of the trainings one by one.",
)


@pytest.mark.slow
def test_cohort(benchmark: Any, record: Record, request: pytest.FixtureRequest) -> None:
    name: str = request.config.getoption("experiment")
    experiment = read_experiment(name)
    dataset = experiment.datasets[0]
    cells = [Cell(name, dataset, method, 0) for method in experiment.methods]
    configs = [student_run(experiment, cell) for cell in cells]
    try:
        trials = [run_trials([config], STEPS, Execution()) for config in configs]
    except SuiteError as error:  # no data
        pytest.skip(str(error))
    alone = [run for trial in trials for run in trial.runs]
    together = benchmark.pedantic(run_trials, (configs, STEPS, Execution()))
    assert [run.sha256 for run in together.runs] == [run.sha256 for run in alone]
    ratios = {
        "parts": shared_once(together.runs) / shared_once(alone),
        "wall": together.wall / sum(trial.wall for trial in trials),
    }
    verdict = f"{bounds(ratios, {'parts': LIMIT})}; wall {ratios['wall']:.3g}"
    table = Table(f"cohort-{name}", f"A cohort of {name}, {dataset}", NOTES)
    for run in alone:
        record(table, row(run.method, [run], ""))
    record(table, row("all in a cohort", together.runs, verdict))


def row(name: str, runs: Sequence[Trial], verdict: str) -> Row:
    """Milliseconds a step of all `runs`, the loading and the teacher's forward counted once."""
    data = max(run.seconds.data for run in runs)
    teacher = max(run.seconds.teacher for run in runs)
    parts = {"data ms": data, "teacher ms": teacher, "own ms": sum(run.own for run in runs)}
    spent = {part: 1e3 * seconds / STEPS for part, seconds in parts.items()}
    return {"method": name, **spent, "over one by one": verdict}


def shared_once(runs: Sequence[Trial]) -> float:
    """Seconds of all own parts and of one loading and teacher's forward."""
    shared = max(run.seconds.data + run.seconds.teacher for run in runs)
    return shared + sum(run.own for run in runs)
