"""How long the cells still to be trained will take, and how much disk, from measured runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from statistics import fmean
from typing import Any

from segdistill.errors import SuiteError
from segdistill.pipeline.cohorts import cohorts
from segdistill.pipeline.devices import gpu_model
from segdistill.pipeline.environment import processor
from segdistill.pipeline.states import CellState
from segdistill.records import Seconds, read_run
from segdistill.settings.cell import RESULTS, TEACHER, Cell
from segdistill.settings.schema import Execution

Key = tuple[str, str]  # dataset, method


@dataclass(frozen=True)
class Cost:
    """What one training costs."""

    shared: float  # seconds a step for data and teacher, which a cohort has in common
    own: float  # seconds a step for everything else
    bytes: float  # on disk, scratch folder and DVC's cache included

    @classmethod
    def of(cls, seconds: Seconds, steps: int, size: float) -> "Cost":
        """From a training of `steps` steps."""
        shared = seconds.data + seconds.teacher
        return cls(shared / steps, (seconds.total - shared) / steps, size)


@dataclass(frozen=True)
class Forecast:
    """What is left to do."""

    seconds: float  # wall time of training
    bytes: float


def measured(experiment: str) -> dict[Key, Cost]:
    """Costs by dataset and method: means over the runs of `experiment` in results/ that were
    trained on a machine of this kind.
    """
    found: dict[Key, list[Cost]] = {}
    folder = RESULTS / experiment
    for path in (*folder.glob("teachers/*/run.json"), *folder.glob("runs/*/*/seed*/run.json")):
        try:
            run = read_run(path)
        except SuiteError:
            continue
        if run.steps and same_kind(run.environment):
            key = (run.dataset, run.method)
            size = _bytes(Cell(experiment, run.dataset, run.method, run.seed))
            found.setdefault(key, []).append(Cost.of(run.seconds, run.steps, size))
    return {key: _mean(costs) for key, costs in found.items()}


def same_kind(environment: Mapping[str, Any]) -> bool:
    """Whether a run's `environment` names this machine's GPU or, without one, its processor."""
    gpu = gpu_model()
    same = gpu is not None or environment.get("processor") == processor()
    return same and environment.get("device") == (gpu or "cpu")


def cost_of(cell: Cell, costs: Mapping[Key, Cost]) -> Cost | None:
    """The cell's cost; else its method's on other datasets; else a student's; None of a teacher."""
    for same in (
        lambda key: key == (cell.dataset, cell.method),
        lambda key: key[1] == cell.method,
        lambda key: TEACHER not in (key[1], cell.method),
    ):
        if fitting := [cost for key, cost in costs.items() if same(key)]:
            return _mean(fitting)
    return None


def forecast(
    waiting: Sequence[CellState], costs: Mapping[Key, Cost], execution: Execution
) -> Forecast | None:
    """Wall time and disk of training the cells that are `waiting`, one dataset after the other.

    None if a cost is not known.
    """
    found = {state: cost_of(state.cell, costs) for state in waiting}
    known = {state: cost for state, cost in found.items() if cost}
    if len(known) < len(found):
        return None
    seconds = 0.0
    for dataset in dict.fromkeys(state.cell.dataset for state in waiting):
        here = {state: cost for state, cost in known.items() if state.cell.dataset == dataset}
        teachers = {state: cost for state, cost in here.items() if state.cell.is_teacher}
        students = {state: cost for state, cost in here.items() if not state.cell.is_teacher}
        seconds += sum(map(alone, teachers, teachers.values()))
        seconds += _students_seconds(students, execution)
    return Forecast(seconds, sum(cost.bytes for cost in known.values()))


def makespan(jobs: Iterable[float], processes: int) -> float:
    """Seconds until `processes` have done `jobs` (seconds each); a free one takes the next."""
    ends = [0.0] * processes
    for seconds in jobs:
        heapreplace(ends, ends[0] + seconds)
    return max(ends)


def alone(state: CellState, cost: Cost) -> float:
    """Seconds of one cell trained by itself."""
    return state.steps * (cost.shared + cost.own)


def _students_seconds(students: Mapping[CellState, Cost], execution: Execution) -> float:
    """In cohorts, students of a seed share data and teacher, and cohorts run side by side."""
    if not execution.cohort:
        return sum(map(alone, students, students.values()))
    seeds = [(state.cell.seed, state) for state in students]
    jobs = [
        _cohort_seconds({state: students[state] for state in cohort})
        for _, cohort in cohorts(seeds, execution.processes)
    ]
    return makespan(jobs, execution.processes)


def _cohort_seconds(cohort: Mapping[CellState, Cost]) -> float:
    shared = max(state.steps * cost.shared for state, cost in cohort.items())
    return shared + sum(state.steps * cost.own for state, cost in cohort.items())


def _mean(costs: Iterable[Cost]) -> Cost:
    costs = list(costs)
    return Cost(
        fmean(cost.shared for cost in costs),
        fmean(cost.own for cost in costs),
        fmean(cost.bytes for cost in costs),
    )


def _bytes(cell: Cell) -> float:
    """The published files, their twins in the scratch folder, and weights in DVC's cache."""
    sizes = {
        path: path.stat().st_size
        for folder in (cell.run_dir, cell.evaluation_dir)
        for path in folder.rglob("*")
        if path.is_file()
    }
    cached = sum(size for path, size in sizes.items() if path.suffix == ".safetensors")
    return 2 * sum(sizes.values()) + cached
