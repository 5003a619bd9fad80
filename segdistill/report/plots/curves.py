"""Training curves: cross entropy over steps, mean and range over the seeds."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from segdistill.errors import SuiteError
from segdistill.report.logs import read_series, stack
from segdistill.report.matrix import STUDENT, Matrix
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import MUTED, Look, Plot, finish, looks, panels, styled

LOGGED = "cross_entropy"
SMOOTHING = 21  # a curve is averaged over about 1/21 of its points to each side
Curves = dict[str, pd.DataFrame]  # by method: a row a step, a column a seed


def curve_plots(matrix: Matrix, dataset: str) -> tuple[list[Plot], list[str]]:
    """The dataset's plots of what was logged, and the logs that are unreadable."""
    curves, problems = _read(matrix, dataset)
    return [_plot(matrix, dataset, curves)] if curves else [], problems


def _read(matrix: Matrix, dataset: str) -> tuple[Curves, list[str]]:
    curves: Curves = {}
    problems = []
    for method in matrix.experiment.methods:
        series = []
        for found in (found for found in matrix.of_method(dataset, method) if found.result):
            try:
                series.append(read_series(found.run_folder / "log.jsonl", LOGGED))
            except SuiteError as error:
                reason = str(error).replace(f"{found.run_folder}/", "")
                problems.append(f"{found.cell.name}: {reason}")
        series = [one for one in series if len(one)]
        if series and len(stack(series)):
            curves[method] = stack(series)
    return curves, problems


def _plot(matrix: Matrix, dataset: str, curves: Curves) -> Plot:
    others = [method for method in curves if method != STUDENT] or list(curves)
    look = looks(matrix.experiment.methods)
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
        values = [
            {"dataset": dataset, "method": method, "step": int(step), "seeds": curve.shape[1],
             f"mean_{LOGGED}": mean, f"lowest_{LOGGED}": low, f"highest_{LOGGED}": high}
            for method, curve in curves.items()
            for step, mean, low, high in curve.agg(["mean", "min", "max"], axis=1).itertuples()
        ]  # fmt: skip
        return finish(figure, f"curves_{LOGGED}", title, values, dataset)


def _band(axis: Axes, curve: pd.DataFrame, look: Look, label: str) -> None:
    width = 2 * (len(curve) // SMOOTHING) + 1
    smooth = curve.rolling(width, center=True, min_periods=1).mean()
    low, high = smooth.min(axis=1), smooth.max(axis=1)
    axis.fill_between(smooth.index, low, high, color=look.colour, alpha=0.22, linewidth=0)
    axis.plot(
        smooth.index, smooth.mean(axis=1), look.dash, color=look.colour, linewidth=1.6,
        label=f"{label} (n = {curve.shape[1]})",
    )  # fmt: skip


def _share_range(axes: Sequence[Axes]) -> None:
    """The same vertical range in every panel, so that curves compare across panels."""
    low = min(axis.get_ylim()[0] for axis in axes)
    high = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)
        axis.tick_params(colors=MUTED)
