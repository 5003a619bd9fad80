"""What a prepared dataset holds: every file's hash, the counts and the class histogram."""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from harness.data.catalogue import IGNORE, DatasetInfo, dataset_info
from harness.data.layout import Pair
from harness.data.scenes import MANIFEST_NAME, draw_dataset
from harness.data.splits import Split, check_root, layout_of, open_split
from harness.errors import SuiteError
from harness.records import Record, write_bytes

MAX_BYTES = 64 * 1024 * 1024


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


def prepare(name: str, root: Path, destination: Path, subset: bool = False) -> Path:
    """Check dataset `name` in full and write destination/MANIFEST.json, whose path is returned.

    Drawn datasets are drawn into `destination`, which is their root (`root` is not used); real
    ones stay where they are. Raises SuiteError if any file is at fault, or if the counts are
    not the official ones and `subset` is false.
    """
    info = dataset_info(name)
    if destination.exists() and not destination.is_dir():
        raise SuiteError(f"{destination}: is a file; the manifest needs a folder")
    if info.synthetic:
        draw_dataset(info, destination)
        root = destination
    check_root(info, root)
    splits = [open_split(name, root, split) for split in info.splits]
    official = info.synthetic or all(len(split) == _expected(split) for split in splits)
    if not official and not subset:
        _refuse_counts(root, splits)
    path = destination / MANIFEST_NAME
    manifest = _describe(info, splits, subset=not official)
    write_bytes(path, _to_bytes(manifest))
    return path


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises SuiteError if missing, too large or malformed."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_BYTES} bytes, not a manifest")
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror}); prepare the dataset") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SuiteError(f"{path}: {where}: {first['msg']}; prepare the dataset again") from error


def manifest_hash(path: Path) -> str:
    """sha256 of the manifest's bytes. Raises SuiteError if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror}); prepare the dataset") from error


def verify(path: Path, root: Path) -> list[str]:
    """Check every file that the manifest at `path` names under `root`: one message a bad file."""
    manifest = read_manifest(path)
    check_root(dataset_info(manifest.dataset), root)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda item: _fault(root, *item), manifest.files.items())
        return [message for message in found if message]


def _fault(root: Path, name: str, expected: FileRecord) -> str | None:
    path = root / name
    if ".." in Path(name).parts or Path(name).is_absolute():
        return f"{name}: the manifest names a file outside the dataset's folder"
    if not path.is_file():
        return f"{path}: file is missing"
    if path.stat().st_size != expected.size:
        return f"{path}: {path.stat().st_size} bytes, the manifest says {expected.size}"
    if _sha256(path) != expected.sha256:
        return f"{path}: its sha256 is not the manifest's; the file was changed"
    return None


def _expected(split: Split) -> int:
    return layout_of(split.info).counts[split.split]


def _refuse_counts(root: Path, splits: list[Split]) -> None:
    wrong = next(split for split in splits if len(split) != _expected(split))
    raise SuiteError(
        f"{root}: split {wrong.split!r} of {wrong.info.name} has {len(wrong)} images, the official "
        f"release has {_expected(wrong)}; complete it, or pass --subset (subset: true in the "
        "profile), and every table will say so"
    )


class _Checked(NamedTuple):
    files: dict[str, FileRecord]  # image first, label second
    histogram: NDArray[np.int64]  # 256


def _describe(info: DatasetInfo, splits: list[Split], subset: bool) -> Manifest:
    files: dict[str, FileRecord] = {}
    records: dict[str, SplitRecord] = {}
    images: defaultdict[str, list[str]] = defaultdict(list)
    for split in splits:
        histogram = np.zeros(256, np.int64)
        for checked in _check(split):
            files |= checked.files
            histogram += checked.histogram
            image = next(iter(checked.files))
            images[checked.files[image].sha256].append(image)
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
        duplicates=_across_splits(images, files),
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
    for path in (pair.image, pair.label):
        record = FileRecord(sha256=_sha256(path), size=path.stat().st_size, split=split.split)
        yield path.relative_to(split.root).as_posix(), record


def _across_splits(
    images: dict[str, list[str]], files: dict[str, FileRecord]
) -> tuple[tuple[str, ...], ...]:
    groups = (sorted(names) for names in images.values())
    return tuple(
        sorted(tuple(group) for group in groups if len({files[name].split for name in group}) > 1)
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_bytes(manifest: Manifest) -> bytes:
    value = manifest.model_dump(mode="json", by_alias=True)
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
