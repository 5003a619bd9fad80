"""Drawn street scenes of Cityscapes' size and layout, for measuring loaders on."""

from pathlib import Path

import numpy as np
from PIL import Image

from harness.data.catalogue import dataset_info
from harness.data.draws import draws
from harness.data.mmsegmentation import TRAIN_ID_SUFFIX
from harness.data.readers.cityscapes import EVALUATED_IDS, IMAGE_SUFFIX, LABEL_SUFFIX
from harness.data.scenes_canvas import Canvas, Dice
from harness.data.scenes_street import draw_street
from harness.data.scenes_surfaces import exposed

NOISE = 2  # grey levels: the files then take 2.9 MB, Cityscapes' about 2.3 MB
OTHER_ID = 0  # a label id that is not evaluated


def draw_streets(root: Path, count: int, size: tuple[int, int]) -> None:
    """Write `count` scenes of `size` (height, width) as the train split of a Cityscapes root.

    Compressed as usual; labels as label ids for us and as train ids for mmsegmentation.
    """
    info = dataset_info("scenes_cityscapes")
    parts = {name: train_id for train_id, name in enumerate(info.classes)}
    ids = np.full(256, OTHER_ID, np.uint8)
    ids[: len(EVALUATED_IDS)] = EVALUATED_IDS
    images, labels = root / "leftImg8bit/train/drawn", root / "gtFine/train/drawn"
    for folder in (images, labels):
        folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        dice = Dice(draws(0, "streets", index))
        canvas = Canvas(*size, dice, parts)
        draw_street(canvas)
        name = f"street_{index:04d}"
        for path, pixels in (
            (images / f"{name}{IMAGE_SUFFIX}", exposed(canvas.image, dice, NOISE)),
            (labels / f"{name}{LABEL_SUFFIX}", ids[canvas.label]),
            (labels / f"{name}{TRAIN_ID_SUFFIX}", canvas.label),
        ):
            Image.fromarray(pixels).save(path)
