"""Plots of scores: near boundaries, of every class, and against the cost of training."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from segdistill.evaluation.boundary import RADII
from segdistill.evaluation.iou import Floats
from segdistill.report.comparison import Comparison
from segdistill.report.matrix import STUDENT, Matrix
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import INK, Look, Plot, finish, looks, panels, styled
from segdistill.report.tables.numbers import MISSING, percent
from segdistill.report.tables.table import Value
from segdistill.settings.cell import TEACHER

COLOURS = "PuOr"  # diverging and readable with every kind of colour blindness
SECONDS = "seconds_per_step"
NARROWEST = 0.01  # the colour scale spans at least one point to each side


def boundary_plot(comparison: Comparison) -> Plot | None:
    """Left the trimap mIoU of every row, right its gain over the student; None if nothing ran."""
    matrix, dataset = comparison.matrix, comparison.dataset
    look = looks(matrix.experiment.methods)
    title = f"{dataset_title(matrix, dataset)}: mIoU near the label's boundaries"
    bands = [f"trimap_miou/{radius}" for radius in RADII]
    values = {m: [comparison.values(m, band) for band in bands] for m in comparison.methods}
    if not values.keys() - {TEACHER}:
        return None
    with styled():
        figure, (level, gain) = panels(2, 4.6, 3.6)
        for method, levels in values.items():
            _draw(level, levels, look[method], method)
            if method in comparison.gains:
                pairs = zip(levels, values[STUDENT], strict=True)
                _draw(gain, [(ours - base).dropna() for ours, base in pairs], look[method], method)
        gain.axhline(0, color=INK, linewidth=1)
        level.set_ylabel("trimap mIoU, %")
        gain.set_ylabel("gain over student, points")
        figure.suptitle(f"{title} (mean ± std over seeds)", fontsize=11, ha="left", x=0.01)
        handles, labels = level.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(7, len(labels)))
        rows = [
            {"dataset": dataset, "method": method, "radius": radius, "seeds": found.n,
             "mean": found.mean, "std": found.std}
            for method in values
            for radius, band in zip(RADII, bands, strict=True)
            if (found := comparison.spread(method, band))
        ]  # fmt: skip
        return finish(figure, "boundary", title, rows, dataset)


def _draw(axis: Axes, values: Sequence["pd.Series[float]"], look: Look, label: str) -> None:
    known = [i for i, found in enumerate(values) if len(found)]
    axis.errorbar(
        known,
        [100 * values[i].mean() for i in known],
        [100 * np.nan_to_num(values[i].std()) for i in known],
        color=look.colour, marker=look.marker, linestyle=look.dash, label=label,
        markersize=5, linewidth=1.5, elinewidth=0.8, capsize=2,
    )  # fmt: skip
    axis.set_xticks(range(len(RADII)), [str(radius) for radius in RADII])
    axis.set_xlabel("radius of the band, pixels")
    axis.grid(axis="y")


def class_plot(comparison: Comparison) -> Plot | None:
    """A heat map, classes of the split x (teacher, methods): IoU, colours the gain over student.

    None without a finished cell.
    """
    matrix, dataset, methods = comparison.matrix, comparison.dataset, comparison.methods
    if not methods:
        return None
    scored = next(matrix.finished(dataset)).scores
    classes = [name for name in scored.classes if name not in scored.absent_classes]
    means = [[comparison.mean(method, f"iou/{name}") for method in methods] for name in classes]
    ious = np.array(means, dtype=np.float64)  # NaN where there is none
    gains = np.full_like(ious, np.nan)  # of student and teacher, which stay white
    others = [i for i, name in enumerate(methods) if name not in (STUDENT, TEACHER)]
    if STUDENT in methods:
        gains[:, others] = ious[:, others] - ious[:, [methods.index(STUDENT)]]
    title = f"{dataset_title(matrix, dataset)}: IoU of each class, %"
    with styled():
        figure, (axis,) = panels(1, 2.4 + 0.95 * len(methods), 1.7 + 0.29 * len(classes))
        widest = max(NARROWEST, float(np.nanmax(np.abs(gains), initial=0.0)))
        scale = Normalize(-100 * widest, 100 * widest)
        image = axis.imshow(100 * gains, cmap=COLOURS, norm=scale, aspect="auto")
        _write_numbers(axis, ious, gains / widest)
        axis.set_xticks(range(len(methods)), [method_title(matrix, name) for name in methods])
        for label in axis.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(classes)), classes)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axis, shrink=0.6, aspect=30, pad=0.02)
        bar.set_label("gain over student, points")
        bar.outline.set_visible(False)
        axis.set_title(title)
        rows = [
            {"dataset": dataset, "class": name, "method": method, "iou": float(ious[i, j]),
             "gain": None if np.isnan(gains[i, j]) else float(gains[i, j])}
            for i, name in enumerate(classes)
            for j, method in enumerate(methods)
        ]  # fmt: skip
        return finish(figure, "classes", title, rows, dataset)


def _write_numbers(axis: Axes, values: Floats, relative: Floats) -> None:
    for (row, column), value in np.ndenumerate(values):
        dark = abs(np.nan_to_num(relative[row, column])) > 0.5
        text = MISSING if np.isnan(value) else percent(value, 1)
        colour = "white" if dark else INK
        axis.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def cost_plot(matrix: Matrix, comparisons: Sequence[Comparison]) -> Plot | None:
    """mIoU over time per training step, a panel a dataset; None if nothing ran."""
    shown = [one for one in comparisons if any(one.mean(m, SECONDS) for m in one.rows)]
    if not shown:
        return None
    title = "mIoU against time per training step (mean ± std over seeds)"
    with styled():
        figure, axes = panels(len(shown), 4.4, 3.6)
        rows = [
            row
            for axis, comparison in zip(axes, shown, strict=True)
            for row in _cost_panel(axis, comparison, looks(matrix.experiment.methods))
        ]
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
        return finish(figure, "cost", title, rows)


def _cost_panel(
    axis: Axes, comparison: Comparison, look: Mapping[str, Look]
) -> list[dict[str, Value]]:
    """Draw one dataset; the numbers drawn."""
    rows: list[dict[str, Value]] = []
    for method in comparison.rows:
        miou = comparison.spread(method, "miou")
        seconds = comparison.mean(method, SECONDS)
        if miou is None or seconds is None:
            continue
        axis.errorbar(
            [1000 * seconds], [100 * miou.mean], [100 * (miou.std or 0.0)],
            color=look[method].colour, marker=look[method].marker,
            markersize=8 if method == STUDENT else 7,
            linestyle="none", capsize=3, elinewidth=1, label=method,
        )  # fmt: skip
        rows.append(
            {"dataset": comparison.dataset, "method": method, "seeds": miou.n,
             SECONDS: seconds, "miou_mean": miou.mean, "miou_std": miou.std}
        )  # fmt: skip
    teacher = comparison.mean(TEACHER, "miou")
    if teacher is not None:
        text = f"teacher: {percent(teacher)} %"
        axis.annotate(text, (0.02, 0.98), xycoords="axes fraction", va="top", fontsize=8)
    axis.margins(0.15, 0.2)
    axis.set_xlabel("milliseconds per training step")
    axis.set_ylabel("mIoU, %")
    axis.set_title(dataset_title(comparison.matrix, comparison.dataset))
    axis.grid()
    return rows
