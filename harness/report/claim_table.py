"""Every published gain beside ours, with its source."""

from harness.report.comparison import Comparison, Row, Verdict, gain_text
from harness.report.matrix import Matrix
from harness.report.metric_tables import shared_notes
from harness.report.names import dataset_title
from harness.report.numbers import points
from harness.report.table import Entry, Table, Value

HEADER = ("method", "published pair", "split", "published gain", "our gain", "verdict", "source")


def claim_table(matrix: Matrix, comparison: Comparison) -> Table | None:
    """The dataset's published gains, a row a claim; None if none is published."""
    pairs = [(row, verdict) for row in comparison.rows for verdict in row.verdicts]
    if not pairs:
        return None
    return Table(
        name=f"claims_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: published gains, points of mIoU",
        header=HEADER,
        rows=tuple(_row(row, verdict) for row, verdict in pairs),
        values=tuple(_values(row, verdict) for row, verdict in pairs),
        notes=shared_notes(matrix, comparison),
    )


def _row(row: Row, verdict: Verdict) -> tuple[Entry, ...]:
    claim = verdict.claim
    texts = (
        row.method,
        claim.pair,
        claim.split,
        points(claim.gain),
        gain_text(row.gain),
        verdict.text,
        f"{claim.source} {claim.address}".strip(),
    )
    return tuple(Entry(text) for text in texts)


def _values(row: Row, verdict: Verdict) -> dict[str, Value]:
    claim = verdict.claim
    return {
        "dataset": claim.dataset,
        "method": row.method,
        "teacher": claim.teacher,
        "student": claim.student,
        "split": claim.split,
        "published_value": claim.value,
        "published_gain": claim.gain,
        "gain": row.gain.mean if row.gain else None,
        "gain_low": row.gain.low if row.gain else None,
        "gain_high": row.gain.high if row.gain else None,
        "verdict": verdict.text,
        "source": claim.source,
        "address": claim.address,
    }
