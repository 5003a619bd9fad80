"""What a method's training costs against what it brings."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from segdistill.report.comparison import Comparison, Row
from segdistill.report.names import dataset_title
from segdistill.report.plots.style import Look, Plot, finish, looks, panels, styled
from segdistill.report.tables.cost_table import MILLISECONDS, step_seconds
from segdistill.report.tables.matrix import STUDENT, Matrix
from segdistill.report.tables.numbers import percent
from segdistill.report.tables.table import Value


def cost_plot(matrix: Matrix, comparisons: Sequence[Comparison]) -> Plot | None:
    """mIoU over time per training step, a panel a dataset; None if nothing ran."""
    shown = [
        c for c in comparisons if any(step_seconds(list(row.results.values())) for row in c.rows)
    ]
    if not shown:
        return None
    title = "mIoU against time per training step (mean ± std over seeds)"
    with styled():
        figure, axes = panels(len(shown), 4.4, 3.6)
        for axis, comparison in zip(axes, shown, strict=True):
            _panel(axis, matrix, comparison)
        # A method may be missing from some panels.
        known = {
            label: handle
            for axis in axes
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            known.values(), known.keys(), loc="outside lower center", ncols=min(7, len(known))
        )
        figure.suptitle(title, fontsize=12, ha="left", x=0.01)
        return finish(figure, "cost", title, [v for c in shown for v in _values(c)])


def _panel(axis: Axes, matrix: Matrix, comparison: Comparison) -> None:
    look = looks(matrix.grid.methods)
    for row in comparison.rows:
        _point(axis, row, look[row.method])
    if comparison.teacher:
        text = f"teacher: {percent(comparison.teacher.scores.miou)} %"
        axis.annotate(text, (0.02, 0.98), xycoords="axes fraction", va="top", fontsize=8)
    axis.margins(0.15, 0.2)
    axis.set_xlabel("milliseconds per training step")
    axis.set_ylabel("mIoU, %")
    axis.set_title(dataset_title(matrix, comparison.dataset))
    axis.grid()


def _point(axis: Axes, row: Row, look: Look) -> None:
    seconds = step_seconds(list(row.results.values()))
    if seconds is None or row.mean is None:
        return
    axis.errorbar(
        [MILLISECONDS * seconds], [100 * row.mean], [100 * (row.std or 0.0)],
        color=look.colour, marker=look.marker, markersize=8 if row.method == STUDENT else 7,
        linestyle="none", capsize=3, elinewidth=1, label=row.method,
    )  # fmt: skip


def _values(comparison: Comparison) -> list[dict[str, Value]]:
    return [
        {
            "dataset": comparison.dataset,
            "method": row.method,
            "seeds": len(row.results),
            "seconds_per_step": step_seconds(list(row.results.values())),
            "miou_mean": row.mean,
            "miou_std": row.std,
        }
        for row in comparison.rows
        if row.results
    ]
