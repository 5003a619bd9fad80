"""Paired gains with their intervals as forest plots: over the student, and over a default."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from segdistill.evaluation.iou import Floats
from segdistill.report.comparison import Comparison
from segdistill.report.matrix import STUDENT, Matrix
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots import style
from segdistill.report.plots.style import INK, MUTED, Look, Plot
from segdistill.report.tables.table import Value
from segdistill.report.variants import MEASURES, Variant
from segdistill.statistics import Gain

BINS = 40
HILL = 0.45  # height of the densest bin, in rows
SEED: dict[str, Any] = {"color": MUTED, "marker": ".", "markersize": 5, "linestyle": "none"}
PUBLISHED: dict[str, Any] = {
    "color": INK, "marker": "D", "markersize": 5, "fillstyle": "none", "linestyle": "none",
}  # fmt: skip


def gain_plot(matrix: Matrix, comparisons: Sequence[Comparison]) -> Plot | None:
    """Every method's gain with interval, its seeds, and published gains of the same networks."""
    if not any(comparison.gains for comparison in comparisons):
        return None
    methods = [method for method in matrix.experiment.methods if method != STUDENT]
    title = f"Gain in mIoU over the student, {100 * comparisons[0].confidence:g} % intervals"
    with style.styled():
        figure, axes = style.panels(len(comparisons), 4.2, 1.6 + 0.45 * len(methods))
        for index, (axis, comparison) in enumerate(zip(axes, comparisons, strict=True)):
            labels = [method_title(matrix, m) for m in methods] if index % style.ACROSS == 0 else []
            _panel(axis, comparison, methods, style.looks(matrix.experiment.methods))
            axis.set_yticks(range(len(methods)), labels or [""] * len(methods))
            axis.set_title(dataset_title(matrix, comparison.dataset))
        published = any(one.rows[method].verdicts for one in comparisons for method in one.gains)
        figure.legend(handles=_legend(published), loc="outside lower center", ncols=4)
        figure.suptitle(title, fontsize=12, ha="left", x=0.01)
        values = [
            {"dataset": comparison.dataset, "method": method, **_values(gain)}
            for comparison in comparisons
            for method, gain in comparison.gains.items()
        ]
        return style.finish(figure, "gains", title, values)


def variant_plot(comparison: Comparison, base: str, variants: Sequence[Variant]) -> Plot:
    """Differences of a method's variants from its default, a panel a measure."""
    matrix, dataset = comparison.matrix, comparison.dataset
    changed = [variant for variant in variants if variant.gains]
    look = Look(style.PALETTE[0], "o", "-")
    title = f"{dataset_title(matrix, dataset)}: {method_title(matrix, base)}, one option at a time"
    with style.styled():
        figure, axes = style.panels(len(MEASURES), 4.6, 1.3 + 0.32 * len(changed))
        for axis, measure in zip(axes, MEASURES, strict=True):
            _frame(axis, len(changed))
            for height, variant in enumerate(changed):
                if measure in variant.gains:
                    _one_gain(axis, height, variant.gains[measure], look)
            axis.set_yticks(range(len(changed)), [""] * len(changed))
            axis.set_title(measure)
            axis.set_xlabel("points")
        axes[0].set_yticks(range(len(changed)), [variant.changes for variant in changed])
        figure.suptitle(
            f"{title}\ndifference from the default, with intervals; dots are single seeds",
            fontsize=11, ha="left", x=0.01,
        )  # fmt: skip
        values = [
            {"dataset": dataset, "method": variant.method, "measure": measure, **_values(gain)}
            for variant in changed
            for measure, gain in variant.gains.items()
        ]
        return style.finish(figure, f"ablation_{base}", title, values, dataset)


def _panel(
    axis: Axes, comparison: Comparison, methods: Sequence[str], look: Mapping[str, Look]
) -> None:
    _frame(axis, len(methods))
    for height, method in enumerate(methods):
        row = comparison.rows[method]
        if row.gain is None:
            axis.annotate(
                "no result", (0.5, height), xycoords=("axes fraction", "data"),
                ha="center", va="center", color=MUTED, style="italic", backgroundcolor="white",
            )  # fmt: skip
            continue
        if row.draws is not None:
            _density(axis, height, 100 * row.draws, look[method])
        _one_gain(axis, height, row.gain, look[method])
        published = [100 * judged.claim.gain for judged in row.verdicts]
        axis.plot(published, [height] * len(published), **PUBLISHED)
    axis.set_xlabel("gain over student, points")


def _frame(axis: Axes, rows: int) -> None:
    axis.axvline(0, color=INK, linewidth=1)
    axis.set_ylim(rows - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")


def _one_gain(axis: Axes, height: int, gain: Gain, look: Look) -> None:
    """Mean and interval, the single seeds below."""
    seeds = [100 * value for value in gain.per_seed]
    axis.plot(seeds, [height + 0.25] * len(seeds), **SEED)
    if gain.interval:
        ends = [100 * gain.interval.low, 100 * gain.interval.high]
        axis.plot(ends, [height] * 2, color=look.colour, linewidth=2.5, solid_capstyle="butt")
    axis.plot([100 * gain.mean], [height], look.marker, color=look.colour, markersize=7)


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


def _values(gain: Gain) -> dict[str, Value]:
    by_seed = zip(gain.seeds, gain.per_seed, strict=True)
    return {
        "seeds": len(gain.seeds),
        "gain": gain.mean,
        "low": gain.interval.low if gain.interval else None,
        "high": gain.interval.high if gain.interval else None,
        **{f"gain_seed{seed}": value for seed, value in by_seed},
    }
