"""How the students of a dataset are divided into jobs: cohorts, each of one seed."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Student = TypeVar("Student")


def cohorts(
    by_seed: Mapping[int, Sequence[Student]], processes: int
) -> list[tuple[int, list[Student]]]:
    """Seed and students of every job, in order: one job a seed, as long as seeds fill `processes`.

    The seeds that are left are divided further: of five on two processes the fifth becomes two
    jobs. Both repeat the teacher's forward, but neither process is idle.
    """
    left = len(by_seed) % processes
    parts = processes // left if left else 1
    jobs = []
    for number, (seed, students) in enumerate(by_seed.items()):
        count = parts if number >= len(by_seed) - left else 1
        jobs += [(seed, list(students[part::count])) for part in range(count)]
    return [(seed, students) for seed, students in jobs if students]
