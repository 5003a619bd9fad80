"""How every plot looks and how it is written: SVG, PNG and the numbers behind it, same bytes."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from segdistill.report.matrix import STUDENT
from segdistill.report.tables.table import Value
from segdistill.settings.cell import TEACHER

# Okabe and Ito's palette, without the yellow that is unreadable on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", ":")
INK = "#222222"
MUTED = "#777777"
GRID = "#e3e3e3"
ACROSS = 3  # panels side by side
NARROWEST = 6.0  # inches, so that a title has room

SETTINGS = {
    "svg.hashsalt": "segdistill",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "path.simplify": False,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Look:
    """Colour, marker and dash of one method, the same in every plot."""

    colour: str
    marker: str
    dash: str


@dataclass(frozen=True)
class Plot:
    """A finished plot: both images and the numbers it shows."""

    kind: str
    dataset: str  # "" for a plot of all datasets
    title: str  # says what is shown, for readers who cannot see it
    svg: bytes
    png: bytes
    width: float  # inches
    values: tuple[Mapping[str, Value], ...]

    @property
    def name(self) -> str:
        """The file name without ending."""
        return f"{self.kind}_{self.dataset}" if self.dataset else self.kind


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """A look for every method; student and teacher are grey and black."""
    others = [method for method in methods if method not in (STUDENT, TEACHER)]
    found = {
        method: Look(
            PALETTE[i % len(PALETTE)],
            MARKERS[(i + i // len(PALETTE)) % len(MARKERS)],
            DASHES[(i // len(PALETTE)) % len(DASHES)],
        )
        for i, method in enumerate(others)
    }
    return {**found, STUDENT: Look(MUTED, "o", "-"), TEACHER: Look(INK, "*", "-")}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style to figures made inside the block."""
    with matplotlib.rc_context(cast(Any, SETTINGS)):
        yield


def panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels of that size in inches, at most three side by side."""
    across = min(count, ACROSS)
    down = -(-count // across)
    figure = Figure(figsize=(max(width * across, NARROWEST), height * down), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    axes = [axes for row in grid for axes in row]
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def finish(
    figure: Figure, kind: str, title: str, values: Sequence[Mapping[str, Value]], dataset: str = ""
) -> Plot:
    """Render `figure` as SVG and PNG."""
    return Plot(kind, dataset, title, *render(figure), figure.get_figwidth(), tuple(values))


def render(figure: Figure) -> tuple[bytes, bytes]:
    """`figure` as SVG and as PNG at 150 dots an inch.

    Without date or version, so that equal numbers give equal bytes.
    """
    vectors, pixels = io.BytesIO(), io.BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(vectors, format="svg", metadata={"Date": None, "Creator": None})
    figure.set_layout_engine("none")  # what was laid out for the first stays for the second
    FigureCanvasAgg(figure)
    figure.savefig(pixels, format="png", dpi=150, metadata={"Software": None})
    return vectors.getvalue(), pixels.getvalue()
