"""Preparing a dataset: drawn or found, checked in full, and described by a manifest."""

import json
from pathlib import Path

from segdistill.data.catalogue import dataset_info
from segdistill.data.describe import Manifest, describe
from segdistill.data.scenes.dataset import MANIFEST_NAME, draw_dataset
from segdistill.data.splits import Split, check_root, layout_of, open_split
from segdistill.errors import SuiteError
from segdistill.records import write_bytes


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
    manifest = describe(info, splits, subset=not official)
    write_bytes(path, _to_bytes(manifest))
    return path


def _expected(split: Split) -> int:
    return layout_of(split.info).counts[split.split]


def _refuse_counts(root: Path, splits: list[Split]) -> None:
    wrong = next(split for split in splits if len(split) != _expected(split))
    raise SuiteError(
        f"{root}: split {wrong.split!r} of {wrong.info.name} has {len(wrong)} images, the official "
        f"release has {_expected(wrong)}; complete it, or pass --subset "
        "(subset: true in data/params.yaml), and every table will say so"
    )


def _to_bytes(manifest: Manifest) -> bytes:
    value = manifest.model_dump(mode="json", by_alias=True)
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
