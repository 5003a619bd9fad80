"""Preparing a dataset, and MANIFEST.json, by which a prepared one is known and verified."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from harness.data.catalogue import dataset_info
from harness.data.describe import FileRecord, Manifest, describe
from harness.data.scenes import MANIFEST_NAME, draw_dataset
from harness.data.splits import Split, check_root, layout_of, open_split
from harness.errors import SuiteError, printable
from harness.records import file_hash, write_bytes

MAX_BYTES = 64 * 1024 * 1024


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
        where = printable(".".join(map(str, first["loc"]))) or "the file"
        raise SuiteError(f"{path}: {where}: {first['msg']}; prepare the dataset again") from error


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
    if file_hash(path) != expected.sha256:
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


def _to_bytes(manifest: Manifest) -> bytes:
    value = manifest.model_dump(mode="json", by_alias=True)
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
