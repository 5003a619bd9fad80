"""The drawn datasets: deterministic scenes, written once in the layouts of the real ones."""

import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE, DatasetInfo
from segdistill.data.draws import draws
from segdistill.data.scenes_canvas import Canvas, Dice
from segdistill.data.scenes_layouts import write_lists, write_scene
from segdistill.data.scenes_objects import draw_objects
from segdistill.data.scenes_street import draw_street
from segdistill.data.scenes_surfaces import exposed, leaning
from segdistill.errors import SuiteError
from segdistill.following import follow

MANIFEST_NAME = "MANIFEST.json"
COUNTS: Mapping[str, int] = {"train": 240, "val": 40, "test": 80}
_SEED = 2024
_PROCESSES = min(8, os.cpu_count() or 1)  # a start costs as much as a dozen scenes
_AT_ONCE = 8  # scenes given to a process at a time
_STREET_SIZE = 128, 192  # height, width
_OBJECT_SIZE = 144, 144
_LEANING = {"cityscapes": 40, "camvid": 40, "voc": 110}  # percent, see `leaning`

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
    parts = {name: train_id for train_id, name in enumerate(info.classes)}
    if info.layout == "voc":
        canvas = Canvas(*_OBJECT_SIZE, dice, parts)
        # Every class takes its turn, so that none is absent from a split.
        draw_objects(canvas, first=info.classes[1 + index % (len(info.classes) - 1)])
        image = _photographed(canvas, info, dice)
        return image, _bordered(canvas.label)
    if info.layout == "camvid":
        parts |= {part: parts[name] for part, name in _CAMVID_PARTS.items()}
    canvas = Canvas(*_STREET_SIZE, dice, parts)
    draw_street(canvas)
    return _photographed(canvas, info, dice), canvas.label


def _photographed(canvas: Canvas, info: DatasetInfo, dice: Dice) -> NDArray[np.uint8]:
    image = leaning(
        canvas.image, canvas.label, dict(enumerate(info.palette)), dice, _LEANING[info.layout]
    )
    return exposed(image, dice, noise=8)


def draw_dataset(info: DatasetInfo, destination: Path) -> None:
    """Draw all splits into the folder `destination`, which changes as a whole or not at all.

    An equal drawing is left alone, another one is replaced; a manifest beside it is dropped
    with it. Raises SuiteError if the folder holds any other file.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{info.name}.", dir=destination.parent) as folder:
            _replace(info, destination, Path(folder))
    except OSError as error:
        raise SuiteError(f"{destination}: cannot draw here ({error})") from error
    except BrokenExecutor as error:
        raise SuiteError(f"{destination}: not drawn, a drawing process was killed") from error


def _replace(info: DatasetInfo, destination: Path, scratch: Path) -> None:
    new, old = scratch / "new", scratch / "old"
    _draw_splits(info, new)
    _refuse_strangers(destination, new)
    if _equal(destination, new):
        return
    if destination.exists():
        destination.rename(old)
    new.rename(destination)


def _draw_splits(info: DatasetInfo, folder: Path) -> None:
    with ProcessPoolExecutor(
        _PROCESSES, get_context("spawn"), initializer=follow, initargs=(os.getpid(),)
    ) as pool:
        for split, count in COUNTS.items():
            names = [f"{info.layout}_{split}_{index:04d}" for index in range(count)]
            draw = partial(_draw_file, info, folder, split)
            list(pool.map(draw, range(count), names, chunksize=_AT_ONCE))
            write_lists(info, folder, split, names)


def _draw_file(info: DatasetInfo, folder: Path, split: str, index: int, name: str) -> None:
    write_scene(info, folder, split, name, *draw_scene(info, split, index))


def _refuse_strangers(destination: Path, new: Path) -> None:
    """Nothing is deleted that was not drawn: a real dataset may lie where scenes should go."""
    for path in sorted(destination.rglob("*")):
        drawn = new / path.relative_to(destination)
        if path.is_file() and not drawn.exists() and path != destination / MANIFEST_NAME:
            raise SuiteError(
                f"{path}: is no drawn scene, so {destination} is not replaced; "
                "choose another destination or move the file"
            )


def _equal(destination: Path, new: Path) -> bool:
    for path in new.rglob("*"):
        present = destination / path.relative_to(new)
        if path.is_file() and not (present.is_file() and present.read_bytes() == path.read_bytes()):
            return False
    return True


def _bordered(label: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`label` with 255 along every class boundary, as VOC annotates it: two pixels wide."""
    edge = np.zeros(label.shape, bool)
    rows, columns = label[1:] != label[:-1], label[:, 1:] != label[:, :-1]
    edge[1:] |= rows
    edge[:-1] |= rows
    edge[:, 1:] |= columns
    edge[:, :-1] |= columns
    return np.where(edge, np.uint8(IGNORE), label)
