"""The footer of every table: what the reader must know before believing a number."""

from collections.abc import Sequence

from segdistill.report.comparison import Comparison
from segdistill.report.matrix import Matrix
from segdistill.report.names import is_reconstructed, is_subset, is_synthetic
from segdistill.statistics import MIN_SEEDS, NOT_ENOUGH_SEEDS

RECONSTRUCTED = "PCD (reconstructed from the abstract)"


def data_notes(matrix: Matrix, datasets: Sequence[str]) -> list[str]:
    """What the data are, and any word of the experiment about its runs."""
    notes = []
    for dataset in datasets:
        if is_synthetic(matrix, dataset):
            notes.append(
                f"{dataset} is synthetic: drawn scenes, not photographs; its numbers say nothing "
                "about the real dataset."
            )
        if is_subset(matrix, dataset):
            notes.append(
                f"{dataset} is a subset: some of its images were left out, so its numbers do not "
                "compare with those of the whole dataset."
            )
    found = [result for dataset in datasets for result in matrix.finished(dataset)]
    notes += dict.fromkeys(result.run.note for result in found if result.run.note)
    notes += dict.fromkeys(
        f"{result.scores.dataset}: classes without a pixel in the {result.scores.split} split are "
        f"left out of every mean: {', '.join(result.scores.absent_classes)}."
        for result in found
        if result.scores.absent_classes
    )
    return notes


def method_sources(matrix: Matrix) -> list[str]:
    """Every citation once, after the methods it is of."""
    methods: dict[str, dict[str, None]] = {}
    for method in matrix.experiment.methods:
        for dataset in matrix.experiment.datasets:
            for result in matrix.of(dataset, method).values():
                if result.run.paper:
                    methods.setdefault(result.run.paper, {})[method] = None
    return [f"{', '.join(names)}: {paper}" for paper, names in methods.items()]


def reconstruction_notes(matrix: Matrix) -> list[str]:
    """Which methods are reconstructions."""
    found = [method for method in matrix.experiment.methods if is_reconstructed(matrix, method)]
    named = [
        RECONSTRUCTED if "pcd" in name.lower() else f"{name} is reconstructed" for name in found
    ]
    return [f"{what}: no number here is the paper's." for what in dict.fromkeys(named)]


def headline_notes(comparison: Comparison) -> list[str]:
    """How gains, intervals and marks are to be read, and every cell that is missing."""
    matrix = comparison.matrix
    count = len(matrix.experiment.seeds)
    seeds = f"{count} {'seed' if count == 1 else 'seeds'}"
    marks = (
        "Best student in bold, second underlined; rows whose difference from it has an interval "
        "that holds 0 share its mark."
        if any(row.mark for row in comparison.rows.values())
        else "No row is marked best: no difference between rows has an interval clear of 0, or "
        f"fewer than two rows have {MIN_SEEDS} seeds."
    )
    return [
        *data_notes(matrix, [comparison.dataset]),
        "Gain: method minus student at equal seed, initial weights and data order. Intervals at "
        f"{100 * comparison.confidence:g} % over seeds and test images, conditional on one "
        f"teacher; {seeds} planned.",
        "p: one-sided sign flip over seeds, adjusted over the methods (max-T); "
        f"{seeds} cannot give less than {0.5**count:.3g}.",
        marks,
        *_seed_notes(comparison),
        *comparison.warnings,
        *reconstruction_notes(matrix),
        *(
            f"{found.state}: {found.cell.name}{f' ({found.reason})' if found.reason else ''}; "
            f"run {matrix.command(found.cell)}"
            for found in matrix.unfinished(comparison.dataset)
        ),
    ]


def shared_notes(comparison: Comparison) -> list[str]:
    """The footer of every table but the headline."""
    matrix = comparison.matrix
    lacking = len(matrix.unfinished(comparison.dataset))
    cells = "1 cell is" if lacking == 1 else f"{lacking} cells are"
    return [
        *data_notes(matrix, [comparison.dataset]),
        "Mean ± sample standard deviation over seeds.",
        *_seed_notes(comparison),
        *comparison.warnings,
        *reconstruction_notes(matrix),
        *[f"{cells} missing or failed and in no mean here; the headline table lists them."]
        * bool(lacking),
    ]


def _seed_notes(comparison: Comparison) -> list[str]:
    """Which methods have too few seeds for a claim."""
    counts = {
        method: len(row.gain.seeds if row.gain else comparison.values(method, "miou"))
        for method, row in comparison.rows.items()
    }
    few = [f"{method} ({n})" for method, n in counts.items() if n < MIN_SEEDS]
    if not few:
        return []
    listed = ", ".join(few)
    if len(few) == len(counts) and len(set(counts.values())) == 1:
        listed = f"every row ({next(iter(counts.values()))})"
    return [
        f"{NOT_ENOUGH_SEEDS.capitalize()} (fewer than {MIN_SEEDS}): {listed}. "
        "No claim can be made from these rows."
    ]
