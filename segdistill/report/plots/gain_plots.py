"""Gains over the student with their intervals: one forest plot over all datasets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from segdistill.evaluation.iou import Floats
from segdistill.report.comparison import Comparison, Row
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import (
    ACROSS,
    INK,
    MUTED,
    Look,
    Plot,
    finish,
    looks,
    panels,
    styled,
)
from segdistill.report.tables.matrix import STUDENT, Matrix
from segdistill.report.tables.table import Value
from segdistill.statistics import Gain

BINS = 40
HILL = 0.45  # height of the densest bin, in rows
SEED: dict[str, Any] = {"color": MUTED, "marker": ".", "markersize": 5, "linestyle": "none"}
PUBLISHED: dict[str, Any] = {
    "color": INK,
    "marker": "D",
    "markersize": 5,
    "fillstyle": "none",
    "linestyle": "none",
}


def gain_plot(matrix: Matrix, comparisons: Sequence[Comparison]) -> Plot | None:
    """Every method's gain with interval, its seeds, and published gains of the same networks."""
    if not any(comparison.gains for comparison in comparisons):
        return None
    methods = [method for method in matrix.grid.methods if method != STUDENT]
    title = f"Gain in mIoU over the student, {100 * comparisons[0].confidence:g} % intervals"
    with styled():
        figure, axes = panels(len(comparisons), 4.2, 1.6 + 0.45 * len(methods))
        for index, (axis, comparison) in enumerate(zip(axes, comparisons, strict=True)):
            labels = [method_title(matrix, m) for m in methods] if index % ACROSS == 0 else []
            _panel(axis, comparison, methods, looks(matrix.grid.methods))
            axis.set_yticks(range(len(methods)), labels or [""] * len(methods))
            axis.set_title(dataset_title(matrix, comparison.dataset))
        published = any(row.verdicts for c in comparisons for row, _ in c.gains)
        figure.legend(handles=_legend(published), loc="outside lower center", ncols=4)
        figure.suptitle(title, fontsize=12, ha="left", x=0.01)
        return finish(figure, "gains", title, [v for c in comparisons for v in _values(c)])


def _panel(
    axis: Axes, comparison: Comparison, methods: Sequence[str], look: Mapping[str, Look]
) -> None:
    gains = {row.method: (row, gain) for row, gain in comparison.gains}
    axis.axvline(0, color=INK, linewidth=1)
    for height, method in enumerate(methods):
        if method in gains:
            _one_gain(axis, height, *gains[method], look[method])
        else:
            axis.annotate(
                "no result", (0.5, height), xycoords=("axes fraction", "data"),
                ha="center", va="center", color=MUTED, style="italic", backgroundcolor="white",
            )  # fmt: skip
    axis.set_ylim(len(methods) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")
    axis.set_xlabel("gain over student, points")


def _one_gain(axis: Axes, height: int, row: Row, gain: Gain, look: Look) -> None:
    if row.draws is not None:
        _density(axis, height, 100 * row.draws, look)
    seeds = [100 * value for value in gain.per_seed]
    axis.plot(seeds, [height + 0.25] * len(seeds), **SEED)
    if gain.interval:
        ends = [100 * gain.interval.low, 100 * gain.interval.high]
        axis.plot(ends, [height] * 2, color=look.colour, linewidth=2.5, solid_capstyle="butt")
    axis.plot([100 * gain.mean], [height], look.marker, color=look.colour, markersize=7)
    published = [100 * judged.claim.gain for judged in row.verdicts]
    axis.plot(published, [height] * len(published), **PUBLISHED)


def _density(axis: Axes, height: int, draws: Floats, look: Look) -> None:
    """The bootstrap draws as a hill above the interval."""
    share, edges = np.histogram(draws, BINS)
    hill = height - HILL * share / share.max()
    axis.fill_between(
        edges, height, np.append(hill, hill[-1]), step="post", color=look.colour, alpha=0.18,
        linewidth=0,
    )  # fmt: skip


def _legend(published: bool) -> list[Artist]:
    hill = Patch(color=MUTED, alpha=0.3, linewidth=0, label="crossed bootstrap")
    interval = Line2D([], [], color=MUTED, marker="o", linewidth=2.5, label="mean and interval")
    seed = Line2D([], [], label="one seed", **SEED)
    diamond = Line2D([], [], label="published gain", **PUBLISHED)
    return [interval, hill, seed, *([diamond] if published else [])]


def _values(comparison: Comparison) -> list[dict[str, Value]]:
    return [
        {
            "dataset": comparison.dataset,
            "method": row.method,
            "seeds": len(gain.seeds),
            "gain": gain.mean,
            "low": gain.interval.low if gain.interval else None,
            "high": gain.interval.high if gain.interval else None,
            **{
                f"gain_seed{seed}": value
                for seed, value in zip(gain.seeds, gain.per_seed, strict=True)
            },
        }
        for row, gain in comparison.gains
    ]
