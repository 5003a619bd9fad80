"""Taking the wanted files of a dataset out of a zip, a tar or a folder."""

import gzip
import re
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from segdistill.errors import SuiteError

DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # zipfile's word for encryption and unknown compression
)


def unpack(source: Path, target: Path, wanted: re.Pattern[str]) -> None:
    """Write the files of `source` whose path ends as `wanted` says below `target`.

    Links are left out. Raises SuiteError if an archive is damaged or names a file outside its
    folder; then `target` may hold a part of it.
    """
    try:
        if source.is_dir():
            _copy(source.resolve(), target, wanted)
        elif zipfile.is_zipfile(source):
            _unzip(source, target, wanted)
        else:
            _untar(source, target, wanted)
    except DAMAGED as error:
        reason = str(error).partition(":\n")[0]
        raise SuiteError(
            f"{source}: cannot be unpacked ({reason}); remove it and fetch it again"
        ) from error


def _copy(source: Path, target: Path, wanted: re.Pattern[str]) -> None:
    """The folder's own name begins the paths, as in an archive of it."""
    for path in source.rglob("*"):
        found = wanted.search(path.relative_to(source.parent).as_posix())
        if found and path.is_file():
            (target / found[1]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / found[1])


def _unzip(source: Path, target: Path, wanted: re.Pattern[str]) -> None:
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts:
                raise zipfile.BadZipFile(f"{member.filename!r} is outside the destination")
            if found := wanted.search(member.filename):
                member.filename = found[1]
                archive.extract(member, target)


def _untar(source: Path, target: Path, wanted: re.Pattern[str]) -> None:
    with tarfile.open(source) as archive:
        for member in archive:
            tarfile.data_filter(member, str(target))  # refuses what leads outside
            if (found := wanted.search(member.name)) and member.isfile():
                archive.extract(member.replace(name=found[1], deep=False), target, filter="data")
