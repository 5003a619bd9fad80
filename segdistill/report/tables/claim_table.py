"""Every published gain beside ours, with its source."""

from segdistill.report.comparison import Comparison, Judged, Row, gain_text
from segdistill.report.headline import origin
from segdistill.report.names import dataset_title
from segdistill.report.notes import method_sources
from segdistill.report.tables.matrix import Matrix
from segdistill.report.tables.metric_tables import shared_notes
from segdistill.report.tables.numbers import points
from segdistill.report.tables.table import Entry, Table, Value

HEADER = ("method", "published pair", "split", "published gain", "our gain", "verdict", "source")


def claim_table(matrix: Matrix, comparison: Comparison) -> Table | None:
    """The dataset's published gains, a row a claim; None if none is published."""
    pairs = [(row, judged) for row in comparison.rows for judged in row.published]
    if not pairs:
        return None
    return Table(
        name=f"claims_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: published gains, points of mIoU",
        header=HEADER,
        rows=tuple(_row(row, judged) for row, judged in pairs),
        values=tuple(_values(row, judged) for row, judged in pairs),
        notes=shared_notes(matrix, comparison),
        sources=method_sources(matrix),
    )


def _row(row: Row, judged: Judged) -> tuple[Entry, ...]:
    claim = judged.claim
    return (
        Entry(row.method),
        Entry(claim.pair),
        Entry(claim.split),
        Entry(points(claim.gain)),
        Entry(gain_text(row.gain), origin=origin(claim.dataset, row.method)),
        Entry(judged.verdict),
        Entry(f"{claim.source} {claim.address}".strip()),
    )


def _values(row: Row, judged: Judged) -> dict[str, Value]:
    claim = judged.claim
    interval = row.gain.interval if row.gain else None
    return {
        "dataset": claim.dataset,
        "method": row.method,
        "teacher": claim.teacher,
        "student": claim.student,
        "split": claim.split,
        "published_value": claim.value,
        "published_gain": claim.gain,
        "gain": row.gain.mean if row.gain else None,
        "gain_low": interval.low if interval else None,
        "gain_high": interval.high if interval else None,
        "verdict": judged.verdict,
        "source": claim.source,
        "address": claim.address,
    }
