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

from segdistill.data.catalogue import IGNORE, dataset_info
from segdistill.data.download.places import SBD
from segdistill.data.layout import read_list
from segdistill.data.png import write_png
from segdistill.data.readers.voc import CLASSES, LAYOUT
from segdistill.errors import SuiteError
from segdistill.progress import progress

BORDER = (224, 224, 192)  # VOC's colour of ignored pixels
MAX_MASK_BYTES = 4 * 1024 * 1024  # of a .mat file; the largest has a tenth


def augment(folder: Path, subset: bool) -> None:
    """Make SegmentationClassAug/ and train_aug.txt in `folder` from VOC's files and sbd/ there.

    VOC's SegmentationClass/, sbd/ and images of no list are removed. Raises SuiteError if a list
    or a mask is missing or damaged, or if the split has not 10,582 images and is no subset.
    """
    lists = folder / "ImageSets" / "Segmentation"
    own = {split: read_list(lists / f"{split}.txt") for split in ("train", "val")}
    more = [name for split in ("train", "val") for name in read_list(folder / SBD / f"{split}.txt")]
    names = augmented_names(own["train"], own["val"], more)
    expected = LAYOUT.counts["train"]
    if len(names) != expected and not subset:
        raise SuiteError(
            f"{lists}: VOC's and SBD's lists give an augmented split of {len(names)} images, not "
            f"{expected}; take the official lists, or pass --subset"
        )
    _move_masks(folder, {*own["train"], *own["val"]})
    _convert_masks(folder, sorted(set(names) - set(own["train"])))
    (lists / "train_aug.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    _drop_unused(folder, {*names, *own["val"]})


def augmented_names(train: Iterable[str], val: Iterable[str], more: Iterable[str]) -> list[str]:
    """(train + more) - val, sorted, each name once."""
    return sorted({*train, *more} - set(val))


def read_mask(path: Path) -> NDArray[np.uint8]:
    """The class map of an SBD .mat file, H W, 0..20. Raises SuiteError if it holds none."""
    from scipy.io import loadmat

    try:
        if path.stat().st_size > MAX_MASK_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_MASK_BYTES} bytes, no mask of SBD")
        found = loadmat(path, variable_names=("GTcls",))["GTcls"][0]["Segmentation"][0]
        mask = np.asarray(found)
    except SuiteError:
        raise
    except FileNotFoundError as error:
        raise SuiteError(f"{path}: mask is missing; fetch SBD again") from error
    except Exception as error:  # SciPy's reader fails in as many ways as a file can be broken
        reason = type(error).__name__
        raise SuiteError(f"{path}: no mask of SBD ({reason}); fetch SBD again") from error
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.size == 0 or mask.max() >= CLASSES:
        raise SuiteError(f"{path}: no map of classes 0..{CLASSES - 1}; fetch SBD again")
    return mask


def _move_masks(folder: Path, names: Iterable[str]) -> None:
    masks = folder / "SegmentationClassAug"
    masks.mkdir()
    for name in names:
        source = folder / "SegmentationClass" / f"{name}.png"
        if not source.is_file():
            raise SuiteError(f"{source}: mask is missing; fetch VOC again")
        source.rename(masks / source.name)


def _convert_masks(folder: Path, names: list[str]) -> None:
    palette = _palette()
    with progress("SBD masks", len(names)) as shown:
        for done, name in enumerate(names, start=1):
            mask = read_mask(folder / SBD / "cls" / f"{name}.mat")
            write_png(folder / "SegmentationClassAug" / f"{name}.png", mask, palette)
            shown(done)


def _drop_unused(folder: Path, names: set[str]) -> None:
    for name in ("SegmentationClass", SBD):
        shutil.rmtree(folder / name)
    for image in (folder / "JPEGImages").iterdir():
        if image.stem not in names:
            image.unlink()


def _palette() -> NDArray[np.uint8]:
    colours = np.zeros((256, 3), np.uint8)
    colours[:CLASSES] = dataset_info("voc").palette
    colours[IGNORE] = BORDER
    return colours
