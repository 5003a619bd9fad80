"""The contents of a manifest, and how they follow from the files."""

import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from segdistill.data.catalogue import IGNORE, DatasetInfo
from segdistill.data.layout import Pair
from segdistill.data.splits import Split
from segdistill.records import Record, file_hash


class FileRecord(Record):
    """One image or label file."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)  # bytes
    split: str


class SplitRecord(Record):
    """One split: its images, and how many label pixels each class has."""

    count: int = Field(ge=1)
    pixels: dict[str, int]
    ignored_pixels: int


class Manifest(Record):
    """MANIFEST.json; paths are relative to the dataset's folder."""

    schema_version: Literal[1] = Field(1, alias="schema")
    dataset: str
    synthetic: bool
    subset: bool  # the counts are not those of the official release
    splits: dict[str, SplitRecord]
    duplicates: tuple[tuple[str, ...], ...]  # equal images that lie in different splits
    files: dict[str, FileRecord]


class _Checked(NamedTuple):
    files: dict[str, FileRecord]  # image first, label second
    histogram: NDArray[np.int64]  # 256


def describe(info: DatasetInfo, splits: list[Split], subset: bool) -> Manifest:
    """The manifest of `splits`, every file of which is hashed, decoded and checked.

    Raises SuiteError at the first file that is at fault.
    """
    files: dict[str, FileRecord] = {}
    records: dict[str, SplitRecord] = {}
    images: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)  # name, split; by hash
    for split in splits:
        histogram = np.zeros(256, np.int64)
        for checked in _check(split):
            files |= checked.files
            histogram += checked.histogram
            image = next(iter(checked.files))
            images[checked.files[image].sha256].append((image, split.split))
        records[split.split] = SplitRecord(
            count=len(split),
            pixels={name: int(histogram[k]) for k, name in enumerate(info.classes)},
            ignored_pixels=int(histogram[IGNORE]),
        )
    return Manifest(
        schema=1,
        dataset=info.name,
        synthetic=info.synthetic,
        subset=subset,
        splits=records,
        duplicates=_across_splits(images),
        files=files,
    )


def _check(split: Split) -> Iterator[_Checked]:
    """Hash and decode every sample of `split`, in its order, on all cores."""

    def check(index: int) -> _Checked:
        sample = split.read(index)
        histogram = np.bincount(sample.label.ravel(), minlength=256)
        return _Checked(dict(_records(split, split.pairs[index])), histogram)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(check, range(len(split)))


def _records(split: Split, pair: Pair) -> Iterator[tuple[str, FileRecord]]:
    for path in (pair.image_path, pair.label_path):
        record = FileRecord(sha256=file_hash(path), size=path.stat().st_size, split=split.split)
        yield path.relative_to(split.root).as_posix(), record


def _across_splits(images: dict[str, list[tuple[str, str]]]) -> tuple[tuple[str, ...], ...]:
    shared = (group for group in images.values() if len({split for _, split in group}) > 1)
    return tuple(sorted(tuple(sorted({name for name, _ in group})) for group in shared))
