"""MANIFEST.json, by which a prepared dataset is known and verified."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from segdistill.data.catalogue import dataset_info
from segdistill.data.describe import FileRecord, Manifest
from segdistill.data.splits import check_root
from segdistill.errors import SuiteError, printable
from segdistill.records import file_hash

MAX_BYTES = 64 * 1024 * 1024


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
