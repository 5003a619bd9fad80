"""What must be equal, and what must differ, among the cells of one dataset."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from segdistill.check.folder import Submitted
from segdistill.report.matrix import STUDENT

RECIPE = ("data", "student", "teacher", "training")  # parts of config that methods share
TRUTH = 4  # leading columns of an object's row that follow from the label alone


def dataset_faults(cells: Sequence[Submitted]) -> Iterator[str]:
    """Every rule that the cells of a dataset break together."""
    teachers = [cell for cell in cells if cell.place.seed is None]
    students = [cell for cell in cells if cell.place.seed is not None]
    if not teachers:
        yield "the teacher is missing"
    if STUDENT not in {cell.place.method for cell in students}:
        yield f"method {STUDENT!r} is missing, from which gains are measured"
    yield from _seeds(students)
    yield from _pairing(students)
    yield from _same_for_all(students, teachers)
    yield from _same_truth(cells)


def _seeds(students: Sequence[Submitted]) -> Iterator[str]:
    """All methods have the same seeds, and no run passes for two seeds."""
    methods = {cell.place.method for cell in students}
    planned = {cell.place.seed for cell in students}
    for method in sorted(methods):
        runs = [cell for cell in students if cell.place.method == method]
        if lacking := planned - {cell.place.seed for cell in runs}:
            listed = ", ".join(map(str, sorted(lacking, key=str)))
            yield f"{method} lacks seed {listed}, which other methods have"
        for key in ("initial_weights_sha256", "order_sha256", "weights_sha256"):
            if len({getattr(cell.run, key) for cell in runs}) < len(runs):
                yield f"{method}: several seeds have the same {key}"


def _pairing(students: Sequence[Submitted]) -> Iterator[str]:
    """At one seed all methods begin from the same weights and see the data in the same order."""
    for seed in sorted({cell.run.seed for cell in students}):
        runs = [cell for cell in students if cell.run.seed == seed]
        for key in ("initial_weights_sha256", "order_sha256"):
            yield from _odd_ones(runs, key, [getattr(cell.run, key) for cell in runs])


def _same_for_all(students: Sequence[Submitted], teachers: Sequence[Submitted]) -> Iterator[str]:
    """One teacher, one data set, one recipe for all methods."""
    everyone = [*students, *teachers]
    yield from _odd_ones(everyone, "manifest_sha256", [c.run.manifest_sha256 for c in everyone])
    yield from _odd_ones(students, "teacher_sha256", [c.run.teacher_sha256 for c in students])
    for part in RECIPE:
        yield from _odd_ones(students, f"config.{part}", [c.run.config.get(part) for c in students])
    for teacher in teachers:
        others = [c for c in students if c.run.teacher_sha256 != teacher.run.weights_sha256]
        if others:
            yield f"{len(others)} students name another teacher than the one that is here"


def _odd_ones(cells: Sequence[Submitted], what: str, values: Sequence[Any]) -> Iterator[str]:
    """Cells whose value is not the one that most of them have."""
    common = max(values, key=values.count, default=None)
    for cell, value in zip(cells, values, strict=True):
        if value != common:
            yield f"{cell.place.name}/run.json: {what} is not that of the other cells"


def _same_truth(cells: Sequence[Submitted]) -> Iterator[str]:
    """All networks were scored on the same labels: their areas tell."""
    first = cells[0]
    for cell in cells[1:]:
        if cell.scores.split != first.scores.split:
            yield f"{cell.place.name}: another split than {first.place.name}"
        if not _truths_equal(cell, first):
            yield f"{cell.place.name}/areas.npz: other images or labels than {first.place.name}"


def _truths_equal(cell: Submitted, other: Submitted) -> bool:
    one, two = cell.areas, other.areas
    return (
        np.array_equal(one.names, two.names)
        and np.array_equal(one.label, two.label)
        and np.array_equal(one.boundary.label, two.boundary.label)
        and np.array_equal(one.trimap.label, two.trimap.label)
        and np.array_equal(one.objects[:, :TRUTH], two.objects[:, :TRUTH])
    )
