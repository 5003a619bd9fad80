"""Per-image areas, from which every metric and every interval follows, and their measurement."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile
from zlib import error as DeflateError

import numpy as np
import numpy.typing as npt

from segdistill.errors import SuiteError
from segdistill.evaluation.boundary import RADII, RATIOS, boundary_counts, trimap_counts
from segdistill.evaluation.iou import (
    IGNORE,
    Bytes,
    Counts,
    Ints,
    confusion_matrix,
    counts_of,
    stack,
)
from segdistill.evaluation.small_objects import BINS, COLUMNS, object_rows
from segdistill.evaluation.truth import Truth, truth_of
from segdistill.records import write_bytes

PARTS = ("intersection", "prediction", "label")
GROUPS = {"": (), "boundary_": (len(RATIOS),), "trimap_": (len(RADII),)}
# What numpy and zipfile raise for a damaged npz: also for a cipher, or more than fits in memory.
UNREADABLE = (
    OSError, EOFError, ValueError, BadZipFile, DeflateError, RuntimeError, MemoryError,
)  # fmt: skip
CONSTANTS = {"ratios": RATIOS, "radii": RADII}


@dataclass(frozen=True)
class Areas:
    """Areas of I images and K classes over valid pixels, and the objects of the labels."""

    names: npt.NDArray[np.str_]  # (I,)
    pixels: Counts  # (I, K)
    boundary: Counts  # (2, I, K), one entry a ratio of boundary.RATIOS
    trimap: Counts  # (5, I, K), one entry a radius of boundary.RADII
    objects: Ints  # (O, 7), rows of small_objects.COLUMNS

    @property
    def intersection(self) -> Ints:
        """Pixels that are predicted right, (I, K)."""
        return self.pixels.intersection

    @property
    def prediction(self) -> Ints:
        """Pixels that are predicted, (I, K)."""
        return self.pixels.prediction

    @property
    def label(self) -> Ints:
        """Pixels of the label, (I, K)."""
        return self.pixels.label

    def save(self, path: Path) -> None:
        """Write a compressed npz whose bytes depend on the values alone, atomically."""
        arrays = {name: np.array(value) for name, value in CONSTANTS.items()}
        arrays |= {"names": self.names, "objects": self.objects}
        groups = zip(GROUPS, (self.pixels, self.boundary, self.trimap), strict=True)
        for prefix, counts in groups:
            arrays |= {prefix + part: getattr(counts, part) for part in PARTS}
        buffer = BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Areas":
        """Areas that `save` wrote. Raises SuiteError if unreadable, foreign or contradictory."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            pixels, boundary, trimap = (
                Counts(*(arrays[prefix + part] for part in PARTS)) for prefix in GROUPS
            )
            areas = cls(arrays["names"], pixels, boundary, trimap, arrays["objects"])
            same = all(np.array_equal(arrays[name], value) for name, value in CONSTANTS.items())
        except (*UNREADABLE, KeyError, TypeError) as error:
            raise SuiteError(
                f"{path}: not areas of this suite ({error}); evaluate again"
            ) from error
        problem = _problem(areas) if same else "bands of another version"
        if problem:
            raise SuiteError(f"{path}: {problem}; evaluate again")
        return areas


def _problem(areas: Areas) -> str | None:
    """What makes `areas` unusable, or None."""
    if areas.names.dtype.kind != "U" or len(set(areas.names.tolist())) != len(areas.names):
        return "image names are repeated or no text"
    shape = areas.intersection.shape
    for lead, counts in zip(
        GROUPS.values(), (areas.pixels, areas.boundary, areas.trimap), strict=True
    ):
        parts = (counts.intersection, counts.prediction, counts.label)
        if any(part.shape != (*lead, *shape) or part.dtype != np.int64 for part in parts):
            return "arrays of wrong shape or type"
        if (counts.intersection < 0).any() or (counts.union < np.maximum(*parts[1:])).any():
            return "areas that contradict one another"
    rows = areas.objects
    if len(shape) != 2 or shape[0] != len(areas.names):
        return "arrays of wrong shape or type"
    if rows.dtype != np.int64 or rows.ndim != 2 or rows.shape[1] != len(COLUMNS):
        return "objects of wrong shape or type"
    limits = np.array([shape[0], shape[1], len(BINS)])
    if (rows < 0).any() or (rows[:, :3] >= limits).any() or (rows[:, 4] > rows[:, 3]).any():
        return "objects that contradict one another"
    return None


class Measure:
    """Sums up predictions image by image.

    `truths`, if given, keeps what follows from the labels alone by image name, so that further
    networks on the same split are measured faster (8 bytes a pixel).
    """

    def __init__(
        self, classes: Sequence[str], truths: MutableMapping[str, Truth] | None = None
    ) -> None:
        self.classes = tuple(classes)
        self.confusion: Ints = np.zeros((len(classes), len(classes)), np.int64)
        self._truths = truths
        self._names: dict[str, None] = {}
        self._pixels: list[Counts] = []
        self._boundary: list[Counts] = []
        self._trimap: list[Counts] = []
        self._objects: list[Ints] = []

    def add(self, name: str, prediction: Bytes, label: Bytes) -> None:
        """Count one image: `prediction` and `label` are H W uint8, label 255 = ignore.

        Raises SuiteError for a repeated name, unequal shapes, or values out of range.
        """
        self._check(name, prediction, label)
        truth = self._truth(name, label)
        confusion = confusion_matrix(prediction, label, len(self.classes))
        masked = prediction | truth.void
        right = np.where(masked == label, label, np.uint8(IGNORE))
        self._objects.append(object_rows(len(self._names), masked, label, truth.objects))
        self._pixels.append(counts_of(confusion))
        self._boundary.append(
            boundary_counts(masked, right, truth.boundary_level, truth.boundary_area)
        )
        self._trimap.append(trimap_counts(masked, right, truth.trimap_level, truth.trimap_area))
        self._names[name] = None
        self.confusion += confusion

    def finish(self) -> Areas:
        """The areas of all images added, in their order. Raises SuiteError if there is none."""
        if not self._names:
            raise SuiteError("no image was measured; the split is empty")
        return Areas(
            np.array(list(self._names)),
            stack(self._pixels, 0),
            stack(self._boundary, 1),
            stack(self._trimap, 1),
            np.concatenate(self._objects),
        )

    def _truth(self, name: str, label: Bytes) -> Truth:
        known = self._truths.get(name) if self._truths is not None else None
        if known is not None and np.array_equal(known.label, label):
            return known
        truth = truth_of(label, len(self.classes))
        if self._truths is not None:
            self._truths[name] = truth
        return truth

    def _check(self, name: str, prediction: Bytes, label: Bytes) -> None:
        count = len(self.classes)
        if name in self._names:
            raise SuiteError(f"{name}: measured twice; image names must differ")
        if prediction.shape != label.shape or label.ndim != 2:
            raise SuiteError(f"{name}: prediction {prediction.shape} but label {label.shape}")
        if prediction.dtype != np.uint8 or label.dtype != np.uint8:
            raise SuiteError(f"{name}: label maps must be uint8, not {prediction.dtype}")
        if int(prediction.max()) >= count:
            raise SuiteError(f"{name}: predicted class {prediction.max()}; there are {count}")
        if int(label.max(where=label != IGNORE, initial=0)) >= count:
            raise SuiteError(f"{name}: a label beyond class {count - 1} that is not {IGNORE}")
