"""Cityscapes: leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png.

Source: Cordts et al., CVPR 2016; label ids from the release's labels.py.
"""

from pathlib import Path

from harness.data.catalogue import IGNORE
from harness.data.images import label_table
from harness.data.layout import Layout, Pair, check_pairs
from harness.errors import SuiteError

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
