"""Cityscapes: leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png.

Source: Cordts et al., CVPR 2016; label ids from the release's labels.py.
"""

from pathlib import Path

from segdistill.data.catalogue import IGNORE, Colour, DatasetInfo
from segdistill.data.images import label_table
from segdistill.data.layout import Layout, Pair, check_pairs
from segdistill.errors import SuiteError

_CLASSES: tuple[tuple[str, Colour], ...] = (
    ("road", (128, 64, 128)),
    ("sidewalk", (244, 35, 232)),
    ("building", (70, 70, 70)),
    ("wall", (102, 102, 156)),
    ("fence", (190, 153, 153)),
    ("pole", (153, 153, 153)),
    ("traffic light", (250, 170, 30)),
    ("traffic sign", (220, 220, 0)),
    ("vegetation", (107, 142, 35)),
    ("terrain", (152, 251, 152)),
    ("sky", (70, 130, 180)),
    ("person", (220, 20, 60)),
    ("rider", (255, 0, 0)),
    ("car", (0, 0, 142)),
    ("truck", (0, 0, 70)),
    ("bus", (0, 60, 100)),
    ("train", (0, 80, 100)),
    ("motorcycle", (0, 0, 230)),
    ("bicycle", (119, 11, 32)),
)

IMAGE_SUFFIX = "_leftImg8bit.png"
LABEL_SUFFIX = "_gtFine_labelIds.png"

# Label id of train id 0..18; the other ids of 0..33 are not evaluated.
EVALUATED_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
HIGHEST_ID = 33


def _pairs(root: Path, split: str) -> list[Pair]:
    """The samples of `split`, sorted by city and name. Raises SuiteError on an unpaired file."""
    folder = root / "leftImg8bit" / split
    images = _samples(folder, IMAGE_SUFFIX)
    labels = _samples(root / "gtFine" / split, LABEL_SUFFIX)
    for alone, other, missing in ((images, labels, LABEL_SUFFIX), (labels, images, IMAGE_SUFFIX)):
        for name in sorted(alone.keys() - other.keys()):
            raise SuiteError(f"{alone[name]}: unpaired, there is no {name.name}{missing} to it")
    pairs = [Pair(name.name, images[name], labels[name]) for name in sorted(images)]
    check_pairs(pairs, folder)
    return pairs


def _samples(folder: Path, suffix: str) -> dict[Path, Path]:
    """CITY/NAME -> file of all files with `suffix` under `folder`."""
    if not folder.is_dir():
        raise SuiteError(f"{folder}: no such folder; unpack the Cityscapes release there")
    ending = len(suffix)
    return {
        Path(str(path.relative_to(folder))[:-ending]): path for path in folder.glob(f"*/*{suffix}")
    }


_TABLE = dict.fromkeys(range(HIGHEST_ID + 1), IGNORE)
_TABLE |= {value: train_id for train_id, value in enumerate(EVALUATED_IDS)}

LAYOUT = Layout(_pairs, label_table(_TABLE), {"train": 2975, "val": 500})

INFO = DatasetInfo(
    name="cityscapes",
    title="Cityscapes (fine annotations)",
    classes=tuple(name for name, _ in _CLASSES),
    palette=tuple(colour for _, colour in _CLASSES),
    splits=("train", "val"),
    synthetic=False,
    root_variable="CITYSCAPES_ROOT",
    layout="cityscapes",
)
