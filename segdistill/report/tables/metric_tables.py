"""The tables of a dataset beside mIoU: classes, boundaries, objects by size."""

from collections.abc import Callable, Mapping
from functools import partial

from segdistill.report.comparison import Comparison, deviation, mean
from segdistill.report.headline import origin, row_state
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import (
    data_notes,
    method_sources,
    missing_count,
    reconstruction_notes,
    seed_notes,
)
from segdistill.report.tables.matrix import TEACHER, Finished, Matrix
from segdistill.report.tables.numbers import spread
from segdistill.report.tables.table import Entry, Table, Value, blank

Measure = Callable[[Finished], float | None]


def class_table(matrix: Matrix, comparison: Comparison) -> Table:
    """IoU of every class, a column a method."""
    groups = by_method(comparison)
    classes = next((group[0].scores.classes for group in groups.values() if group), ())
    measures = {name: _class_iou(name) for name in classes}
    write = partial(spread, digits=1)
    rows = [
        (Entry(name), *(entry(matrix, comparison, m, measure, write) for m in groups))
        for name, measure in measures.items()
    ]
    return Table(
        name=f"classes_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: IoU of each class, %",
        header=("class", *(method_title(matrix, method) for method in groups)),
        rows=tuple(rows),
        values=measure_values(comparison, measures),
        notes=shared_notes(matrix, comparison),
        sources=method_sources(matrix),
    )


def boundary_table(matrix: Matrix, comparison: Comparison) -> Table:
    """Pixel accuracy, boundary IoU, trimap mIoU and scores of single images, a row a method."""
    scores = _any_scores(matrix, comparison)
    measures: dict[str, Measure] = {"pixel accuracy": lambda result: result.scores.pixel_accuracy}
    for ratio in scores.scores.boundary_iou if scores else ():
        measures[f"boundary IoU, {float(ratio):.1%} of diagonal"] = boundary_of(ratio)
    for radius in scores.scores.trimap_miou if scores else ():
        measures[f"trimap mIoU, {radius} px"] = _trimap(radius)
    measures["mIoU of an image, mean"] = lambda result: result.scores.image_miou
    measures["worst 5 % of images, mean"] = lambda result: result.scores.worst5_miou
    return _table(matrix, comparison, "boundaries", "boundaries and single images, %", measures)


def object_table(matrix: Matrix, comparison: Comparison) -> Table:
    """Recall and IoU of objects by size, a row a method."""
    scores = _any_scores(matrix, comparison)
    measures: dict[str, Measure] = {}
    for size, found in scores.scores.small_objects.items() if scores else ():
        measures[f"{size} recall (of {found.count})"] = recall_of(size)
        measures[f"{size} IoU"] = object_iou_of(size)
    meaning = (
        "Objects are connected components of the label: tiny below 0.1 %, small 0.1 to 1 %, large "
        "above 1 % of the image. Recall: share with at least half of their pixels right. IoU: over "
        "the component's bounding box grown by 50 %, class against rest."
    )
    return _table(matrix, comparison, "objects", "objects by size, %", measures, meaning)


def by_method(comparison: Comparison) -> dict[str, list[Finished]]:
    """Finished results of the teacher and of every method of the grid, in table order."""
    teacher = [comparison.teacher] if comparison.teacher else []
    return {TEACHER: teacher, **{r.method: list(r.results.values()) for r in comparison.rows}}


def shared_notes(matrix: Matrix, comparison: Comparison) -> tuple[str, ...]:
    """The footer of every table but the headline."""
    return (
        *data_notes(matrix, [comparison.dataset]),
        "Mean ± sample standard deviation over seeds.",
        *seed_notes(comparison),
        *comparison.warnings,
        *reconstruction_notes(matrix),
        *missing_count(matrix, comparison.dataset),
    )


def _table(
    matrix: Matrix,
    comparison: Comparison,
    name: str,
    title: str,
    measures: Mapping[str, Measure],
    *meaning: str,
) -> Table:
    """A row a method, a column a measure."""
    rows = [
        (
            Entry(method_title(matrix, method)),
            *(entry(matrix, comparison, method, measure) for measure in measures.values()),
        )
        for method in by_method(comparison)
    ]
    return Table(
        name=f"{name}_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: {title}",
        header=("method", *measures),
        rows=tuple(rows),
        values=measure_values(comparison, measures),
        notes=(*meaning, *shared_notes(matrix, comparison)),
        sources=method_sources(matrix),
    )


def entry(
    matrix: Matrix,
    comparison: Comparison,
    method: str,
    measure: Measure,
    write: Callable[[float, float | None], str] = spread,
) -> Entry:
    """Mean and deviation over a method's seeds; says n where only some of them are defined."""
    group = by_method(comparison)[method]
    if not group:
        return row_state(matrix, comparison.dataset, method)
    values = defined(group, measure)
    if not values:
        return blank()
    text = write(sum(values) / len(values), deviation(values))
    count = "" if len(values) == len(group) else f" (n = {len(values)})"
    return Entry(text + count, origin=origin(comparison.dataset, method))


def measure_values(
    comparison: Comparison, measures: Mapping[str, Measure]
) -> tuple[dict[str, Value], ...]:
    """Mean and spread over seeds of every measure and method."""
    return tuple(
        {
            "dataset": comparison.dataset,
            "method": method,
            "measure": name,
            "n": len(values),
            "mean": mean(values),
            "std": deviation(values),
        }
        for name, measure in measures.items()
        for method, group in by_method(comparison).items()
        for values in [defined(group, measure)]
    )


def defined(group: list[Finished], measure: Measure) -> list[float]:
    """The measure of every result that has it."""
    return [value for result in group if (value := measure(result)) is not None]


def _any_scores(matrix: Matrix, comparison: Comparison) -> Finished | None:
    return next(matrix.finished(comparison.dataset), None)


def _class_iou(name: str) -> Measure:
    return lambda result: result.scores.iou.get(name)


def boundary_of(ratio: str) -> Measure:
    """Boundary IoU at a ratio of the diagonal."""
    return lambda result: result.scores.boundary_iou.get(ratio)


def _trimap(radius: str) -> Measure:
    return lambda result: result.scores.trimap_miou.get(radius)


def recall_of(size: str) -> Measure:
    """Recall of the objects of a size."""
    return lambda result: found.recall if (found := result.scores.small_objects.get(size)) else None


def object_iou_of(size: str) -> Measure:
    """Mean IoU of the objects of a size."""
    return lambda result: found.iou if (found := result.scores.small_objects.get(size)) else None
