"""Checksums: of an archive as its publisher states them, and of all files of a dataset."""

import hashlib
from pathlib import Path

from segdistill.data.describe import Manifest
from segdistill.errors import SuiteError


def md5_of(path: Path) -> str:
    """md5 of the file, in hex; publishers state no better. Raises SuiteError if unreadable."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise SuiteError(f"{path}: cannot read ({error.strerror})") from error


def contents_hash(manifest: Manifest) -> str:
    """sha256 over the paths, splits and hashes of all files, whatever else the manifest says."""
    lines = (f"{file.sha256} {file.split} {path}\n" for path, file in manifest.files.items())
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
