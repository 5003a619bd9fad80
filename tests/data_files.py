"""Miniature datasets in the three real layouts, for tests of readers and manifests."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import dataset_info
from segdistill.data.scenes.layouts import write_lists, write_scene

SIZE = 20, 24  # height, width


def picture(seed: int, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A random image (H W 3) and a label map (H W) that holds every class and 255."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, classes, SIZE).astype(np.uint8)
    label.flat[:classes] = np.arange(classes)
    label[-1] = 255
    return generator.integers(0, 256, (*SIZE, 3)).astype(np.uint8), label


def write_dataset(name: str, root: Path, count: int = 3) -> Path:
    """`count` samples a split of dataset `name` under `root`, which is returned."""
    info = dataset_info(name)
    for place, split in enumerate(info.splits):
        names = [f"{split}_{index}" for index in range(count)]
        for index, sample in enumerate(names):
            image, label = picture(100 * place + index, len(info.classes))
            write_scene(info, root, split, sample, image, label)
        write_lists(info, root, split, names)
    return root
