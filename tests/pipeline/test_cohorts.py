"""Which students are trained together, and how many jobs that makes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from segdistill.pipeline.cohorts import cohorts

METHODS = ["student", "kd", "cwd", "skd", "ifvd", "pcd"]


def students(seeds: int) -> list[tuple[int, str]]:
    return [(seed, method) for method in METHODS for seed in range(seeds)]


def test_a_seed_is_a_job_while_seeds_fill_the_processes() -> None:
    assert cohorts(students(4), 2) == [(seed, METHODS) for seed in range(4)]
    assert cohorts(students(4), 1) == cohorts(students(4), 4) == cohorts(students(4), 2)


def test_seeds_that_are_left_are_divided_among_the_processes() -> None:
    halves = [(4, ["student", "cwd", "ifvd"]), (4, ["kd", "skd", "pcd"])]
    whole = [(seed, METHODS) for seed in range(4)]
    assert cohorts(students(5), 2) == [*whole, *halves]
    # Of three processes two seeds cannot both have more than one.
    assert cohorts(students(2), 3) == whole[:2]
    assert cohorts([(7, "kd")], 2) == [(7, ["kd"])]
    assert cohorts([], 2) == []


@given(
    st.dictionaries(
        st.integers(0, 9), st.lists(st.integers(), min_size=1, max_size=7, unique=True)
    ),
    st.integers(1, 9),
)
def test_every_student_is_in_one_job_of_its_seed(
    by_seed: dict[int, list[int]], processes: int
) -> None:
    given_students = [(seed, student) for seed, own in by_seed.items() for student in own]
    jobs = cohorts(given_students, processes)
    found = Counter((seed, student) for seed, own in jobs for student in own)
    assert found == Counter(given_students)
    assert all(own for _, own in jobs)
    rounds = -(-len(by_seed) // processes)
    assert len(jobs) <= rounds * processes
