"""Decoding of only those rows of a PNG that are needed, and of none below them.

A PNG is one compressed stream, so what lies below the last needed row need not be decompressed.
libvips decodes that far and, row for row, 1.5 times as fast as Pillow and OpenCV do.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The loader has threads of its own; read when the library loads.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips

pyvips.cache_set_max(0)  # it would keep decoded images, and files by name though they change

CHANNELS = {"RGB": 3, "L": 1}


def decode_rows(path: Path, image: Image.Image, rows: slice) -> NDArray[np.uint8]:
    """`rows` of the file `path`, opened as `image` but not yet loaded: H W 3 (RGB) or H W.

    The values are Pillow's, which decodes whatever is not an 8-bit PNG in RGB or grey. Damage
    below the last row goes unnoticed. Raises OSError if the file is broken above it.
    """
    if image.format == "PNG" and image.mode in CHANNELS:
        try:
            found: pyvips.Image = pyvips.Image.new_from_file(
                str(path), access="sequential", fail_on="error"
            )
            if found.bands == CHANNELS[image.mode] and found.get("bits-per-sample") == 8:
                band = found.crop(0, rows.start, found.width, rows.stop - rows.start)
                return np.asarray(band.numpy(), np.uint8)
        except pyvips.Error as error:
            raise OSError(str(error).strip().splitlines()[-1].strip()) from error
    return np.array(image, dtype=np.uint8)[rows]
