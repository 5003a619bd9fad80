"""The stages of an experiment as jobs, and what a job's output says of those that failed."""

import re
from dataclasses import dataclass

from segdistill.settings.cell import TEACHER, Cell
from segdistill.settings.loading import pipeline_of
from segdistill.settings.schema import Experiment
from segdistill.stop import EXIT_CODE

RUNNING = re.compile(r"^Running stage '([^']+)'")
FAILED = re.compile(r"^ERROR: failed to reproduce\b(.*)")
STOPPED = f"exited with {EXIT_CODE}"
NOISE = "submitit "  # what submitit's own lines begin with


@dataclass(frozen=True)
class Job:
    """Stages that one `dvc repro` runs in this order, and the jobs that need their results."""

    name: str
    stages: tuple[str, ...]
    then: tuple["Job", ...] = ()


def matrix_jobs(experiment: Experiment) -> list[Job]:
    """A job for every dataset's teacher; then one for all students of a dataset and seed."""
    pipeline, name = pipeline_of(experiment.name), experiment.name
    jobs = []
    for dataset in experiment.datasets:
        students = []
        for seed in experiment.seeds:
            cells = [Cell(name, dataset, method, seed).stage for method in experiment.methods]
            stages = [s for c in cells for s in (c, c.replace("train@", "evaluate@"))]
            own = tuple(f"{pipeline}{stage}" for stage in stages)
            students.append(Job(f"{dataset}-seed{seed}", own))
        teacher = (Cell(name, dataset, TEACHER, 0).stage, f"evaluate_teacher@{dataset}")
        first = (f"data/dvc.yaml:prepare@{dataset}", *(f"{pipeline}{s}" for s in teacher))
        jobs.append(Job(f"{dataset}-teacher", first, tuple(students)))
    return jobs


def failed_cells(job: Job, log: str) -> dict[str, str]:
    """The cells of a failed job that are at fault, each with the first error that its stage
    printed, else with the last line of `log`.

    A stage may print the error of another cell of its cohort, so dvc's last word is what counts;
    without one, it is the last stage that ran.
    """
    reasons: dict[str, str] = {}
    at_fault: list[str] = []
    stage, last = job.name, "no message"
    for line in log.splitlines():
        if found := RUNNING.match(line):
            stage = found[1]
        elif line.startswith("error: "):
            reasons.setdefault(stage, line.removeprefix("error: "))
        elif found := FAILED.match(line):
            at_fault = re.findall(r"'([^']+)'", found[1].partition(": failed to")[0])
        if line.strip() and not line.startswith(NOISE):
            last = line.strip()
    cells: dict[str, str] = {}
    for name in at_fault or [stage]:
        cells.setdefault(name.partition("@")[2] or name, reasons.get(name, last))
    return cells


def was_stopped(log: str) -> bool:
    """Whether a stage saved its state because it was asked to stop."""
    return STOPPED in log
