"""Training curves: cross entropy over steps, mean and range over the seeds."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from segdistill.errors import SuiteError
from segdistill.report.logs import Series, read_series, running_mean, stack
from segdistill.report.matrix import STUDENT, Matrix
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import MUTED, Look, Plot, finish, looks, panels, styled
from segdistill.report.tables.table import Value

LOGGED = "cross_entropy"
SMOOTHING = 21  # a curve is averaged over about 1/21 of its points to each side
Curves = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]  # method -> steps, (seed, step)


def curve_plots(matrix: Matrix, dataset: str) -> tuple[list[Plot], list[str]]:
    """The dataset's plots of what was logged, and the logs that are unreadable."""
    curves, problems = _read(matrix, dataset)
    return [_plot(matrix, dataset, curves)] if curves else [], problems


def _read(matrix: Matrix, dataset: str) -> tuple[Curves, list[str]]:
    curves: Curves = {}
    problems = []
    for method in matrix.grid.methods:
        series: list[Series] = []
        for cell in (cell for cell in matrix.of_method(dataset, method) if cell.result):
            try:
                series.append(read_series(cell.run_folder / "log.jsonl", LOGGED))
            except SuiteError as error:
                reason = str(error).replace(f"{cell.run_folder}/", "")
                problems.append(f"{dataset}/{method}/seed{cell.seed}: {reason}")
        series = [one for one in series if len(one[0])]
        if series and len(stack(series)[0]):
            curves[method] = stack(series)
    return curves, problems


def _plot(matrix: Matrix, dataset: str, curves: Curves) -> Plot:
    others = [method for method in curves if method != STUDENT] or list(curves)
    look = looks(matrix.grid.methods)
    title = f"{dataset_title(matrix, dataset)}: cross entropy on training crops"
    with styled():
        figure, axes = panels(len(others), 3.6, 2.7)
        for axis, method in zip(axes, others, strict=True):
            if STUDENT in curves and method != STUDENT:
                _band(axis, curves[STUDENT], look[STUDENT], "student")
            _band(axis, curves[method], look[method], method)
            axis.set_title(method_title(matrix, method))
            axis.set_xlabel("training step")
            axis.legend(loc="best", fontsize=8)
            axis.grid(axis="y")
        _share_range(axes)
        figure.suptitle(
            f"{title}\nmean and range over seeds, running mean over steps",
            fontsize=11, ha="left", x=0.01,
        )  # fmt: skip
        values = chain.from_iterable(_values(dataset, m, c) for m, c in curves.items())
        return finish(figure, f"curves_{LOGGED}", title, list(values), dataset)


def _band(
    axis: Axes, curve: tuple[NDArray[np.int64], NDArray[np.float64]], look: Look, label: str
) -> None:
    steps, values = curve
    smooth = running_mean(values, 2 * (len(steps) // SMOOTHING) + 1)
    axis.fill_between(
        steps, smooth.min(axis=0), smooth.max(axis=0), color=look.colour, alpha=0.22, linewidth=0
    )
    axis.plot(
        steps, smooth.mean(axis=0), look.dash, color=look.colour, linewidth=1.6,
        label=f"{label} (n = {len(values)})",
    )  # fmt: skip


def _share_range(axes: Sequence[Axes]) -> None:
    """The same vertical range in every panel, so that curves compare across panels."""
    low = min(axis.get_ylim()[0] for axis in axes)
    high = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)
        axis.tick_params(colors=MUTED)


def _values(
    dataset: str, method: str, curve: tuple[NDArray[np.int64], NDArray[np.float64]]
) -> list[dict[str, Value]]:
    steps, values = curve
    return [
        {
            "dataset": dataset,
            "method": method,
            "step": int(step),
            "seeds": len(values),
            f"mean_{LOGGED}": float(values[:, i].mean()),
            f"lowest_{LOGGED}": float(values[:, i].min()),
            f"highest_{LOGGED}": float(values[:, i].max()),
        }
        for i, step in enumerate(steps)
    ]
