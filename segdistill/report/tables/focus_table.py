"""What PCD's abstract claims beside mIoU: discriminative features, boundaries of small objects."""

from segdistill.report.comparison import Comparison
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import method_sources
from segdistill.report.tables.matrix import Finished, Matrix
from segdistill.report.tables.metric_tables import (
    Measure,
    boundary_of,
    by_method,
    entry,
    measure_values,
    object_iou_of,
    recall_of,
    shared_notes,
)
from segdistill.report.tables.numbers import significant
from segdistill.report.tables.table import Entry, Table

RATIO = "feature discriminability, B/W"
PERCENTAGES: dict[str, Measure] = {
    "boundary IoU, 0.5 % of diagonal": boundary_of("0.005"),
    "tiny recall": recall_of("tiny"),
    "tiny IoU": object_iou_of("tiny"),
    "small recall": recall_of("small"),
    "small IoU": object_iou_of("small"),
}


def focus_table(matrix: Matrix, comparison: Comparison) -> Table:
    """Discriminability, narrow boundaries and the smaller objects, a row a method."""
    return Table(
        name=f"focus_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: what PCD's abstract claims "
        "(discriminative features, boundaries of small objects; percent but the first)",
        header=("method", RATIO, *PERCENTAGES),
        rows=tuple(_row(matrix, comparison, method) for method in by_method(comparison)),
        values=measure_values(comparison, {RATIO: _discriminability, **PERCENTAGES}),
        notes=(
            "Feature discriminability: Fisher's ratio of head.embedding, variance between the "
            "classes over variance within them, over all pixels of the split. It does not follow "
            "from the areas, and networks of other width differ in it for that reason too.",
            *shared_notes(matrix, comparison),
        ),
        sources=method_sources(matrix),
    )


def _row(matrix: Matrix, comparison: Comparison, method: str) -> tuple[Entry, ...]:
    return (
        Entry(method_title(matrix, method)),
        entry(matrix, comparison, method, _discriminability, _ratio),
        *(entry(matrix, comparison, method, measure) for measure in PERCENTAGES.values()),
    )


def _ratio(middle: float, std: float | None) -> str:
    return significant(middle) + ("" if std is None else f" ± {significant(std)}")


def _discriminability(result: Finished) -> float | None:
    return result.scores.discriminability
