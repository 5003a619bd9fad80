"""The stages of a profile as jobs, each run by one `dvc repro` at one place."""

from dataclasses import dataclass

from segdistill.settings.schema import Params


@dataclass(frozen=True)
class Job:
    """Stages of dvc.yaml that belong together, in the order in which they run."""

    name: str
    stages: tuple[str, ...]
    cells: int = 0  # trainings among them
    after: str | None = None  # the job whose results it needs


def first_job() -> Job:
    """What all stages depend on."""
    return Job("digest", ("digest",))


def last_job(grid: Params) -> Job:
    """The tables of whatever is finished."""
    return Job(f"compare-{grid.profile}", (f"compare@{grid.profile}",))


def matrix_jobs(grid: Params, cohort: bool) -> list[Job]:
    """A job for every teacher, and one for every cell, or for all cells of a seed (`cohort`)."""
    jobs = []
    for dataset in grid.datasets:
        place = f"{grid.profile}-{dataset}"
        kinds = ("prepare", "teacher", "evaluate_teacher")
        jobs.append(Job(place, tuple(f"{kind}@{place}" for kind in kinds), cells=1))
        for seed in grid.seeds:
            cells = [f"{place}-{method}-{seed}" for method in grid.methods]
            groups = {f"{place}-seed{seed}": cells} if cohort else {cell: [cell] for cell in cells}
            jobs += [_students(name, group, place) for name, group in groups.items()]
    return jobs


def _students(name: str, cells: list[str], teacher: str) -> Job:
    stages = tuple(f"{kind}@{cell}" for cell in cells for kind in ("train", "evaluate"))
    return Job(name, stages, len(cells), after=teacher)
