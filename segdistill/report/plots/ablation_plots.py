"""A method's variants against its default: one forest plot, a panel a measure."""

from matplotlib.axes import Axes

from segdistill.report.ablation import MEASURES, Ablation
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.gain_plots import SEED
from segdistill.report.plots.style import INK, PALETTE, Plot, finish, panels, styled
from segdistill.report.tables.matrix import Matrix


def ablation_plot(matrix: Matrix, ablation: Ablation) -> Plot:
    """Differences from the default with their intervals and the single seeds."""
    name = dataset_title(matrix, ablation.dataset)
    title = f"{name}: {method_title(matrix, ablation.method)}, one option at a time"
    count = len(ablation.variants)
    with styled():
        figure, axes = panels(len(MEASURES), 4.6, 1.3 + 0.32 * count)
        for index, (axis, measure) in enumerate(zip(axes, MEASURES, strict=True)):
            _panel(axis, ablation, measure)
            labels = [variant.changes for variant in ablation.variants]
            axis.set_yticks(range(count), [""] * count if index else labels)
            axis.set_title(measure)
        figure.suptitle(
            f"{title}\ndifference from the default, with intervals; dots are single seeds",
            fontsize=11, ha="left", x=0.01,
        )  # fmt: skip
        file = f"ablation_{ablation.method}_{ablation.dataset}"
        return finish(figure, file, title, ablation.values())


def _panel(axis: Axes, ablation: Ablation, measure: str) -> None:
    axis.axvline(0, color=INK, linewidth=1)
    for height, variant in enumerate(ablation.variants):
        gain = variant.gains.get(measure)
        if gain is None:
            continue
        axis.plot([100 * value for value in gain.per_seed], [height + 0.25] * len(gain.seeds),
                  **SEED)  # fmt: skip
        if gain.interval:
            ends = [100 * gain.interval.low, 100 * gain.interval.high]
            axis.plot(ends, [height] * 2, color=PALETTE[0], linewidth=2.2, solid_capstyle="butt")
        axis.plot([100 * gain.mean], [height], "o", color=PALETTE[0], markersize=6)
    axis.set_ylim(len(ablation.variants) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")
    axis.set_xlabel("points")
