"""CamVid in the SegNet release: train.txt, val.txt, test.txt beside the image folders.

A line names an image and its label, both with the prefix of the authors' machine
(/SegNet/CamVid/train/X.png), of which the last folder and the file count. Labels are 0..10 and
11 = void. Source: Brostow et al., ECCV 2008; Badrinarayanan et al., PAMI 2017.
"""

from pathlib import Path, PurePosixPath

from segdistill.data.catalogue import IGNORE, Colour, DatasetInfo
from segdistill.data.images import label_table
from segdistill.data.layout import Layout, Pair, check_pairs, read_list
from segdistill.errors import SuiteError

_CLASSES: tuple[tuple[str, Colour], ...] = (
    ("sky", (128, 128, 128)),
    ("building", (128, 0, 0)),
    ("pole", (192, 192, 128)),
    ("road", (128, 64, 128)),
    ("pavement", (60, 40, 222)),
    ("tree", (128, 128, 0)),
    ("sign symbol", (192, 128, 128)),
    ("fence", (64, 64, 128)),
    ("car", (64, 0, 128)),
    ("pedestrian", (64, 64, 0)),
    ("bicyclist", (0, 128, 192)),
)

CLASSES = 11
VOID = 11


def _pairs(root: Path, split: str) -> list[Pair]:
    """The samples of `split` in the list's order."""
    listed = root / f"{split}.txt"
    pairs = [_pair(root, line, listed) for line in read_list(listed)]
    check_pairs(pairs, listed)
    return pairs


def _pair(root: Path, line: str, listed: Path) -> Pair:
    fields = line.split()
    if len(fields) != 2:
        raise SuiteError(f"{listed}: line {line!r} does not name an image and its label")
    image, label = (_local(root, field, listed) for field in fields)
    if image.name != label.name:
        raise SuiteError(f"{listed}: line {line!r} pairs an image with another image's label")
    return Pair(image.stem, image, label)


def _local(root: Path, field: str, listed: Path) -> Path:
    """The file under `root`: the last folder and the file name of `field`."""
    parts = PurePosixPath(field).parts[-2:]
    if len(parts) != 2 or ".." in parts or "/" in parts:
        raise SuiteError(f"{listed}: {field!r} is not of the form FOLDER/NAME.png")
    return root.joinpath(*parts)


_TABLE = {value: value for value in range(CLASSES)} | {VOID: IGNORE}

LAYOUT = Layout(_pairs, label_table(_TABLE), {"train": 367, "val": 101, "test": 233})

INFO = DatasetInfo(
    name="camvid",
    title="CamVid (SegNet release, 11 classes)",
    classes=tuple(name for name, _ in _CLASSES),
    palette=tuple(colour for _, colour in _CLASSES),
    splits=("train", "val", "test"),
    synthetic=False,
    root_variable="CAMVID_ROOT",
    layout="camvid",
)
