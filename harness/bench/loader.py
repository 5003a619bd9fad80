"""Augmented training samples per second of one core, beside mmsegmentation's own loader.

Both read the same files with the same draws, in turns, on one thread. Every pair of samples is
compared: labels must be equal and images within one grey level.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from harness.bench.measure import best_seconds
from harness.data.augmentation import Augmentation, Placement, cut, place
from harness.data.images import image_size, read_image, read_label
from harness.data.mmsegmentation import TRANSFORMS, Packed, RivalLoader
from harness.data.splits import Sample, Split, layout_of, open_split
from harness.data.stream import Batch, Crops, collate
from harness.errors import SuiteError

T = TypeVar("T")
SEED = 0
OURS, KEPT, RIVAL = "ours", "ours, decoded samples in memory", "mmsegmentation"
PARTS = ("read head", "decode image", "decode label", "scale, crop, flip", "pack")
ENDLESS = 2**40  # bytes
# mmsegmentation's transforms by our names of the work; it needs no head.
RIVAL_PARTS = dict(
    zip(TRANSFORMS, (PARTS[1], PARTS[2], PARTS[3], PARTS[3], PARTS[3], PARTS[4]), strict=True)
)


class LoaderRow(NamedTuple):
    """What one sample costs in one loader: processor seconds, and where they go."""

    name: str
    seconds: float
    parts: Mapping[str, float]  # by PARTS, measured apart; they need not add up to `seconds`


class DecoderRow(NamedTuple):
    """What one library takes to decode an image file, in seconds of processor time."""

    name: str
    seconds: float


class Clocks:
    """Sums of processor time by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def call(self, name: str, work: Callable[[], T]) -> T:
        """`work()`, its time added to the clock `name`."""
        start = time.process_time()
        found = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
        return found


def measure_loaders(
    root: Path, size: tuple[int, int], crop: tuple[int, int], rounds: int
) -> list[LoaderRow]:
    """Means over `rounds` passes through the train split of the Cityscapes folder `root`.

    All images are of `size` (height, width). Raises SuiteError if two samples differ.
    """
    cv2.setNumThreads(1)
    split, augmentation = open_split("cityscapes", root, "train"), Augmentation(crop)
    rival = RivalLoader(root, size, crop)
    files, memory = (Crops(split, augmentation, SEED, capacity) for capacity in (0, ENDLESS))
    whole, parts = Clocks(), Clocks()
    for counter in range((rounds + 1) * len(split)):
        if counter == len(split):  # the first pass has warmed up and filled the memory
            whole, parts, rival.seconds = Clocks(), Clocks(), dict.fromkeys(TRANSFORMS, 0.0)
        index = counter % len(split)
        drawn = place(augmentation, SEED, counter, size)
        ours = whole.call(OURS, lambda: collate([files.crop(index, counter)]))  # noqa: B023
        whole.call(KEPT, lambda: collate([memory.crop(index, counter)]))  # noqa: B023
        theirs = whole.call(RIVAL, lambda: rival.sample(index, drawn))  # noqa: B023
        compare(ours, theirs, split.names[index])
        take_apart(parts, split, index, drawn, crop)
    return _rows(whole.seconds, parts.seconds, rival.seconds, rounds * len(split))


def measure_decoders(path: Path, repeats: int) -> list[DecoderRow]:
    """Best of `repeats` for the image file `path`, with the libraries at hand."""
    height = image_size(path)[0]
    works = {
        "Pillow": lambda: read_image(path),
        "OpenCV": lambda: cv2.imread(str(path)),
        "libvips": lambda: read_image(path, slice(0, height)),
        "libvips, upper three quarters": lambda: read_image(path, slice(0, 3 * height // 4)),
        "libvips, upper half": lambda: read_image(path, slice(0, height // 2)),
    }
    seconds = best_seconds(list(works.values()), repeats)
    return [DecoderRow(name, each) for name, each in zip(works, seconds, strict=True)]


def compare(ours: Batch, theirs: Packed, name: str) -> None:
    """Raise SuiteError unless labels are equal and images within one grey level."""
    image = theirs.image[::-1]  # BGR to RGB
    levels = int(np.abs(ours.images[0].numpy().astype(int) - image).max())
    labels = int((ours.labels[0].numpy() != theirs.label).sum())
    if levels > 1 or labels:
        raise SuiteError(
            f"{name}: differs from mmsegmentation's sample by {levels} grey levels and in "
            f"{labels} labels; no speed can be compared"
        )


def take_apart(
    clocks: Clocks, split: Split, index: int, drawn: Placement, crop: tuple[int, int]
) -> None:
    """One sample again, a clock for each of PARTS."""
    pair, rows = split.pairs[index], drawn.rows.source
    table = layout_of(split.info).table
    clocks.call(PARTS[0], lambda: image_size(pair.image))
    image = clocks.call(PARTS[1], lambda: read_image(pair.image, rows))
    label = clocks.call(PARTS[2], lambda: read_label(pair.label, table, rows))
    band = Sample(pair.name, image, label)
    found = clocks.call(PARTS[3], lambda: cut(band, drawn, crop, rows.start))
    clocks.call(PARTS[4], lambda: collate([found]))


def _rows(
    whole: Mapping[str, float], parts: Mapping[str, float], rival: Mapping[str, float], count: int
) -> list[LoaderRow]:
    own = {part: parts[part] / count for part in PARTS}
    theirs = dict.fromkeys(PARTS, 0.0)
    for transform, seconds in rival.items():
        theirs[RIVAL_PARTS[transform]] += seconds / count
    kept = own | dict.fromkeys(PARTS[:3], 0.0)
    by_name = {OURS: own, KEPT: kept, RIVAL: theirs}
    return [LoaderRow(name, whole[name] / count, of_one) for name, of_one in by_name.items()]
