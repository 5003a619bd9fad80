"""Preparing a real dataset, and a check that only a complete one can be put to."""

import tempfile
from pathlib import Path

from segdistill.data.describe import Manifest
from segdistill.data.manifest import read_manifest
from segdistill.data.preparation import prepare
from segdistill.data.scenes import MANIFEST_NAME
from segdistill.errors import SuiteError
from segdistill.records import write_bytes


def prepare_checked(name: str, root: Path, destination: Path, subset: bool) -> Path:
    """Check dataset `name` under `root`; the path of destination/MANIFEST.json, written last.

    Raises SuiteError as `data.preparation.prepare` does, and if a split of a complete dataset
    has no void pixel: every release has some, and copies have lost them to class 0.
    """
    if destination.exists() and not destination.is_dir():
        raise SuiteError(f"{destination}: is a file; the dataset needs a folder")
    with tempfile.TemporaryDirectory() as scratch:
        written = prepare(name, root, Path(scratch), subset)
        _refuse_lost_void(root, read_manifest(written))
        path = destination / MANIFEST_NAME
        write_bytes(path, written.read_bytes())
    return path


def _refuse_lost_void(root: Path, manifest: Manifest) -> None:
    """A few images may well have every pixel labelled, so a subset is not held to it."""
    for name, split in manifest.splits.items():
        if split.ignored_pixels == 0 and not manifest.subset:
            raise SuiteError(
                f"{root}: no label pixel of split {name!r} is void, though some of the release's "
                "are: void was mapped to a class; take the labels of the release"
            )
