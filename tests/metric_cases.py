"""Random label maps with ignored pixels, and plain pixel-by-pixel references."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from segdistill.evaluation.areas import Areas, Measure

Bytes = NDArray[np.uint8]
CLASSES = ("road", "sky", "tree", "car")


def draw_maps(seed: int, height: int = 13, width: int = 17, blocks: int = 3) -> tuple[Bytes, Bytes]:
    """A prediction without and a label with 255, H W, of blocks so that regions exist."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, len(CLASSES), (2, -(-height // blocks), -(-width // blocks)))
    fine = coarse.repeat(blocks, axis=1).repeat(blocks, axis=2)[:, :height, :width]
    prediction, label = fine.astype(np.uint8)
    agree = rng.random(label.shape) < 0.6
    prediction = np.where(agree, label, prediction)
    label = np.where(rng.random(label.shape) < 0.1, np.uint8(255), label)
    return prediction, label


def measured(pairs: list[tuple[Bytes, Bytes]]) -> tuple[Areas, NDArray[np.int64]]:
    measure = Measure(CLASSES)
    for index, (prediction, label) in enumerate(pairs):
        measure.add(f"image{index}", prediction, label)
    return measure.finish(), measure.confusion


seeds = st.lists(st.integers(0, 10_000), min_size=1, max_size=4, unique=True)


def plain_near(values: Bytes, row: int, column: int, distance: int, frame: bool) -> bool:
    """Whether another value, or with `frame` the outside, is within `distance` of a pixel."""
    for y in range(row - distance, row + distance + 1):
        for x in range(column - distance, column + distance + 1):
            inside = 0 <= y < values.shape[0] and 0 <= x < values.shape[1]
            if (not inside and frame) or (inside and values[y, x] != values[row, column]):
                return True
    return False
