"""VOC's augmented training set: VOC 2012 and SBD, without any image of VOC's validation.

train_aug = (VOC train + SBD train + SBD val) - VOC val: 10,582 images. An image that VOC annotates
keeps VOC's mask, with its ignored borders; the others get SBD's (Hariharan et al., ICCV 2011),
which knows no border. SBD's own split is not used: its training images include VOC's validation.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from segdistill.data.catalogue import IGNORE, dataset_info
from segdistill.data.layout import read_list
from segdistill.data.png import write_png
from segdistill.errors import SuiteError

BORDER = (224, 224, 192)  # VOC's colour of ignored pixels


def augment(folder: Path) -> None:
    """Make SegmentationClassAug/ and train_aug.txt in `folder` from VOC's and SBD's files there.

    SegmentationClass/, SBD's cls/ and dataset/ and images of no list are removed. Raises SuiteError
    if a list or a mask is missing or damaged.
    """
    lists, sbd_lists = folder / "ImageSets" / "Segmentation", folder / "dataset"
    train, val = read_list(lists / "train.txt"), read_list(lists / "val.txt")
    more = read_list(sbd_lists / "train.txt") + read_list(sbd_lists / "val.txt")
    names = augmented_names(train, val, more)
    (lists / "train_aug.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    palette = np.zeros((256, 3), np.uint8)
    colours = dataset_info("voc").palette
    palette[: len(colours)], palette[IGNORE] = colours, BORDER
    masks = (folder / "SegmentationClass").rename(folder / "SegmentationClassAug")
    for name in set(names) - set(train):
        write_png(masks / f"{name}.png", _read_mask(folder / "cls" / f"{name}.mat"), palette)
    for path in (*masks.iterdir(), *(folder / "JPEGImages").iterdir()):
        if path.stem not in {*names, *val}:
            path.unlink()
    shutil.rmtree(folder / "cls")
    shutil.rmtree(sbd_lists)


def augmented_names(train: Iterable[str], val: Iterable[str], more: Iterable[str]) -> list[str]:
    """(train + more) - val, sorted, each name once."""
    return sorted({*train, *more} - set(val))


def _read_mask(path: Path) -> NDArray[np.uint8]:
    """The class map of an SBD .mat file, H W."""
    try:
        found = loadmat(path, variable_names=("GTcls",))["GTcls"][0]["Segmentation"][0]
        return np.asarray(found, np.uint8)
    except Exception as error:  # SciPy's reader fails in as many ways as a file can be broken
        reason = type(error).__name__
        raise SuiteError(f"{path}: no mask of SBD ({reason}); fetch SBD again") from error
