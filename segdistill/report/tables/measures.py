"""The tables of scores: PCD's focus, boundaries, objects by size, classes, cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from segdistill.evaluation.boundary import RADII, RATIOS
from segdistill.evaluation.small_objects import BINS
from segdistill.report.comparison import Comparison
from segdistill.report.matrix import STUDENT
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import method_sources, shared_notes
from segdistill.report.tables.numbers import Count, count, percent, significant, spread
from segdistill.report.tables.table import Column, Mark, Table, make_table
from segdistill.settings.cell import TEACHER

R = TypeVar("R")
MEBIBYTE = 1024**2
BOUNDARY = {f"boundary_iou/{r}": f"boundary IoU, {100 * r:g} % of diagonal" for r in RATIOS}
OBJECTS = {
    f"small_objects/{size}/{metric}": f"{size} {name}"
    for size in BINS
    for metric, name in (("recall", "recall"), ("iou", "IoU"))
}
NARROW, SMALLER = list(BOUNDARY.items())[:1], list(OBJECTS.items())[:4]


class Scores(NamedTuple):
    """A table with a row a method and a column a score."""

    kind: str
    title: str
    columns: Mapping[str, str]  # metric -> heading
    meaning: str = ""  # for the footer


SCORES = (
    Scores(
        "focus",
        "what PCD's abstract claims (discriminative features, boundaries of small objects; "
        "percent but the first)",
        {"discriminability": "feature discriminability, B/W", **dict(NARROW), **dict(SMALLER)},
        "Feature discriminability: Fisher's ratio of head.embedding, variance between the "
        "classes over variance within them, over all pixels of the split. It does not follow "
        "from the areas, and networks of other width differ in it for that reason too.",
    ),
    Scores(
        "boundaries",
        "boundaries and single images, %",
        {
            "pixel_accuracy": "pixel accuracy",
            **BOUNDARY,
            **{f"trimap_miou/{radius}": f"trimap mIoU, {radius} px" for radius in RADII},
            "image_miou": "mIoU of an image, mean",
            "worst5_miou": "worst 5 % of images, mean",
        },
    ),
    Scores(
        "objects",
        "objects by size, %",
        OBJECTS,
        "Objects are connected components of the label: tiny below 0.1 %, small 0.1 to 1 %, large "
        "above 1 % of the image. Recall: share with at least half of their pixels right. IoU: over "
        "the component's bounding box grown by 50 %, class against rest.{counts}",
    ),
)


def score_tables(comparison: Comparison) -> list[Table]:
    """The tables of SCORES."""
    tables = []
    for kind, title, columns, meaning in SCORES:
        filled = [spread_column(comparison, *column) for column in columns.items()]
        said = meaning.format(counts=_object_counts(comparison))
        notes = [said] * bool(said) + shared_notes(comparison)
        tables.append(method_table(comparison, kind, title, filled, notes))
    return tables


def _object_counts(comparison: Comparison) -> str:
    if not comparison.methods:
        return ""
    first = comparison.scores.iloc[0]
    counts = [f"{first[f'small_objects/{size}/count']:.0f} {size}" for size in BINS]
    return f" The split has {', '.join(counts)} ones."


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

    columns = [Column[str]("class", "class", str), *map(column, matrix.methods)]
    classes = scored.scores.classes if scored else ()
    notes = shared_notes(comparison)
    return dataset_table(comparison, "classes", "IoU of each class, %", classes, columns, notes)


def cost_table(comparison: Comparison) -> Table:
    """Parameters, MACs, latency, memory and time per training step."""
    base = comparison.mean(STUDENT, "seconds_per_step")

    def relative(method: str) -> float | None:
        step = comparison.mean(method, "seconds_per_step")
        return step / base if step and base and method != TEACHER else None

    def column(metric: str, name: str, write: Callable[[float], str]) -> Column[str]:
        return Column(metric, name, lambda m: comparison.mean(m, metric), write, runs=linked)

    linked = partial(runs_key, comparison.dataset)
    columns = [
        column("cost/parameters", "parameters", count),
        column("cost/macs", "MACs", count),
        column("cost/latency_ms", "latency, ms", significant),
        column("cost/latency_iqr_ms", "latency IQR, ms", significant),
        column("cost/peak_memory_bytes", "memory, MiB", lambda b: significant(b / MEBIBYTE)),
        column("seconds_per_step", "training step, ms", lambda s: significant(1000 * s)),
        Column("relative_to_student", "relative to student", relative,
               lambda ratio: f"{significant(ratio)}×", runs=linked),
    ]  # fmt: skip
    meaning = (
        "All but the training step is of the network that ships, for one image of evaluation "
        "size: parameters, multiply-accumulates, median latency with interquartile range, "
        "most memory of feature maps at a time. Times are those of the machine that ran, with "
        "what else it did then: cells trained at other times differ in them for that reason too."
    )
    return method_table(comparison, "cost", "cost", columns, [meaning, *shared_notes(comparison)])


def method_table(
    comparison: Comparison,
    kind: str,
    title: str,
    columns: Iterable[Column[str]],
    notes: Sequence[str],
) -> Table:
    """A row a method, the teacher first; a method without results says missing or failed."""
    names: list[Column[str]] = [
        Column("dataset", "", lambda _: comparison.dataset),
        Column("method", "method", str, partial(method_title, comparison.matrix)),
    ]
    rows, state = comparison.matrix.methods, partial(_state, comparison)
    return dataset_table(comparison, kind, title, rows, [*names, *columns], notes, state)


def dataset_table(
    comparison: Comparison,
    kind: str,
    title: str,
    rows: Sequence[R],
    columns: Sequence[Column[R]],
    notes: Sequence[str],
    state: Callable[[R], Mark] = lambda _: "",
) -> Table:
    """A table of one dataset, which its name and title say."""
    name, whole = (
        f"{kind}_{comparison.dataset}",
        dataset_title(comparison.matrix, comparison.dataset),
    )
    sources = method_sources(comparison.matrix)
    return make_table(name, f"{whole}: {title}", rows, columns, notes, sources, state)


def spread_column(
    comparison: Comparison, metric: str, name: str, mark: Callable[[str], Mark] = lambda _: ""
) -> Column[str]:
    """Mean and deviation of a metric over a method's seeds, in percent where it is a fraction."""
    write = significant if metric == "discriminability" else percent
    linked = partial(runs_key, comparison.dataset)
    value = partial(comparison.spread, metric=metric)
    return Column(metric, name, value, partial(spread, write=write), mark, linked)


def count_column(comparison: Comparison) -> Column[str]:
    """How many of a method's planned seeds are finished."""
    matrix, dataset = comparison.matrix, comparison.dataset

    def seeds(method: str) -> Count:
        return Count(len(matrix.of(dataset, method)), len(matrix.of_method(dataset, method)))

    return Column("n", "n", seeds)


def runs_key(dataset: str, method: str) -> str:
    """The key under which the page lists the runs behind an entry."""
    return f"{dataset}/{method}"


def _state(comparison: Comparison, method: str) -> Mark:
    if method in comparison.methods:
        return ""
    cells = comparison.matrix.of_method(comparison.dataset, method)
    return "failed" if any(cell.state == "failed" for cell in cells) else "missing"
