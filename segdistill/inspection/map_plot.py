"""Where in an image the kept and the pruned channels respond, and the student's match of each."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from segdistill.data.catalogue import dataset_info
from segdistill.inspection.channels import Channels, Floats
from segdistill.inspection.score_plots import title_of
from segdistill.report.plots.style import Plot, finish, styled
from segdistill.report.tables.table import Value

IMAGES, ENDS = 2, 3  # rows, and channels at either end of the ranking
VOID = (255, 255, 255)


class Column(NamedTuple):
    """One column of pictures: a map of every image."""

    title: str
    maps: Floats | NDArray[np.uint8]  # N h w, or N H W 3 for colours


def map_plot(channels: Channels) -> Plot:
    """Images, truth, the channels of highest score with the student's match, and the lowest."""
    columns = [*_scene_columns(channels), *_channel_columns(channels)]
    title = f"{title_of(channels)}: channels of highest and lowest score"
    with styled():
        figure = Figure(figsize=(1.35 * len(columns), 1.75 * IMAGES + 0.7), layout="constrained")
        axes = figure.subplots(IMAGES, len(columns), squeeze=False)
        for column, below in zip(columns, axes.T, strict=True):
            _draw(column, list(below))
        figure.suptitle(title, fontsize=11, ha="left", x=0.01)
        return finish(figure, "maps", title, _values(channels))


def _scene_columns(channels: Channels) -> list[Column]:
    info = dataset_info(channels.config.dataset)
    palette = np.full((256, 3), VOID, dtype=np.uint8)
    palette[: len(info.palette)] = info.palette
    shown = channels.examples
    images = shown.images[:IMAGES].transpose(0, 2, 3, 1)
    return [Column("image", images), Column("truth", palette[shown.labels[:IMAGES]])]


def _channel_columns(channels: Channels) -> list[Column]:
    shown, ranked = channels.examples, channels.ranked
    columns = []
    for channel in (*ranked[:ENDS], *ranked[len(ranked) - ENDS :]):
        score = channels.scores[channel]
        columns.append(Column(f"teacher {channel}\n{score:.2f}", shown.teacher[:IMAGES, channel]))
        learner = channels.learner_of(int(channel))
        if learner is not None:
            columns.append(Column(f"student {learner}\nlearns it", shown.student[:IMAGES, learner]))
    return columns


def _draw(column: Column, axes: list[Axes]) -> None:
    axes[0].set_title(column.title, fontsize=8)
    for axis, maps in zip(axes, column.maps, strict=False):
        axis.imshow(maps, cmap="viridis", interpolation="nearest")
    for axis in axes:
        axis.set_frame_on(False)
        axis.set_xticks([])
        axis.set_yticks([])


def _values(channels: Channels) -> list[dict[str, Value]]:
    """The whole matching."""
    return [
        {"student_channel": student, "teacher_channel": int(teacher)}
        for student, teacher in enumerate(channels.matched)
    ]
