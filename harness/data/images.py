"""Decoding of one image or one label file, whole or not at all."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.data.catalogue import IGNORE
from harness.errors import SuiteError

MAX_PIXELS = 64_000_000  # refuses decompression bombs; Cityscapes has 2 million
OUT_OF_RANGE = 254  # marks, in a label table, the file values that no class owns


def label_table(known: dict[int, int]) -> NDArray[np.uint8]:
    """A 256-entry map from file value to train id; values not in `known` are out of range."""
    table = np.full(256, OUT_OF_RANGE, np.uint8)
    for value, train_id in known.items():
        table[value] = train_id
    return table


def read_image(path: Path) -> NDArray[np.uint8]:
    """The image as H W 3 uint8 RGB. Raises SuiteError if missing, broken or not 8-bit colour."""
    pixels, mode = _decode(path, ("RGB", "L"))
    return np.repeat(pixels[:, :, None], 3, axis=2) if mode == "L" else pixels


def read_label(path: Path, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The label map as H W uint8 train ids, 255 = ignore.

    Palette files are read as indices (OpenCV would give colours, hence Pillow).
    Raises SuiteError if the file is broken, in colour, or holds a value `table` does not know.
    """
    values, _ = _decode(path, ("L", "P"))
    label: NDArray[np.uint8] = table[values]
    bad = label == OUT_OF_RANGE
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        legal = np.flatnonzero(table != OUT_OF_RANGE)
        raise SuiteError(
            f"{path}: label {values[row, column]} at row {row}, column {column} is out of range "
            f"(legal: {_ranges(legal)}); restore the file from the dataset's release"
        )
    return label


def read_pair(
    image_path: Path, label_path: Path, table: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image (H W 3) and label (H W) of equal size. Raises SuiteError where either is at fault."""
    image, label = read_image(image_path), read_label(label_path, table)
    if image.shape[:2] != label.shape:
        raise SuiteError(
            f"{label_path}: label is {_size(label)} but the image {image_path.name} is "
            f"{_size(image)} (width x height); the two must be equal"
        )
    return image, label


def _decode(path: Path, modes: tuple[str, ...]) -> tuple[NDArray[np.uint8], str]:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise SuiteError(f"{path}: {image.width} x {image.height} pixels is too large")
            if image.mode not in modes:
                raise SuiteError(
                    f"{path}: pixel format {image.mode}, expected {' or '.join(modes)} (8 bit)"
                )
            return np.array(image, dtype=np.uint8), image.mode
    except FileNotFoundError as error:
        raise SuiteError(f"{path}: file is missing; restore it from the dataset") from error
    # Pillow reports a broken file by any of these, depending on where it breaks.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SuiteError(
            f"{path}: cannot be decoded ({error}); truncated or damaged, fetch it again"
        ) from error


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _ranges(values: NDArray[np.intp]) -> str:
    ignored = " and 255" if IGNORE in values else ""
    classes = values[values != IGNORE]
    return f"{classes[0]}..{classes[-1]}{ignored}"
