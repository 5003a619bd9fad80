"""The first table of every dataset: mIoU, gain over the student, p and verdict."""

from segdistill.report.comparison import Comparison, Row, gain_text
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import (
    data_notes,
    interval_notes,
    method_sources,
    missing_notes,
    reconstruction_notes,
)
from segdistill.report.tables.matrix import TEACHER, Matrix
from segdistill.report.tables.numbers import points, probability, spread
from segdistill.report.tables.table import Entry, Table, Value, blank
from segdistill.statistics import percentile_interval


def headline_table(matrix: Matrix, comparison: Comparison) -> Table:
    """Teacher, student and methods of one dataset; the verdict only if a claim is published."""
    dataset = comparison.dataset
    claimed = any(row.verdicts for row in comparison.rows)
    verdict = ("published gain", "verdict") if claimed else ()
    header = (
        "method",
        "mIoU, %",
        "n",
        f"gain over student, points [{100 * comparison.confidence:g} % interval]",
        "p",
        *verdict,
    )
    rows = [_teacher(matrix, comparison, len(header))]
    rows += [_row(matrix, comparison, row, len(header)) for row in comparison.rows]
    return Table(
        name=f"headline_{dataset}",
        title=f"{dataset_title(matrix, dataset)}: mIoU on {_split(matrix, dataset)}",
        header=header,
        rows=tuple(rows),
        values=_values(comparison),
        notes=(
            *data_notes(matrix, [dataset]),
            *interval_notes(matrix, comparison),
            *comparison.warnings,
            *reconstruction_notes(matrix),
            *missing_notes(matrix, dataset),
        ),
        sources=method_sources(matrix),
    )


def row_state(matrix: Matrix, dataset: str, method: str) -> Entry:
    """What to print for a method without any result: missing, or failed."""
    states = [c.state for c in matrix.unfinished() if (c.dataset, c.method) == (dataset, method)]
    return blank("failed", "failed") if "failed" in states else blank("missing")


def origin(dataset: str, method: str) -> str:
    """The key under which the page lists the runs behind an entry."""
    return f"{dataset}/{method}"


def _split(matrix: Matrix, dataset: str) -> str:
    found = next(matrix.finished(dataset), None)
    return f"{found.scores.split} ({found.scores.images} images)" if found else "no image yet"


def _teacher(matrix: Matrix, comparison: Comparison, width: int) -> tuple[Entry, ...]:
    found = comparison.teacher
    if found is None:
        shown = [row_state(matrix, comparison.dataset, TEACHER), blank("0")]
    else:
        key = origin(comparison.dataset, TEACHER)
        shown = [Entry(spread(found.scores.miou or 0.0, None), origin=key), Entry("1")]
    return (Entry(TEACHER), *shown, *[blank()] * (width - 3))


def _row(matrix: Matrix, comparison: Comparison, row: Row, width: int) -> tuple[Entry, ...]:
    name = Entry(method_title(matrix, row.method))
    planned = len(matrix.grid.seeds)
    if row.mean is None:
        state = row_state(matrix, comparison.dataset, row.method)
        return (name, state, blank(f"0 of {planned}"), *[blank()] * (width - 3))
    key = origin(comparison.dataset, row.method)
    found = len(row.results)
    entries = (
        name,
        Entry(spread(row.mean, row.std), row.mark, key),
        Entry(str(found) if found == planned else f"{found} of {planned}"),
        Entry(gain_text(row.gain), origin=key) if row.gain else blank(),
        Entry(probability(row.gain.adjusted_p)) if row.gain else blank(),
    )
    return entries if width == len(entries) else (*entries, *_verdict(row))


def _verdict(row: Row) -> tuple[Entry, Entry]:
    """One claim is printed; of several, the range, and their verdicts if they agree."""
    if not row.verdicts:
        return blank(), Entry("no claim published") if row.gain else blank()
    gains = sorted(judged.claim.gain for judged in row.verdicts)
    published = points(gains[0])
    if gains[0] != gains[-1]:
        published += f" to {points(gains[-1])}"
    texts = list(dict.fromkeys(judged.verdict for judged in row.verdicts))
    return Entry(published), Entry(texts[0] if len(texts) == 1 else "differs: see the claims")


def _values(comparison: Comparison) -> tuple[dict[str, Value], ...]:
    teacher = comparison.teacher.scores.miou if comparison.teacher else None
    first: dict[str, Value] = {
        "dataset": comparison.dataset,
        "method": TEACHER,
        "n": int(teacher is not None),
        "miou_mean": teacher,
    }
    return (
        first,
        *(row_values(comparison.dataset, row, comparison.confidence) for row in comparison.rows),
    )


def row_values(dataset: str, row: Row, confidence: float) -> dict[str, Value]:
    """The exact numbers of one row, fractions."""
    gain = row.gain
    interval = gain.interval if gain else None
    check: tuple[float | None, ...] = (None, None)
    if row.draws is not None:
        check = percentile_interval(row.draws, confidence)
    return {
        "dataset": dataset,
        "method": row.method,
        "n": len(row.results),
        "miou_mean": row.mean,
        "miou_std": row.std,
        "gain_mean": gain.mean if gain else None,
        "gain_low": interval.low if interval else None,
        "gain_high": interval.high if interval else None,
        "bootstrap_low": check[0],
        "bootstrap_high": check[1],
        "interval_over": interval.over if interval else None,
        "gain_n": len(gain.seeds) if gain else None,
        "p": gain.p if gain else None,
        "p_adjusted": gain.adjusted_p if gain else None,
        "verdict": "; ".join(judged.verdict for judged in row.verdicts) or None,
        **{f"miou_seed{seed}": result.scores.miou for seed, result in row.results.items()},
    }
