"""Unpacking a dataset's zip or tar archive without trusting what it says."""

import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from harness.errors import SuiteError

MAX_BYTES = 64 * 1024**3  # unpacked; Cityscapes' images take 11 GiB
MAX_FILES = 200_000
MAX_PADDING = 64 * 1024**2  # after a tar's last file
_CHUNK = 1024 * 1024


class _Member(NamedTuple):
    name: str
    content: IO[bytes]


def unpack(archive: Path, destination: Path) -> Path:
    """Unpack `archive` into the new folder `destination`, whole or not at all.

    Returns the folder that holds the dataset: `destination`, or its only entry where the
    archive has everything in one folder. Raises SuiteError if the archive is damaged, too
    large, holds a link or a device, or names a file outside its folder; and if `destination`
    exists.
    """
    if destination.exists():
        raise SuiteError(f"{destination}: exists already; remove it to unpack {archive.name} again")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpack.", dir=destination.parent) as folder:
            target = Path(folder) / "new"
            target.mkdir()
            _write_all(_members(archive), target, archive)
            target.rename(destination)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, RuntimeError,
            NotImplementedError) as error:  # fmt: skip
        raise SuiteError(f"{archive}: cannot be unpacked ({error}); fetch it again") from error
    entries = list(destination.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else destination


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        return _zip_members(archive)
    if archive.is_file() and tarfile.is_tarfile(archive):
        return _tar_members(archive)
    raise SuiteError(f"{archive}: neither a folder nor a zip or tar archive")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise SuiteError(f"{archive}: {info.filename!r} is a link or a device")
            if not info.is_dir():
                with file.open(info) as content:
                    yield _Member(info.filename, content)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as file:
        for info in file:
            if not (info.isfile() or info.isdir()):
                raise SuiteError(f"{archive}: {info.name!r} is a link or a device")
            content = file.extractfile(info) if info.isfile() else None
            if content is not None:
                yield _Member(info.name, content)
        # The checksum of the compressed stream is only looked at where it ends.
        left = MAX_PADDING
        while file.fileobj is not None and (chunk := file.fileobj.read(_CHUNK)):
            left -= len(chunk)
            if left < 0:
                raise SuiteError(f"{archive}: goes on after its last file")


def _write_all(members: Iterable[_Member], target: Path, archive: Path) -> None:
    """Write every member below `target`, counting what is really written, not what is declared."""
    left = MAX_BYTES
    for count, member in enumerate(members, start=1):
        if count > MAX_FILES:
            raise SuiteError(f"{archive}: holds more than {MAX_FILES} files")
        path = target / _inside(member.name, archive)
        if path.exists():
            raise SuiteError(f"{archive}: holds {member.name!r} twice")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while chunk := member.content.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise SuiteError(f"{archive}: unpacks to more than {MAX_BYTES} bytes")
                file.write(chunk)


def _inside(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.name:
        raise SuiteError(f"{archive}: {name!r} would lie outside the folder it is unpacked to")
    return path
