"""A method's variants against its default, a row a variant."""

from segdistill.report.ablation import MEASURES, Ablation, Variant
from segdistill.report.comparison import Comparison, Row, gain_text
from segdistill.report.headline import origin
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import method_sources
from segdistill.report.tables.matrix import Matrix
from segdistill.report.tables.metric_tables import shared_notes
from segdistill.report.tables.numbers import spread
from segdistill.report.tables.table import Entry, Table, blank


def ablation_table(matrix: Matrix, comparison: Comparison, ablation: Ablation) -> Table:
    """mIoU of every variant, and its differences from the default with their intervals."""
    base, dataset = ablation.base, ablation.dataset
    title = f"{dataset_title(matrix, dataset)}: {method_title(matrix, ablation.method)}"
    first = (Entry("default"), *_level(base, dataset), *[blank()] * len(MEASURES))
    return Table(
        name=f"ablation_{ablation.method}_{dataset}",
        title=f"{title}, one option at a time",
        header=("changed option", "mIoU, %", "n", *(f"{name}, points" for name in MEASURES)),
        rows=(first, *(_row(variant, dataset) for variant in ablation.variants)),
        values=ablation.values(),
        notes=(
            "Differences from the default at equal seed, initial weights and data order, with "
            f"{100 * comparison.confidence:g} % intervals over seeds and images.",
            *shared_notes(matrix, comparison),
        ),
        sources=method_sources(matrix),
    )


def _level(row: Row, dataset: str) -> tuple[Entry, Entry]:
    key = origin(dataset, row.method)
    return Entry(spread(row.mean or 0.0, row.std), origin=key), Entry(str(len(row.results)))


def _row(variant: Variant, dataset: str) -> tuple[Entry, ...]:
    key = origin(dataset, variant.row.method)
    gains = (variant.gains.get(name) for name in MEASURES)
    differences = (Entry(gain_text(gain), origin=key) if gain else blank() for gain in gains)
    return (Entry(variant.changes), *_level(variant.row, dataset), *differences)
