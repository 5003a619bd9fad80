"""The tables of scores: PCD's focus, classes, boundaries, objects by size, cost."""

from collections.abc import Callable, Iterable
from functools import partial

from segdistill.evaluation.boundary import RADII, RATIOS
from segdistill.evaluation.small_objects import BINS
from segdistill.report.comparison import Comparison
from segdistill.report.matrix import STUDENT, TEACHER
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import method_sources, shared_notes
from segdistill.report.tables.numbers import Count, count, percent, significant, spread
from segdistill.report.tables.table import Column, Mark, Table, make_table

BOUNDARY = {ratio: f"boundary IoU, {100 * ratio:g} % of diagonal" for ratio in RATIOS}
MEBIBYTE = 1024**2
NARROW = RATIOS[0]


def focus_table(comparison: Comparison) -> Table:
    """Discriminability, narrow boundaries and the smaller objects."""
    scores = {f"boundary_iou/{NARROW}": BOUNDARY[NARROW], **_object_scores("tiny", "small")}
    ratio = "feature discriminability, B/W"
    return _method_table(
        comparison,
        "focus",
        "what PCD's abstract claims (discriminative features, boundaries of small objects; "
        "percent but the first)",
        [
            spread_column(comparison, "discriminability", ratio, significant),
            *(spread_column(comparison, metric, name) for metric, name in scores.items()),
        ],
        "Feature discriminability: Fisher's ratio of head.embedding, variance between the "
        "classes over variance within them, over all pixels of the split. It does not follow "
        "from the areas, and networks of other width differ in it for that reason too.",
    )


def class_table(comparison: Comparison) -> Table:
    """IoU of every class, a row a class, a column a method."""
    matrix, dataset = comparison.matrix, comparison.dataset
    scored = next(matrix.finished(dataset), None)

    def column(method: str) -> Column[str]:
        return Column(
            method,
            method_title(matrix, method),
            lambda name: comparison.spread(method, f"iou/{name}"),
            partial(spread, write=partial(percent, digits=1)),
            runs=lambda _: runs_key(dataset, method),
        )

    return make_table(
        f"classes_{dataset}",
        f"{dataset_title(matrix, dataset)}: IoU of each class, %",
        scored.scores.classes if scored else (),
        [Column("class", "class", str), *map(column, matrix.methods)],
        shared_notes(comparison),
        method_sources(matrix),
    )


def boundary_table(comparison: Comparison) -> Table:
    """Pixel accuracy, boundary IoU, trimap mIoU and scores of single images."""
    scores = {
        "pixel_accuracy": "pixel accuracy",
        **{f"boundary_iou/{ratio}": name for ratio, name in BOUNDARY.items()},
        **{f"trimap_miou/{radius}": f"trimap mIoU, {radius} px" for radius in RADII},
        "image_miou": "mIoU of an image, mean",
        "worst5_miou": "worst 5 % of images, mean",
    }
    columns = [spread_column(comparison, metric, name) for metric, name in scores.items()]
    return _method_table(comparison, "boundaries", "boundaries and single images, %", columns)


def object_table(comparison: Comparison) -> Table:
    """Recall and IoU of objects by size."""
    names = _object_scores(*BINS)
    for size in BINS:
        known = comparison.scores.get(f"small_objects/{size}/count")
        if known is not None:
            names[f"small_objects/{size}/recall"] += f" (of {known.iloc[0]:.0f})"
    return _method_table(
        comparison,
        "objects",
        "objects by size, %",
        [spread_column(comparison, metric, name) for metric, name in names.items()],
        "Objects are connected components of the label: tiny below 0.1 %, small 0.1 to 1 %, large "
        "above 1 % of the image. Recall: share with at least half of their pixels right. IoU: over "
        "the component's bounding box grown by 50 %, class against rest.",
    )


def cost_table(comparison: Comparison) -> Table:
    """Parameters, MACs, latency, memory, energy and time per training step."""
    base = comparison.mean(STUDENT, "seconds_per_step")

    def relative(method: str) -> float | None:
        step = comparison.mean(method, "seconds_per_step")
        return step / base if step and base and method != TEACHER else None

    def column(metric: str, name: str, write: Callable[[float], str]) -> Column[str]:
        return Column(metric, name, lambda m: comparison.mean(m, metric), write, runs=linked)

    linked = partial(runs_key, comparison.dataset)
    return _method_table(
        comparison,
        "cost",
        "cost",
        [
            column("cost/parameters", "parameters", count),
            column("cost/macs", "MACs", count),
            column("cost/latency_ms", "latency, ms", significant),
            column("cost/latency_iqr_ms", "latency IQR, ms", significant),
            column("cost/peak_memory_bytes", "memory, MiB", lambda b: significant(b / MEBIBYTE)),
            column("cost/energy_mj", "energy, mJ", significant),
            column("seconds_per_step", "training step, ms", lambda s: significant(1000 * s)),
            Column("relative_to_student", "relative to student", relative,
                   lambda ratio: f"{significant(ratio)}×", runs=linked),
        ],
        "All but the training step is of the network that ships, for one image of evaluation "
        "size: parameters, multiply-accumulates, median latency with interquartile range, "
        "most memory of feature maps at a time, energy where the device counts it. Times and "
        "energy are those of the machine that ran, with what else it did then: cells trained "
        "at other times differ in them for that reason too.",
    )  # fmt: skip


def runs_key(dataset: str, method: str) -> str:
    """The key under which the page lists the runs behind an entry."""
    return f"{dataset}/{method}"


def name_columns(comparison: Comparison) -> list[Column[str]]:
    """What a row is of: the dataset, in the CSV alone, and the method."""
    return [
        Column("dataset", "", lambda _: comparison.dataset),
        Column("method", "method", str, partial(method_title, comparison.matrix)),
    ]


def spread_column(
    comparison: Comparison,
    metric: str,
    name: str,
    write: Callable[[float], str] = percent,
    mark: Callable[[str], Mark] = lambda _: "",
) -> Column[str]:
    """Mean and deviation of a metric over a method's seeds."""
    return Column(
        metric,
        name,
        lambda method: comparison.spread(method, metric),
        partial(spread, write=write),
        mark,
        partial(runs_key, comparison.dataset),
    )


def count_column(comparison: Comparison) -> Column[str]:
    """How many of a method's planned seeds are finished."""
    matrix, dataset = comparison.matrix, comparison.dataset

    def seeds(method: str) -> Count:
        return Count(len(matrix.of(dataset, method)), len(matrix.of_method(dataset, method)))

    return Column("n", "n", seeds)


def row_state(comparison: Comparison, method: str) -> Mark:
    """What a method without any result is: missing, or failed."""
    if method in comparison.methods:
        return ""
    cells = comparison.matrix.of_method(comparison.dataset, method)
    return "failed" if any(cell.state == "failed" for cell in cells) else "missing"


def _object_scores(*sizes: str) -> dict[str, str]:
    return {
        f"small_objects/{size}/{metric}": f"{size} {name}"
        for size in sizes
        for metric, name in (("recall", "recall"), ("iou", "IoU"))
    }


def _method_table(
    comparison: Comparison, kind: str, title: str, columns: Iterable[Column[str]], *meaning: str
) -> Table:
    """A row a method, the teacher first."""
    matrix, dataset = comparison.matrix, comparison.dataset
    return make_table(
        f"{kind}_{dataset}",
        f"{dataset_title(matrix, dataset)}: {title}",
        matrix.methods,
        [*name_columns(comparison), *columns],
        [*meaning, *shared_notes(comparison)],
        method_sources(matrix),
        partial(row_state, comparison),
    )
