"""IoU of every class and method: numbers are IoU, colours the gain over the student."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from segdistill.report.comparison import Comparison, mean
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import INK, Plot, finish, panels, styled
from segdistill.report.tables.matrix import STUDENT, TEACHER, Finished, Matrix
from segdistill.report.tables.table import Value

COLOURS = "PuOr"  # diverging and readable with every kind of colour blindness
NARROWEST = 0.01  # the colour scale spans at least one point to each side


def class_plot(matrix: Matrix, comparison: Comparison) -> Plot | None:
    """A heat map, classes of the split x (teacher, methods); None without a finished cell."""
    columns = {TEACHER: [comparison.teacher]} if comparison.teacher else {}
    columns |= {row.method: list(row.results.values()) for row in comparison.rows if row.results}
    if not columns:
        return None
    first = next(iter(columns.values()))[0].scores
    classes = tuple(name for name in first.classes if name not in first.absent_classes)
    values = np.array(
        [[_class_mean(found, name) for found in columns.values()] for name in classes]
    )
    gains = _gains(values, list(columns))
    title = f"{dataset_title(matrix, comparison.dataset)}: IoU of each class, %"
    with styled():
        figure, (axis,) = panels(1, 2.4 + 0.95 * len(columns), 1.7 + 0.29 * len(classes))
        widest = max(NARROWEST, float(np.nanmax(np.abs(gains), initial=0.0)))
        scale = Normalize(-100 * widest, 100 * widest)
        image = axis.imshow(100 * gains, cmap=COLOURS, norm=scale, aspect="auto")
        _write_numbers(axis, values, gains / widest)
        axis.set_xticks(range(len(columns)), [method_title(matrix, name) for name in columns])
        for label in axis.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(classes)), classes)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axis, shrink=0.6, aspect=30, pad=0.02)
        bar.set_label("gain over student, points")
        bar.outline.set_visible(False)
        axis.set_title(title)
        return finish(
            figure, f"classes_{comparison.dataset}", title,
            _values(comparison.dataset, list(columns), classes, values, gains),
        )  # fmt: skip


def _class_mean(found: list[Finished], name: str) -> float:
    values = [result.scores.iou.get(name) for result in found]
    average = mean([value for value in values if value is not None])
    return np.nan if average is None else average


def _gains(values: NDArray[np.float64], columns: list[str]) -> NDArray[np.float64]:
    """Difference to the student's column; NaN for student and teacher, which stay white."""
    gains = np.full_like(values, np.nan)
    if STUDENT in columns:
        for i, name in enumerate(columns):
            if name not in (STUDENT, TEACHER):
                gains[:, i] = values[:, i] - values[:, columns.index(STUDENT)]
    return gains


def _write_numbers(axis: Axes, values: NDArray[np.float64], relative: NDArray[np.float64]) -> None:
    for (row, column), value in np.ndenumerate(values):
        dark = abs(np.nan_to_num(relative[row, column])) > 0.5
        text = "–" if np.isnan(value) else f"{100 * value:.1f}"
        colour = "white" if dark else INK
        axis.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def _values(
    dataset: str, columns: list[str], classes: tuple[str, ...], values: NDArray[np.float64],
    gains: NDArray[np.float64],
) -> list[dict[str, Value]]:  # fmt: skip
    return [
        {
            "dataset": dataset,
            "class": name,
            "method": method,
            "iou": _number(values[i, j]),
            "gain": _number(gains[i, j]),
        }
        for i, name in enumerate(classes)
        for j, method in enumerate(columns)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
