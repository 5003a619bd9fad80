"""The datasets the suite knows: names, classes, colours, splits."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from harness.errors import SuiteError

IGNORE = 255
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class DatasetInfo:
    """What is fixed about a dataset before any file of it is read."""

    name: str
    title: str
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]  # RGB 0..255, one a class
    splits: tuple[str, ...]
    synthetic: bool
    root_variable: str | None  # environment variable that names the folder; None if drawn
    layout: str  # whose folders and label ids its files follow

    @property
    def derived_splits(self) -> tuple[str, ...]:
        """`fit` and `tune`, the two parts of train, where no test split is public."""
        return () if "test" in self.splits else ("fit", "tune")


def dataset_names() -> tuple[str, ...]:
    """Names of all datasets, real ones first."""
    return tuple(_DATASETS)


def dataset_info(name: str) -> DatasetInfo:
    """The facts about dataset `name`. Raises SuiteError with the nearest name if unknown."""
    if name in _DATASETS:
        return _DATASETS[name]
    near = get_close_matches(name, _DATASETS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_DATASETS)}"
    raise SuiteError(f"unknown dataset {name!r}; {hint}")


def _bit_palette(count: int) -> tuple[Colour, ...]:
    """VOC's colour map: the bits of the index, three at a time, fill r, g, b from the top."""

    def channel(index: int, offset: int) -> int:
        return sum(((index >> (3 * bit + offset)) & 1) << (7 - bit) for bit in range(8))

    return tuple((channel(i, 0), channel(i, 1), channel(i, 2)) for i in range(count))


_CITYSCAPES: tuple[tuple[str, Colour], ...] = (
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

_VOC = (
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

_CAMVID: tuple[tuple[str, Colour], ...] = (
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

_REAL = (
    DatasetInfo(
        name="cityscapes",
        title="Cityscapes (fine annotations)",
        classes=tuple(name for name, _ in _CITYSCAPES),
        palette=tuple(colour for _, colour in _CITYSCAPES),
        splits=("train", "val"),
        synthetic=False,
        root_variable="CITYSCAPES_ROOT",
        layout="cityscapes",
    ),
    DatasetInfo(
        name="voc",
        title="PASCAL VOC 2012 with SBD's additional masks",
        classes=_VOC,
        palette=_bit_palette(len(_VOC)),
        splits=("train", "val"),
        synthetic=False,
        root_variable="VOC_ROOT",
        layout="voc",
    ),
    DatasetInfo(
        name="camvid",
        title="CamVid (SegNet release, 11 classes)",
        classes=tuple(name for name, _ in _CAMVID),
        palette=tuple(colour for _, colour in _CAMVID),
        splits=("train", "val", "test"),
        synthetic=False,
        root_variable="CAMVID_ROOT",
        layout="camvid",
    ),
)


def _drawn(real: DatasetInfo) -> DatasetInfo:
    return replace(
        real,
        name=f"scenes_{real.name}",
        title=f"drawn scenes in the layout of {real.name} (synthetic)",
        splits=("train", "val", "test"),
        synthetic=True,
        root_variable=None,
    )


_DATASETS = {info.name: info for info in (*_REAL, *map(_drawn, _REAL))}
