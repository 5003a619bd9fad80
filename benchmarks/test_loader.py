"""Augmented training samples of one core, beside mmsegmentation's own Cityscapes loader.

Both read the same files with the same draws, in turns, on one thread. Every pair of samples is
compared before: labels must be equal and images within one grey level.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.conftest import Record
from benchmarks.inputs import photograph
from benchmarks.measure import Work, in_turns
from benchmarks.tables import Table
from segdistill.data.augmentation import Augmentation, place
from segdistill.data.readers.cityscapes import EVALUATED_IDS, IMAGE_SUFFIX, LABEL_SUFFIX
from segdistill.data.splits import open_split
from segdistill.data.stream import Crops, collate
from segdistill.models import vision  # noqa: F401  mmseg imports torchvision

SEED = 0
IMAGES = 8
CROPS = 3 * IMAGES
ENDLESS = 2**40  # bytes
# Labels as train ids, which mmsegmentation's preparation writes beside those as label ids.
TRAIN_ID_SUFFIX = "_gtFine_labelTrainIds.png"
NOTES = (
    f"One core, one thread, processor time a sample from file to tensor: {CROPS} crops of {IMAGES} "
    "random photographs, best of five. Labels are equal and images within one grey level.",
)
Sizes = tuple[tuple[int, int], tuple[int, int]]  # of images and of crops, H W
Loader = Callable[[int], Any]  # from a place in the order of samples to the sample
pytestmark = pytest.mark.benchmark(timer=time.process_time)


@pytest.mark.parametrize(
    "sizes", [((128, 256), (64, 128)), ((1024, 2048), (512, 1024))], ids=["small", "cityscapes"]
)
def test_loader(benchmark: Any, record: Record, tmp_path: Path, sizes: Sizes) -> None:
    cv2.setNumThreads(1)
    write_cityscapes(tmp_path, IMAGES, sizes[0])
    loaders = {
        "ours": our_loader(tmp_path, sizes, kept=0),
        "ours, decoded samples in memory": our_loader(tmp_path, sizes, kept=ENDLESS),
        "mmsegmentation": rival_loader(tmp_path, sizes),
    }
    for counter in range(CROPS):
        compare(loaders["ours"](counter), loaders["mmsegmentation"](counter))
    seconds = in_turns(benchmark, *(a_pass(loader) for loader in loaders.values()))
    text = "{}x{}, crops of {}x{}".format(*sizes[0], *sizes[1])
    table = Table(f"loader-{text.replace(', crops of ', '-')}", f"Loader: {text}", NOTES)
    for name, spent in zip(loaders, seconds, strict=True):
        each, ratio = spent / CROPS, seconds[-1] / spent
        row = {"ms": 1e3 * each, "samples / s": 1 / each, "over mmsegmentation": ratio}
        record(table, {"loader": name, **row})


def our_loader(root: Path, sizes: Sizes, kept: int) -> Loader:
    """Up to `kept` bytes of decoded samples stay in memory."""
    crops = Crops(open_split("cityscapes", root, "train"), Augmentation(sizes[1]), SEED, kept)
    return lambda counter: collate([crops.crop(counter % IMAGES, counter)])


def rival_loader(root: Path, sizes: Sizes) -> Loader:
    """mmsegmentation's dataset and transforms, given our draws instead of their own."""
    from mmcv.transforms import LoadImageFromFile, RandomFlip, RandomResize
    from mmseg.datasets import CityscapesDataset
    from mmseg.datasets.transforms import LoadAnnotations, PackSegInputs, RandomCrop

    (height, width), crop_size = sizes
    # keep_ratio would round the size once more; the size drawn has the image's ratio.
    resize = RandomResize((width, height), ratio_range=(0.5, 2.0), keep_ratio=False)
    crop, flip = RandomCrop(crop_size), RandomFlip(prob=0.5)
    dataset = CityscapesDataset(
        data_root=str(root),
        data_prefix={"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"},
        seg_map_suffix=TRAIN_ID_SUFFIX,
        pipeline=[LoadImageFromFile(), LoadAnnotations(), resize, crop, flip, PackSegInputs()],
    )

    def load(counter: int) -> Any:
        rows, columns, mirrored = place(Augmentation(crop_size), SEED, counter, sizes[0])
        box = (rows.start, rows.start + rows.taken, columns.start, columns.start + columns.taken)
        resize._random_scale = lambda: (columns.scaled, rows.scaled)
        crop.crop_bbox = lambda _: box
        flip._choose_direction = lambda: "horizontal" if mirrored else None
        return dataset[counter % IMAGES]

    return load


def compare(ours: Any, theirs: Any) -> None:
    """Assert that labels are equal and images within one grey level."""
    image = theirs["inputs"].numpy()[::-1].astype(int)  # BGR to RGB
    assert np.abs(ours.images[0].numpy() - image).max() <= 1
    assert (ours.labels[0] == theirs["data_samples"].gt_sem_seg.data[0]).all()


def a_pass(loader: Loader) -> Work:
    """All crops once."""
    return lambda: [loader(counter) for counter in range(CROPS)]


def write_cityscapes(root: Path, count: int, size: tuple[int, int]) -> None:
    """Random photographs of `size` (H W) as the train split of a Cityscapes root."""
    ids = np.array(EVALUATED_IDS, np.uint8)
    images, labels = root / "leftImg8bit/train/drawn", root / "gtFine/train/drawn"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for index in range(count):
        image, label = (part.numpy() for part in photograph(len(ids), size, index))
        Image.fromarray(image).save(images / f"{index:04d}{IMAGE_SUFFIX}")
        Image.fromarray(ids[label]).save(labels / f"{index:04d}{LABEL_SUFFIX}")
        Image.fromarray(label).save(labels / f"{index:04d}{TRAIN_ID_SUFFIX}")
