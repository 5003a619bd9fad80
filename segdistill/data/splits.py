"""One split of a dataset: its names in their fixed order, and checked reading of a sample."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import DatasetInfo, dataset_info, reader
from segdistill.data.images import image_size, read_pair
from segdistill.data.layout import Layout, Pair
from segdistill.errors import SuiteError

_TUNE_SHARE = 10  # one name in so many is held out for tuning


class Sample(NamedTuple):
    """A decoded image and its label map."""

    name: str
    image: NDArray[np.uint8]  # H W 3, RGB
    label: NDArray[np.uint8]  # H W, train ids, 255 = ignore


class Split:
    """The samples of one split, read from disk on demand."""

    def __init__(self, info: DatasetInfo, split: str, root: Path, pairs: Sequence[Pair]) -> None:
        self.info = info
        self.split = split
        self.root = root
        self.pairs = tuple(pairs)
        self.names = tuple(pair.name for pair in pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of sample `index`, without decoding it."""
        return image_size(self.pairs[index].image_path)

    def read(self, index: int, rows: slice | None = None) -> Sample:
        """Sample `index`, decoded in full, or only `rows` of it.

        Raises SuiteError naming the file if it is broken, the sizes differ or a label is
        out of range.
        """
        pair, table = self.pairs[index], layout_of(self.info).table
        return Sample(pair.name, *read_pair(pair.image_path, pair.label_path, table, rows))


def open_split(name: str, root: Path, split: str, limit: int | None = None) -> Split:
    """Split `split` of dataset `name` under `root`.

    `fit` and `tune` are the two parts of train where no test split is public: tune holds the
    names whose sha256 is divisible by 10. `limit` keeps only so many images, spread evenly over
    the list. Raises SuiteError if the split is unknown, empty or incomplete.
    """
    info = dataset_info(name)
    known = info.splits + info.derived_splits
    if split not in known:
        raise SuiteError(f"{name} has no split {split!r}; it has {', '.join(known)}")
    check_root(info, root)
    listed = "train" if split in info.derived_splits else split
    pairs = layout_of(info).pairs(root, listed)
    if split in info.derived_splits:
        pairs = [pair for pair in pairs if is_held_out(pair.name) == (split == "tune")]
    if not pairs:
        raise SuiteError(f"{root}: split {split!r} of {name} is empty")
    return Split(info, split, root, _spread(pairs, limit))


def check_root(info: DatasetInfo, root: Path) -> None:
    """Raise SuiteError saying where the folder is named if `root` is none."""
    if root.is_dir():
        return
    if info.root_variable is None:
        raise SuiteError(f"{root}: not drawn yet; run `segdistill data {info.name}`")
    raise SuiteError(
        f"{root}: no such folder of dataset {info.name}; name it in the environment variable "
        f"{info.root_variable}"
    )


def is_held_out(name: str) -> bool:
    """Whether a training image belongs to `tune`, whatever other images there are."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % _TUNE_SHARE == 0


def layout_of(info: DatasetInfo) -> Layout:
    """The folder layout that the dataset's files follow."""
    layout: Layout = reader(info.layout).LAYOUT
    return layout


def _spread(pairs: list[Pair], limit: int | None) -> list[Pair]:
    if limit is None or limit >= len(pairs):
        return pairs
    if limit < 1:
        raise SuiteError(f"a limit of {limit} images leaves nothing; give at least 1")
    return [pairs[index * len(pairs) // limit] for index in range(limit)]
