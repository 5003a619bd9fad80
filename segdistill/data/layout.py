"""What the reader of one folder layout provides, and the checks that all layouts share."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.errors import SuiteError


class Pair(NamedTuple):
    """One sample's two files; `name` is unique in its split."""

    name: str
    image_path: Path
    label_path: Path


@dataclass(frozen=True)
class Layout:
    """How one dataset family lies on disk."""

    pairs: Callable[[Path, str], list[Pair]]  # (root, split) -> samples in their fixed order
    table: NDArray[np.uint8]  # file value -> train id
    counts: Mapping[str, int]  # images of each split in the official release


def check_pairs(pairs: Sequence[Pair], origin: Path) -> None:
    """Raise SuiteError if a split is empty, names a sample twice or names a missing file.

    `origin` is the list or folder the pairs came from, for the message.
    """
    if not pairs:
        raise SuiteError(f"{origin}: split is empty; the dataset is not complete")
    twice = [name for name, count in Counter(pair.name for pair in pairs).items() if count > 1]
    if twice:
        raise SuiteError(f"{origin}: names {twice[0]!r} more than once; remove the repetition")
    for pair in pairs:
        for path in (pair.image_path, pair.label_path):
            if not path.is_file():
                raise SuiteError(f"{origin}: names {pair.name!r}, but {path} is missing")


def read_list(path: Path) -> list[str]:
    """The lines of a list file, without blank ones. Raises SuiteError if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot read this list of images ({error})") from error
    return [line.strip() for line in lines if line.strip()]
