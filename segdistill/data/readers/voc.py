"""PASCAL VOC 2012: JPEGImages, SegmentationClassAug or SegmentationClass, ImageSets/Segmentation.

Masks are palette PNGs, 0 = background, 1..20 classes, 255 = border. Source: Everingham et al.,
IJCV 2010; the additional masks of Hariharan et al., ICCV 2011 (SBD) give the list train_aug.
"""

from pathlib import Path

from segdistill.data.catalogue import IGNORE, Colour, DatasetInfo
from segdistill.data.images import label_table
from segdistill.data.layout import Layout, Pair, check_pairs, read_list
from segdistill.errors import SuiteError

_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


CLASSES = 21
TRAIN_LISTS = ("train_aug", "trainaug", "train")
MASK_FOLDERS = ("SegmentationClassAug", "SegmentationClass")
IMAGE_SUFFIXES = (".jpg", ".png")


def _pairs(root: Path, split: str) -> list[Pair]:
    """The samples of `split` in the list's order."""
    masks = _first(root, MASK_FOLDERS)
    augmented = masks.name == MASK_FOLDERS[0]
    stems = (TRAIN_LISTS if augmented else TRAIN_LISTS[-1:]) if split == "train" else (split,)
    listed = _first(root / "ImageSets" / "Segmentation", tuple(f"{stem}.txt" for stem in stems))
    pairs = [_pair(root, masks, name, listed) for name in read_list(listed)]
    check_pairs(pairs, listed)
    return pairs


def _pair(root: Path, masks: Path, name: str, listed: Path) -> Pair:
    if not name.replace("_", "").replace("-", "").isalnum():
        raise SuiteError(f"{listed}: line {name!r} is not the bare name of an image")
    candidates = [root / "JPEGImages" / f"{name}{suffix}" for suffix in IMAGE_SUFFIXES]
    image = next((path for path in candidates if path.is_file()), candidates[0])
    return Pair(name, image, masks / f"{name}.png")


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise SuiteError(f"{folder}: holds no {' or '.join(names)}; is this a VOC 2012 folder?")


def _bit_palette(count: int) -> tuple[Colour, ...]:
    """VOC's colour map: the bits of the index, three at a time, fill r, g, b from the top."""

    def channel(index: int, offset: int) -> int:
        return sum(((index >> (3 * bit + offset)) & 1) << (7 - bit) for bit in range(8))

    return tuple((channel(i, 0), channel(i, 1), channel(i, 2)) for i in range(count))


_TABLE = {value: value for value in range(CLASSES)} | {IGNORE: IGNORE}

LAYOUT = Layout(_pairs, label_table(_TABLE), {"train": 10582, "val": 1449})

INFO = DatasetInfo(
    name="voc",
    title="PASCAL VOC 2012 with SBD's additional masks",
    classes=_CLASSES,
    palette=_bit_palette(len(_CLASSES)),
    splits=("train", "val"),
    synthetic=False,
    root_variable="VOC_ROOT",
    layout="voc",
)
