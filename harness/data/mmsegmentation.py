"""mmsegmentation's own Cityscapes loader, given our draws: what ours is measured by.

It reads labels as train ids from `*_gtFine_labelTrainIds.png`, which its preparation writes.
"""

import contextlib
import io
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness import vision  # noqa: F401  mmseg imports torchvision
from harness.data.augmentation import Placement

with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
    warnings.simplefilter("ignore")  # optional parts, whose absence is even printed
    from mmcv.transforms import LoadImageFromFile, RandomFlip, RandomResize
    from mmseg.datasets import CityscapesDataset
    from mmseg.datasets.transforms import LoadAnnotations, PackSegInputs, RandomCrop

TRAIN_ID_SUFFIX = "_gtFine_labelTrainIds.png"
TRANSFORMS = ("load image", "load label", "resize", "crop", "flip", "pack")


class Packed(NamedTuple):
    """One sample as mmsegmentation packs it."""

    image: NDArray[np.uint8]  # 3 H W, BGR
    label: NDArray[np.int64]  # H W


class RivalLoader:
    """mmsegmentation's CityscapesDataset over the train split under `root`."""

    def __init__(self, root: Path, size: tuple[int, int], crop: tuple[int, int]) -> None:
        height, width = size
        self._transforms = (
            LoadImageFromFile(),
            LoadAnnotations(),
            # keep_ratio would round the size once more; the size drawn has the image's ratio.
            RandomResize((width, height), ratio_range=(0.5, 2.0), keep_ratio=False),
            RandomCrop(crop),
            RandomFlip(prob=0.5),
            PackSegInputs(),
        )
        self._dataset = CityscapesDataset(
            data_root=str(root),
            data_prefix={"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"},
            seg_map_suffix=TRAIN_ID_SUFFIX,
            pipeline=list(self._transforms),
        )
        self.seconds = dict.fromkeys(TRANSFORMS, 0.0)  # of processor time

    def sample(self, index: int, placement: Placement) -> Packed:
        """Sample `index` (names in order) with `placement` instead of draws of its own."""
        resize, crop, flip = self._transforms[2:5]
        rows, columns, mirrored = placement
        box = (rows.start, rows.start + rows.taken, columns.start, columns.start + columns.taken)
        resize._random_scale = lambda: (columns.scaled, rows.scaled)
        crop.crop_bbox = lambda _: box
        flip._choose_direction = lambda: "horizontal" if mirrored else None
        found = self._dataset.get_data_info(index)
        for name, transform in zip(TRANSFORMS, self._transforms, strict=True):
            start = time.process_time()
            found = transform(found)
            self.seconds[name] += time.process_time() - start
        label = found["data_samples"].gt_sem_seg.data[0]
        return Packed(found["inputs"].numpy(), label.numpy())
