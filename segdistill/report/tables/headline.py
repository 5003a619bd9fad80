"""The tables of gains: the headline, variants against their default, claims, across datasets."""

from collections.abc import Sequence
from functools import partial
from itertools import chain

from segdistill.report import notes
from segdistill.report.comparison import Comparison, Judged, Row
from segdistill.report.matrix import STUDENT, Matrix
from segdistill.report.names import method_title
from segdistill.report.tables import measures
from segdistill.report.tables.measures import count_column, runs_key, spread_column
from segdistill.report.tables.numbers import gain_text, percent, points, probability
from segdistill.report.tables.table import Column, Table, make_table
from segdistill.report.variants import MEASURES, Variant
from segdistill.settings.cell import TEACHER
from segdistill.statistics import Gain, percentile_interval
from segdistill.statistics.across import interquartile_mean, probability_of_improvement


def headline_table(comparison: Comparison) -> Table:
    """mIoU, gain over the student and p; the verdict only if a claim is published."""
    dataset = comparison.dataset
    rows = {TEACHER: Row(), **comparison.rows}
    scored = next(comparison.matrix.finished(dataset), None)
    split = f"{scored.scores.split} ({scored.scores.images} images)" if scored else "no image yet"
    gain_name = f"gain over student, points [{100 * comparison.confidence:g} % interval]"

    def gain(method: str) -> Gain | None:
        return rows[method].gain

    def bootstrap(method: str, end: int) -> float | None:
        draws = rows[method].draws
        return None if draws is None else percentile_interval(draws, comparison.confidence)[end]

    columns: list[Column[str]] = [
        spread_column(comparison, "miou", "mIoU, %", mark=lambda method: rows[method].mark),
        count_column(comparison),
        Column("gain", gain_name, gain, gain_text, runs=partial(runs_key, dataset)),
        Column("bootstrap_low", "", lambda method: bootstrap(method, 0)),
        Column("bootstrap_high", "", lambda method: bootstrap(method, 1)),
        Column("p", "", lambda method: found.p if (found := gain(method)) else None),
        Column("p_adjusted", "p", lambda method: found.adjusted_p if (found := gain(method))
               else None, probability),
    ]  # fmt: skip
    if any(row.verdicts for row in rows.values()):
        columns += [
            Column("published", "published gain", lambda method: _published(rows[method])),
            Column("verdict", "verdict", lambda method: _verdict(rows[method])),
        ]
    footer = notes.headline_notes(comparison)
    return measures.method_table(comparison, "headline", f"mIoU on {split}", columns, footer)


def variant_table(comparison: Comparison, base: str, variants: Sequence[Variant]) -> Table:
    """A method's variants: mIoU of each, and its differences from the default, paired by seed."""
    by_block = {variant.method: variant for variant in variants}

    def column(measure: str) -> Column[str]:
        return Column(
            f"{measure} difference",
            f"{measure}, points",
            lambda block: by_block[block].gains.get(measure),
            gain_text,
            runs=partial(runs_key, comparison.dataset),
        )

    return measures.dataset_table(
        comparison,
        f"ablation_{base}",
        f"{method_title(comparison.matrix, base)}, one option at a time",
        list(by_block),
        [
            Column("variant", "", str),
            Column("changes", "changed option", lambda block: by_block[block].changes),
            spread_column(comparison, "miou", "mIoU, %"),
            count_column(comparison),
            *map(column, MEASURES),
        ],
        [
            "Differences from the default at equal seed, initial weights and data order, with "
            f"{100 * comparison.confidence:g} % intervals over seeds and images.",
            *notes.shared_notes(comparison),
        ],
    )


def claim_table(comparison: Comparison) -> Table | None:
    """The dataset's published gains with their sources, a row a claim; None if there is none."""
    dataset = comparison.dataset
    rows = [(method, one) for method, row in comparison.rows.items() for one in row.published]
    if not rows:
        return None
    columns: list[Column[tuple[str, Judged]]] = [
        Column("dataset", "", lambda _: dataset),
        Column("method", "method", lambda row: row[0]),
        Column("pair", "published pair", lambda row: row[1].claim.pair),
        Column("split", "split", lambda row: row[1].claim.split),
        Column("published_value", "", lambda row: row[1].claim.value),
        Column("published_gain", "published gain", lambda row: row[1].claim.gain, points),
        Column("gain", "our gain", lambda row: comparison.rows[row[0]].gain, gain_text,
               runs=lambda row: runs_key(dataset, row[0])),
        Column("verdict", "verdict", lambda row: row[1].verdict),
        Column("source", "source", lambda row: f"{row[1].claim.source} {row[1].claim.address}"),
    ]  # fmt: skip
    title = "published gains, points of mIoU"
    return measures.dataset_table(
        comparison, "claims", title, rows, columns, notes.shared_notes(comparison)
    )


def across_table(matrix: Matrix, comparisons: Sequence[Comparison]) -> Table | None:
    """All datasets at once, for the methods with results on each; None for a single dataset."""
    if len(comparisons) < 2:
        return None
    mious = {
        method: [one.values(method, "miou").tolist() for one in comparisons]
        for method in matrix.experiment.methods
    }
    complete = {method: found for method, found in mious.items() if all(found)}

    def middle(method: str) -> float | None:
        return interquartile_mean([*chain(*mious[method])]) if method in complete else None

    def chance(method: str) -> float | None:
        if method == STUDENT or not {method, STUDENT} <= complete.keys():
            return None
        return probability_of_improvement(complete[method], complete[STUDENT])

    columns: list[Column[str]] = [
        Column("method", "method", str, partial(method_title, matrix)),
        Column("interquartile_mean", "interquartile mean of mIoU, %", middle, percent),
        Column("probability_of_improvement", "probability of improvement, %", chance,
               partial(percent, digits=0)),
        Column("runs", "runs", lambda method: sum(map(len, mious[method]))),
    ]  # fmt: skip
    return make_table(
        "across_datasets",
        f"Across {len(comparisons)} datasets",
        matrix.experiment.methods,
        columns,
        [
            "Interquartile mean: of the middle half of all runs. Probability of improvement: that "
            "a run of the method beats a run of the student on the same dataset, mean over "
            "datasets (Agarwal et al., NeurIPS 2021). Methods need results on every dataset.",
            *notes.data_notes(matrix, [comparison.dataset for comparison in comparisons]),
            *notes.reconstruction_notes(matrix),
        ],
        notes.method_sources(matrix),
    )


def _published(row: Row) -> str | None:
    """The published gain of the same networks and split; of several, the range."""
    gains = sorted(judged.claim.gain for judged in row.verdicts)
    return " to ".join(dict.fromkeys(map(points, gains[:1] + gains[-1:]))) or None


def _verdict(row: Row) -> str | None:
    """The verdict if the claims agree in it."""
    texts = {judged.verdict for judged in row.verdicts}
    if len(texts) > 1:
        return "differs: see the claims"
    return next(iter(texts), "no claim published" if row.gain else None)
