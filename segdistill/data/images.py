"""Decoding of one image or one label file, or of some rows of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdistill.data.catalogue import IGNORE
from segdistill.data.rows import decode_rows
from segdistill.errors import SuiteError

MAX_PIXELS = 64_000_000  # refuses decompression bombs; Cityscapes has 2 million
OUT_OF_RANGE = 254  # marks, in a label table, the file values that no class owns
COLOURS = ("RGB", "L")  # Pillow's modes of an image
INDICES = ("L", "P")  # and of a label map


def label_table(known: dict[int, int]) -> NDArray[np.uint8]:
    """A 256-entry map from file value to train id; values not in `known` are out of range."""
    table = np.full(256, OUT_OF_RANGE, np.uint8)
    for value, train_id in known.items():
        table[value] = train_id
    return table


def image_size(path: Path) -> tuple[int, int]:
    """Height and width, from the file's head. Raises SuiteError if missing or no 8-bit colour."""
    with _opened(path, COLOURS) as image:
        return image.height, image.width


def read_image(path: Path, rows: slice | None = None) -> NDArray[np.uint8]:
    """The image, or `rows` of it, as H W 3 uint8 RGB.

    Raises SuiteError if missing, broken or not 8-bit colour.
    """
    return _colour(_decode(path, COLOURS, rows))


def read_label(
    path: Path, table: NDArray[np.uint8], rows: slice | None = None
) -> NDArray[np.uint8]:
    """The label map, or `rows` of it, as H W uint8 train ids, 255 = ignore.

    Palette files are read as indices (OpenCV would give colours, hence Pillow).
    Raises SuiteError if the file is broken, in colour, or holds a value `table` does not know.
    """
    return _train_ids(path, _decode(path, INDICES, rows), table)


def read_pair(
    image_path: Path, label_path: Path, table: NDArray[np.uint8], rows: slice | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image (H W 3) and label (H W) of equal size, or `rows` of both.

    Raises SuiteError where either is at fault.
    """
    image = _decode(image_path, COLOURS, rows)
    with _opened(label_path, INDICES) as file:
        size = file.height, file.width
        if size != image.size:
            raise SuiteError(
                f"{label_path}: label is {_by(size)} but the image {image_path.name} is "
                f"{_by(image.size)} (width x height); the two must be equal"
            )
        label = _load(label_path, file, rows)
    return _colour(image), _train_ids(label_path, label, table)


class _Decoded(NamedTuple):
    pixels: NDArray[np.uint8]  # the rows asked for
    top: int  # the first of them
    size: tuple[int, int]  # height and width of the whole


def _decode(path: Path, modes: tuple[str, ...], rows: slice | None) -> _Decoded:
    with _opened(path, modes) as file:
        return _load(path, file, rows)


def _load(path: Path, file: Image.Image, rows: slice | None) -> _Decoded:
    size = file.height, file.width
    if rows is None:
        return _Decoded(np.array(file, dtype=np.uint8), 0, size)
    return _Decoded(decode_rows(path, file, rows), rows.start, size)


@contextmanager
def _opened(path: Path, modes: tuple[str, ...]) -> Iterator[Image.Image]:
    """The file, its head read and checked; what goes wrong is reported with its name."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise SuiteError(f"{path}: {image.width} x {image.height} pixels is too large")
            if image.mode not in modes:
                raise SuiteError(
                    f"{path}: pixel format {image.mode}, expected {' or '.join(modes)} (8 bit)"
                )
            yield image
    except FileNotFoundError as error:
        raise SuiteError(f"{path}: file is missing; restore it from the dataset") from error
    # Pillow reports a broken file by any of these, depending on where it breaks.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SuiteError(
            f"{path}: cannot be decoded ({error}); truncated or damaged, fetch it again"
        ) from error


def _colour(found: _Decoded) -> NDArray[np.uint8]:
    grey = found.pixels.ndim == 2
    return np.repeat(found.pixels[:, :, None], 3, axis=2) if grey else found.pixels


def _train_ids(path: Path, found: _Decoded, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    label = np.asarray(cv2.LUT(found.pixels, table), np.uint8)
    bad = label == OUT_OF_RANGE
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        legal = np.flatnonzero(table != OUT_OF_RANGE)
        raise SuiteError(
            f"{path}: label {found.pixels[row, column]} at row {row + found.top}, column {column} "
            f"is out of range (legal: {_ranges(legal)}); restore the file from the dataset's "
            "release"
        )
    return label


def _by(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"


def _ranges(values: NDArray[np.intp]) -> str:
    ignored = " and 255" if IGNORE in values else ""
    classes = values[values != IGNORE]
    return f"{classes[0]}..{classes[-1]}{ignored}"
