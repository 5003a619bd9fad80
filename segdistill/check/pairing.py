"""What must be equal, and what must differ, among the cells of one dataset."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.check.published import Published
from segdistill.evaluation.areas import Areas

STUDENT = "student"  # the method from which gains are measured
SHARED = ("initial_weights_sha256", "order_sha256")  # by all methods at one seed
RECIPE = ("data", "student", "teacher", "training")  # parts of config that methods share
TRUTH = 4  # leading columns of an object's row that follow from the label alone


def pairing_faults(cells: Sequence[Published]) -> Iterator[str]:
    """Every rule that the cells of a dataset break together."""
    teachers = [cell for cell in cells if cell.is_teacher]
    students = [cell for cell in cells if not cell.is_teacher]
    if not teachers:
        yield f"{students[0].folder.parent}: the dataset's teacher is missing"
    yield from _seeds(students)
    for seed in sorted({cell.run.seed for cell in students}):
        for key in SHARED:
            yield from _odd_ones([cell for cell in students if cell.run.seed == seed], key)
    yield from _odd_ones(cells, "manifest_sha256")
    yield from _odd_ones(students, "teacher_sha256")
    for part in RECIPE:
        yield from _odd_ones(students, part, [cell.run.config.get(part) for cell in students])
    for teacher in teachers:
        others = [c for c in students if c.run.teacher_sha256 != teacher.run.weights_sha256]
        if others:
            yield f"{teacher.folder}: {len(others)} students name another teacher"
    yield from _same_truth([*teachers, *students])


def _seeds(students: Sequence[Published]) -> Iterator[str]:
    """All methods have the same seeds, the student is one, and no run passes for two seeds."""
    planned = {cell.run.seed for cell in students}
    for method in sorted({STUDENT, *(cell.run.method for cell in students)}):
        runs = [cell for cell in students if cell.run.method == method]
        if lacking := planned - {cell.run.seed for cell in runs}:
            where = students[0].folder.parents[1] / method
            yield f"{where}: lacks seed {', '.join(map(str, sorted(lacking)))}"
        for key in (*SHARED, "weights_sha256"):
            if len({getattr(cell.run, key) for cell in runs}) < len(runs):
                yield f"{runs[0].folder.parent}: several seeds have the same {key}"


def _odd_ones(
    cells: Sequence[Published], what: str, values: Sequence[Any] | None = None
) -> Iterator[str]:
    """Cells whose value is not the one that most of them have."""
    values = values or [getattr(cell.run, what) for cell in cells]
    common = max(values, key=values.count, default=None)
    for cell, value in zip(cells, values, strict=True):
        if value != common:
            yield f"{cell.folder}/run.json: {what} is not that of the other cells"


def _same_truth(cells: Sequence[Published]) -> Iterator[str]:
    """All networks were scored on the same split, images and labels: their areas tell."""
    first = cells[0]
    for cell in cells[1:]:
        if cell.scores.split != first.scores.split:
            yield f"{cell.evaluation}/scores.json: another split than {first.evaluation}"
        if not all(map(np.array_equal, _truth(cell.areas), _truth(first.areas))):
            yield f"{cell.evaluation}/areas.npz: other images or labels than {first.evaluation}"


def _truth(areas: Areas) -> tuple[NDArray[Any], ...]:
    """What follows from images and labels alone."""
    bands = areas.boundary.label, areas.trimap.label
    return (areas.names, areas.label, *bands, areas.objects[:, :TRUTH])
