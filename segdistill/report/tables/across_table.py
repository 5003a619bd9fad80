"""All datasets at once: interquartile mean and probability of improvement."""

from collections.abc import Sequence

from segdistill.report.comparison import Comparison, Row
from segdistill.report.names import method_title
from segdistill.report.notes import data_notes, method_sources, reconstruction_notes
from segdistill.report.tables.matrix import STUDENT, Matrix
from segdistill.report.tables.numbers import percent
from segdistill.report.tables.table import Entry, Table, blank
from segdistill.statistics import interquartile_mean, probability_of_improvement

HEADER = ("method", "interquartile mean of mIoU, %", "probability of improvement, %", "runs")


def across_table(matrix: Matrix, comparisons: Sequence[Comparison]) -> Table | None:
    """A row for every method with results on every dataset; None for a single dataset."""
    if len(comparisons) < 2:
        return None
    rows = {m: [_row(c, m) for c in comparisons] for m in matrix.grid.methods}
    complete = {method: found for method, found in rows.items() if all(r.results for r in found)}
    means = {m: interquartile_mean(_all_mious(found)) for m, found in complete.items()}
    chances = {m: _chance(complete, m) for m in complete}
    return Table(
        name="across_datasets",
        title=f"Across {len(comparisons)} datasets",
        header=HEADER,
        rows=tuple(
            (
                Entry(method_title(matrix, method)),
                Entry(percent(means.get(method))) if method in means else blank("missing"),
                Entry(percent(chances.get(method), 0)),
                Entry(str(sum(len(row.results) for row in found))),
            )
            for method, found in rows.items()
        ),
        values=tuple(
            {
                "method": method,
                "interquartile_mean": means.get(method),
                "probability_of_improvement": chances.get(method),
                "runs": sum(len(row.results) for row in found),
            }
            for method, found in rows.items()
        ),
        notes=(
            "Interquartile mean: of the middle half of all runs. Probability of improvement: that "
            "a run of the method beats a run of the student on the same dataset, mean over "
            "datasets (Agarwal et al., NeurIPS 2021). Methods need results on every dataset.",
            *data_notes(matrix, [comparison.dataset for comparison in comparisons]),
            *reconstruction_notes(matrix),
        ),
        sources=method_sources(matrix),
    )


def _row(comparison: Comparison, method: str) -> Row:
    return next(row for row in comparison.rows if row.method == method)


def _all_mious(rows: Sequence[Row]) -> list[float]:
    return [value for row in rows for value in row.mious]


def _chance(complete: dict[str, list[Row]], method: str) -> float | None:
    if method == STUDENT or STUDENT not in complete:
        return None
    ours, base = complete[method], complete[STUDENT]
    return probability_of_improvement([row.mious for row in ours], [row.mious for row in base])
