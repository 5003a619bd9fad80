"""The same few test images for every method: prediction, errors, and the smallest objects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segdistill.data.catalogue import IGNORE, dataset_info
from segdistill.data.splits import Sample, Split, open_split
from segdistill.errors import SuiteError
from segdistill.evaluation.small_objects import BINS, components
from segdistill.report.matrix import Found, Matrix
from segdistill.report.names import dataset_title, method_title
from segdistill.report.plots.style import INK, render, styled
from segdistill.settings.loading import data_root

Labels = NDArray[np.uint8]  # H W, train ids
Colours = NDArray[np.uint8]  # H W 3, RGB
VOID = (255, 255, 255)
RIGHT, WRONG, IGNORED = (225, 225, 225), (213, 94, 0), (255, 255, 255)
WINDOW = 4  # the zoom shows 1/4 of the image's height and width
GAP = 96  # the gap between two zooms is 1/96 of the image's width


class Picture(NamedTuple):
    """A finished picture of a test image."""

    name: str  # file name without ending
    title: str
    png: bytes


class Scene(NamedTuple):
    """One test image and what every network made of it."""

    sample: Sample
    predictions: Mapping[str, Labels]  # by printed title of the method


def pictures(matrix: Matrix, dataset: str) -> tuple[list[Picture], list[str]]:
    """A picture for every image that all evaluations saved, and why there is none."""
    cells = _first_cells(matrix, dataset)
    if not cells:
        return [], []
    names = set.intersection(*({f.name for f in _folder(cell).glob("*.png")} for cell in cells))
    if not names:
        return [], [f"{dataset}: no pictures, since the evaluations saved none in common."]
    try:
        split = _split(matrix, dataset)
        scenes = [_scene(matrix, split, cells, name) for name in sorted(names)]
    except SuiteError as error:
        return [], [f"{dataset}: no pictures ({error})."]
    title = dataset_title(matrix, dataset)
    return [_picture(scene, split, dataset, title) for scene in scenes], []


def error_map(prediction: Labels, label: Labels) -> Colours:
    """Grey where `prediction` is right, orange where wrong, white where the label is ignored."""
    colours = np.where((prediction == label)[..., None], RIGHT, WRONG)
    return np.where((label == IGNORE)[..., None], IGNORED, colours).astype(np.uint8)


def crowded_window(label: Labels) -> tuple[slice, slice]:
    """The part of the label, 1/4 of its height and width, with most tiny and small objects.

    Around the smallest object among equals; the centre where there is none.
    """
    height, width = label.shape
    high, wide = max(1, height // WINDOW), max(1, width // WINDOW)
    found = components(label)
    small = found.bins < BINS.index("large")
    boxes, pixels = found.boxes[small], found.pixels[small]
    centres = np.column_stack((boxes[:, :2].sum(axis=1), boxes[:, 2:].sum(axis=1))) // 2
    if not len(centres):
        centres, pixels = np.array([[height // 2, width // 2]]), np.array([0])
    corners = np.clip(centres - [high // 2, wide // 2], 0, [height - high, width - wide])
    inside = (centres >= corners[:, None]) & (centres < corners[:, None] + [high, wide])
    best = np.lexsort((pixels, -inside.all(axis=2).sum(axis=1)))[0]
    top, left = (int(value) for value in corners[best])
    return slice(top, top + high), slice(left, left + wide)


def _first_cells(matrix: Matrix, dataset: str) -> list[Found]:
    """The teacher and every method's first finished seed."""
    methods = [matrix.of_method(dataset, method) for method in matrix.methods]
    firsts = (next((found for found in cells if found.result), None) for cells in methods)
    return [found for found in firsts if found]


def _folder(found: Found) -> Path:
    return found.eval_folder / "pictures"


def _split(matrix: Matrix, dataset: str) -> Split:
    found = next(matrix.finished(dataset))
    info = dataset_info(dataset)
    root = data_root(dataset, info.root_variable, info.synthetic)
    try:
        split = open_split(dataset, root, found.scores.split)
    except SuiteError as error:
        raise SuiteError(str(error).replace(str(root), "the data folder")) from error
    if split.info.classes != found.scores.classes:
        raise SuiteError("the records name other classes than the dataset")
    return split


def _scene(matrix: Matrix, split: Split, cells: list[Found], file: str) -> Scene:
    by_file = {f"{name.replace('/', '_')}.png": i for i, name in enumerate(split.names)}
    if file not in by_file:
        raise SuiteError(f"the {split.split} split has no image for {file}")
    sample = split.read(by_file[file])
    predictions = {}
    for found in cells:
        labels = _read_labels(_folder(found) / file, len(split.info.classes))
        if labels.shape != sample.label.shape:
            raise SuiteError(f"{file} of {found.cell.method} is not of the image's size")
        predictions[method_title(matrix, found.cell.method)] = labels
    return Scene(sample, predictions)


def _read_labels(path: Path, classes: int) -> Labels:
    try:
        with Image.open(path) as picture:
            labels = np.asarray(picture, dtype=np.uint8)
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SuiteError(f"{path.name}: not a readable PNG") from error
    if labels.ndim != 2 or labels.max() >= classes:
        raise SuiteError(f"{path.name}: not a label map of {classes} classes")
    return labels


def _picture(scene: Scene, split: Split, dataset: str, title: str) -> Picture:
    """Three rows: the whole image, the errors, the zoom; a column for every network."""
    palette = np.full((256, 3), VOID, dtype=np.uint8)
    palette[: len(split.info.palette)] = split.info.palette
    label, window = scene.sample.label, crowded_window(scene.sample.label)
    found = scene.predictions
    maps = [scene.sample.image, palette[label], *(palette[labels] for labels in found.values())]
    blank = np.full_like(scene.sample.image, 255)
    errors = [blank, blank, *(error_map(labels, label) for labels in found.values())]
    gap = max(1, label.shape[1] // GAP)
    with styled():
        ratio = label.shape[0] / label.shape[1]
        size = (1.9 * len(maps), 1.9 * ratio * 3 + 1.3)
        figure = Figure(figsize=size, layout="constrained")
        whole, wrong, zoom = figure.subplots(3)
        _row(whole, "prediction", maps, gap * WINDOW)
        _row(wrong, "errors (orange)", errors, gap * WINDOW)
        _row(zoom, "zoom", [colours[window] for colours in maps], gap)
        _name_columns(whole, ["image", "truth", *found], label.shape[1], gap * WINDOW)
        _outline(whole, window, len(maps), label.shape[1] + gap * WINDOW)
        name = f"{title}, {split.split} image {scene.sample.name}"
        figure.suptitle(f"{name}: predictions of each method's first seed", fontsize=10)
        figure.legend(handles=_colours(scene, split), loc="outside lower center", ncols=11,
                      fontsize=8, handlelength=1.2)  # fmt: skip
        file = f"{dataset}_{scene.sample.name.replace('/', '_')}"
        return Picture(file, name, render(figure)[1])


def _row(axes: Axes, name: str, images: Sequence[Colours], gap: int) -> None:
    """The images beside each other, `gap` white pixels between: one image draws much faster."""
    white = np.full((len(images[0]), gap, 3), 255, dtype=np.uint8)
    strip = np.hstack([part for image in images for part in (image, white)][:-1])
    axes.imshow(strip, interpolation="none")
    axes.set_ylabel(name, fontsize=9)
    axes.set_frame_on(False)
    axes.set_xticks([])
    axes.set_yticks([])


def _name_columns(axes: Axes, names: Sequence[str], width: int, gap: int) -> None:
    centres = [(width - 1) / 2 + i * (width + gap) for i in range(len(names))]
    axes.set_xticks(centres, [name.replace(" (", "\n(") for name in names], fontsize=9)
    axes.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False)


def _outline(axes: Axes, window: tuple[slice, slice], columns: int, step: int) -> None:
    """Frame the part that the zoom shows, in every column."""
    rows, across = window
    size = (across.stop - across.start, rows.stop - rows.start)
    for left in range(0, columns * step, step):
        corner = (left + across.start - 0.5, rows.start - 0.5)
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=1.8))
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=INK, linewidth=0.8))


def _colours(scene: Scene, split: Split) -> list[Patch]:
    """The classes that the label or any network shows, in their colours."""
    maps = [scene.sample.label, *scene.predictions.values()]
    shown = set(np.unique(np.concatenate([labels.ravel() for labels in maps])).tolist())
    pairs = zip(split.info.classes, split.info.palette, strict=False)
    return [
        Patch(facecolor=(red / 255, green / 255, blue / 255), label=name)
        for index, (name, (red, green, blue)) in enumerate(pairs)
        if index in shown
    ]
