"""How the students of a dataset are divided into jobs: cohorts, each of one seed."""

from collections.abc import Iterable
from typing import TypeVar

Student = TypeVar("Student")


def cohorts(
    students: Iterable[tuple[int, Student]], processes: int
) -> list[tuple[int, list[Student]]]:
    """Seed and students of every job, from students with their seeds; the first seed comes first.

    One job a seed, as long as seeds fill `processes`. The seeds that are left are divided further:
    of five on two processes the fifth becomes two jobs. Both repeat the teacher's forward, but
    neither process is idle.
    """
    by_seed: dict[int, list[Student]] = {}
    for seed, student in students:
        by_seed.setdefault(seed, []).append(student)
    left = len(by_seed) % processes
    parts = processes // left if left else 1
    jobs = []
    for number, (seed, own) in enumerate(by_seed.items()):
        count = parts if number >= len(by_seed) - left else 1
        jobs += [(seed, own[part::count]) for part in range(min(count, len(own)))]
    return jobs
