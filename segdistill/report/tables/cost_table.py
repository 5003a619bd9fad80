"""What a network costs to run and what its training took."""

from segdistill.report.comparison import Comparison, mean
from segdistill.report.headline import origin, row_state
from segdistill.report.names import dataset_title, method_title
from segdistill.report.notes import method_sources
from segdistill.report.tables.matrix import STUDENT, TEACHER, Finished, Matrix
from segdistill.report.tables.metric_tables import by_method, shared_notes
from segdistill.report.tables.numbers import MISSING, count, significant
from segdistill.report.tables.table import Entry, Table, Value, blank

MILLISECONDS = 1000
MEBIBYTE = 1024**2
HEADER = (
    "method",
    "parameters",
    "MACs",
    "latency (IQR), ms",
    "memory, MiB",
    "energy, mJ",
    "training step, ms",
    "relative to student",
)


def cost_table(matrix: Matrix, comparison: Comparison) -> Table:
    """Parameters, MACs, latency, memory, energy and time per training step, a row a method."""
    groups = by_method(comparison)
    base = step_seconds(groups.get(STUDENT, []))
    return Table(
        name=f"cost_{comparison.dataset}",
        title=f"{dataset_title(matrix, comparison.dataset)}: cost",
        header=HEADER,
        rows=tuple(_row(matrix, comparison, method, base) for method in groups),
        values=tuple(_values(result) for group in groups.values() for result in group),
        notes=(
            "All but the training step is of the network that ships, for one image of evaluation "
            "size: parameters, multiply-accumulates, median latency with interquartile range, "
            "most memory of feature maps at a time, energy where the device counts it. Times and "
            "energy are those of the machine that ran, with what else it did then: cells trained "
            "at other times differ in them for that reason too.",
            *shared_notes(matrix, comparison),
        ),
        sources=method_sources(matrix),
    )


def step_seconds(group: list[Finished]) -> float | None:
    """Mean wall time of one training step over the runs of `group`, seconds."""
    return mean([r.run.seconds.total / r.run.steps for r in group if r.run.steps])


def _row(
    matrix: Matrix, comparison: Comparison, method: str, base: float | None
) -> tuple[Entry, ...]:
    name = Entry(method_title(matrix, method))
    group = by_method(comparison)[method]
    if not group:
        state = row_state(matrix, comparison.dataset, method)
        return (name, state, *[blank()] * (len(HEADER) - 2))
    step = step_seconds(group)
    ratio = step / base if step and base and method != TEACHER else None
    cost = group[0].scores.cost
    texts = (
        count(cost.parameters),
        count(cost.macs),
        _latency(group),
        significant(_mean_cost(group, "peak_memory_bytes", MEBIBYTE)),
        significant(_mean_cost(group, "energy_mj")),
        significant(None if step is None else MILLISECONDS * step),
        significant(ratio) + ("×" if ratio else ""),
    )
    key = origin(comparison.dataset, method)
    return (name, *(blank() if text == MISSING else Entry(text, origin=key) for text in texts))


def _latency(group: list[Finished]) -> str:
    median, spread = (_mean_cost(group, name) for name in ("latency_ms", "latency_iqr_ms"))
    return significant(median) + ("" if spread is None else f" ({significant(spread)})")


def _mean_cost(group: list[Finished], name: str, unit: float = 1.0) -> float | None:
    """Mean of one field of the runs' costs, in `unit`, over the runs that know it."""
    found = [getattr(result.scores.cost, name) for result in group]
    return mean([value / unit for value in found if value is not None])


def _values(result: Finished) -> dict[str, Value]:
    run, cost = result.run, result.scores.cost
    return {
        "dataset": run.dataset,
        "method": run.method,
        "seed": run.seed,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "latency_ms": cost.latency_ms,
        "latency_iqr_ms": cost.latency_iqr_ms,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "energy_mj": cost.energy_mj,
        "steps": run.steps,
        "seconds_per_step": step_seconds([result]),
        **{f"seconds_{phase}": value for phase, value in run.seconds.model_dump().items()},
    }
