"""Plots of PCD's first process: the class responses and the scores of the teacher's channels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from segdistill.inspection.channels import Channels, Integers
from segdistill.report.plots.style import INK, MUTED, PALETTE, Plot, finish, panels, styled
from segdistill.report.tables.table import Value

SHOWN = 8  # channels at either end
BINS = 20


def title_of(channels: Channels) -> str:
    """The run, as every plot names it."""
    config = channels.config
    return (
        f"PCD (reconstructed from the abstract), {config.profile}/{config.dataset}/"
        f"{config.method}, seed {config.seed}"
    )


def response_plot(channels: Channels) -> Plot:
    """Class responses of the teacher channels of highest and of lowest score."""
    ranked, count = channels.ranked, min(SHOWN, len(channels.scores) // 2)
    ends = {"highest scores": ranked[:count], "lowest scores": ranked[len(ranked) - count :]}
    largest = float(np.abs(channels.responses).max())
    title = f"{title_of(channels)}: class responses of the teacher's channels"
    with styled():
        figure, axes = panels(2, 4.6, 1.6 + 0.26 * len(channels.classes))
        for axis, (name, chosen) in zip(axes, ends.items(), strict=True):
            image = _responses(axis, channels, chosen, largest)
            axis.set_title(name)
        axes[0].set_yticks(range(len(channels.classes)), channels.classes)
        axes[1].set_yticks([])
        figure.colorbar(image, ax=axes, label="class response", shrink=0.9)
        figure.suptitle(title, fontsize=11, ha="left", x=0.01)
        return finish(figure, "responses", title, _response_values(channels))


def score_plot(channels: Channels) -> Plot:
    """The scores in descending order, kept channels coloured, and their histogram."""
    ranked = channels.ranked
    sorted_scores = channels.scores[ranked]
    kept = np.isin(ranked, channels.kept)
    title = f"{title_of(channels)}: discriminative scores, {kept.sum()} of {len(kept)} kept"
    with styled():
        figure, (bars, counts) = panels(2, 4.6, 3.4)
        colours = [PALETTE[0] if flag else MUTED for flag in kept]
        bars.bar(range(len(ranked)), sorted_scores, width=1.0, color=colours)
        bars.set_xlabel("teacher channel, by score")
        bars.set_ylabel("discriminative score")
        groups = [sorted_scores[kept], sorted_scores[~kept]]
        counts.hist(groups, BINS, stacked=True, color=[PALETTE[0], MUTED], label=["kept", "pruned"])
        counts.set_xlabel("discriminative score")
        counts.set_ylabel("channels")
        counts.legend()
        for axis in (bars, counts):
            axis.grid(axis="y")
        figure.suptitle(title, fontsize=11, ha="left", x=0.01)
        values = [
            {"rank": rank, "channel": int(channel), "score": float(score), "kept": bool(flag)}
            for rank, (channel, score, flag) in enumerate(
                zip(ranked, sorted_scores, kept, strict=True)
            )
        ]
        return finish(figure, "scores", title, values)


def _responses(axis: Axes, channels: Channels, chosen: Integers, largest: float) -> AxesImage:
    maps = channels.responses[:, chosen]
    image = axis.imshow(maps, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    labels = [f"{channel}\n{channels.scores[channel]:.2f}" for channel in chosen]
    axis.set_xticks(range(len(chosen)), labels, fontsize=8, color=INK)
    axis.set_xlabel("teacher channel, its score below")
    axis.tick_params(length=0)
    return image


def _response_values(channels: Channels) -> list[dict[str, Value]]:
    return [
        {
            "rank": rank,
            "channel": int(channel),
            "score": float(channels.scores[channel]),
            "class": name,
            "response": float(channels.responses[row, channel]),
        }
        for rank, channel in enumerate(channels.ranked)
        for row, name in enumerate(channels.classes)
    ]
