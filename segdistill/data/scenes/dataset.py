"""A drawn dataset: its scenes, written once in the layout of the real one."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE, DatasetInfo
from segdistill.data.draws import draws
from segdistill.data.scenes.canvas import Canvas, Dice
from segdistill.data.scenes.layouts import write_lists, write_scene
from segdistill.data.scenes.objects import draw_objects
from segdistill.data.scenes.street import draw_street
from segdistill.errors import SuiteError

MANIFEST_NAME = "MANIFEST.json"
COUNTS: Mapping[str, int] = {"train": 240, "val": 40, "test": 80}
_SEED = 2024
_STREET_SIZE, _OBJECT_SIZE = (128, 192), (144, 144)  # height, width
_NOISE = 10  # grey levels
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)  # a pixel and its neighbours

# CamVid has 11 classes: what a street holds beyond them is merged, as the SegNet release does.
_CAMVID_PARTS = {
    "sidewalk": "pavement", "vegetation": "tree", "terrain": "tree", "wall": "building",
    "traffic sign": "sign symbol", "traffic light": "sign symbol", "person": "pedestrian",
    "rider": "bicyclist", "bicycle": "bicyclist", "motorcycle": "bicyclist",
    "truck": "car", "bus": "car", "train": "car",
}  # fmt: skip


def draw_scene(
    info: DatasetInfo, split: str, index: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Scene `index` of a split: image H W 3 RGB, label H W train ids with 255 = ignore."""
    dice = Dice(draws(_SEED, f"{info.name}/{split}", index))
    labels = {name: train_id for train_id, name in enumerate(info.classes)}
    if info.layout == "voc":
        canvas = Canvas(*_OBJECT_SIZE, dice)
        # Every class takes its turn, so that none is absent from a split.
        draw_objects(canvas, labels, main=info.classes[1 + index % (len(info.classes) - 1)])
        # Ignored along every boundary, two pixels wide, as VOC annotates it.
        border = cv2.dilate(canvas.label, _CROSS) != cv2.erode(canvas.label, _CROSS)
        return canvas.photograph(_NOISE), np.where(border, np.uint8(IGNORE), canvas.label)
    if info.layout == "camvid":
        labels |= {part: labels[name] for part, name in _CAMVID_PARTS.items()}
    canvas = Canvas(*_STREET_SIZE, dice)
    draw_street(canvas, labels)
    return canvas.photograph(_NOISE), canvas.label


def draw_dataset(info: DatasetInfo, destination: Path) -> None:
    """Draw all splits into the folder `destination`, which changes as a whole or not at all.

    An equal drawing is left alone, another one is replaced; a manifest beside it is dropped
    with it. Raises SuiteError if the folder holds any other file.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{info.name}.", dir=destination.parent) as folder:
            _draw(info, Path(folder) / "new")
            _replace(destination, Path(folder) / "new", Path(folder) / "old")
    except OSError as error:
        raise SuiteError(f"{destination}: cannot draw here ({error})") from error


def _draw(info: DatasetInfo, folder: Path) -> None:
    for split, count in COUNTS.items():
        names = [f"{info.layout}_{split}_{index:04d}" for index in range(count)]
        for index, name in enumerate(names):
            write_scene(info, folder, split, name, *draw_scene(info, split, index))
        write_lists(info, folder, split, names)


def _replace(destination: Path, new: Path, old: Path) -> None:
    present, drawn = _files(destination), _files(new)
    # Nothing is deleted that was not drawn: a real dataset may lie where scenes should go.
    for path in sorted(present - drawn - {Path(MANIFEST_NAME)}):
        raise SuiteError(
            f"{destination / path}: is no drawn scene, so {destination} is not replaced; "
            "choose another destination or move the file"
        )
    if drawn <= present and all(
        (destination / path).read_bytes() == (new / path).read_bytes() for path in drawn
    ):
        return
    if destination.exists():
        destination.rename(old)
    new.rename(destination)


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
