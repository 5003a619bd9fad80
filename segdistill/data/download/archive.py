"""Taking files out of a dataset's zip or tar archive without trusting what it says."""

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Self

from segdistill.data.download.space import full_disk, is_full, require_space
from segdistill.errors import SuiteError

MAX_BYTES = 64 * 1024**3  # unpacked; Cityscapes' images take 11 GiB
MAX_FILES = 200_000
MAX_PADDING = 64 * 1024**2  # after a tar's last file
_CHUNK = 1024 * 1024
_DAMAGED = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, RuntimeError,
            NotImplementedError)  # fmt: skip

Place = Callable[[PurePosixPath], PurePosixPath | None]


class _Header(tarfile.TarInfo):
    """A header of a tar, which tarfile itself takes for the end of the archive if it is damaged."""

    @classmethod
    def fromtarfile(cls, file: tarfile.TarFile) -> Self:
        """The next header. Raises ReadError if there is neither one nor the mark of the end."""
        try:
            return super().fromtarfile(file)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # typeshed lacks it
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Member(NamedTuple):
    name: str
    size: int  # as declared
    content: IO[bytes]


def unpack(source: Path, target: Path, place: Place) -> int:
    """Write files of `source`, a zip, a tar or a folder, below the folder `target`.

    `place` says where: it maps a file's path in the source to one below `target`, or to None,
    and the file is left out. Returns how many files were written. Raises SuiteError if the disk
    has too little room, or if an archive is damaged, too large, holds a link or a device, or names
    a file outside its folder; then `target` may hold a part of it.
    """
    try:
        require_space(target, _size(source, place), f"unpacking {source.name}")
        members = _members(source)
    except _DAMAGED as error:
        raise _damaged(source, error) from error
    return _write_all(members, target, source, place)


def is_archive(path: Path) -> bool:
    """Whether the file is a zip or a tar archive, by its contents."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def _damaged(source: Path, error: BaseException) -> SuiteError:
    return SuiteError(f"{source}: cannot be unpacked ({error}); damaged, fetch it again")


def _size(source: Path, place: Place) -> int:
    """Bytes that will be written; of a tar, which lists nothing, the archive's own size."""
    if source.is_dir():
        files = (path for path in source.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files if place(_within(source, path)))
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as file:
            infos = [info for info in file.infolist() if place(PurePosixPath(info.filename))]
            return sum(info.file_size for info in infos)
    return source.stat().st_size


def _members(source: Path) -> Iterator[_Member]:
    if source.is_dir():
        return _folder_members(source)
    if zipfile.is_zipfile(source):
        return _zip_members(source)
    if tarfile.is_tarfile(source):
        return _tar_members(source)
    raise SuiteError(f"{source}: neither a folder nor a zip or tar archive; fetch it again")


def _within(folder: Path, path: Path) -> PurePosixPath:
    """The path as an archive of `folder` would name it: the folder's own name first."""
    return PurePosixPath(folder.resolve().name, path.relative_to(folder).as_posix())


def _folder_members(folder: Path) -> Iterator[_Member]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as content:
                yield _Member(str(_within(folder, path)), path.stat().st_size, content)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise SuiteError(f"{archive}: {info.filename!r} is a link or a device")
            if not info.is_dir():
                with file.open(info) as content:
                    yield _Member(info.filename, info.file_size, content)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive, tarinfo=_Header) as file:
        for info in file:
            if not (info.isfile() or info.isdir()):
                raise SuiteError(f"{archive}: {info.name!r} is a link or a device")
            content = file.extractfile(info) if info.isfile() else None
            if content is not None:
                yield _Member(info.name, info.size, content)
        # The checksum of the compressed stream is only looked at where it ends.
        left = MAX_PADDING
        while file.fileobj is not None and (chunk := file.fileobj.read(_CHUNK)):
            left -= len(chunk)
            if left < 0:
                raise SuiteError(f"{archive}: goes on after its last file")


def _write_all(members: Iterator[_Member], target: Path, source: Path, place: Place) -> int:
    """Write every member that has a place; what is left out counts as declared."""
    left, written = MAX_BYTES, 0
    for count, member in enumerate(_reading(members, source), start=1):
        if count > MAX_FILES:
            raise SuiteError(f"{source}: holds more than {MAX_FILES} files")
        wanted = place(_inside(member.name, source))
        left -= member.size if wanted is None else 0
        if wanted is not None:
            left = _write(member, target / wanted, source, left)
            written += 1
        if left < 0:
            raise _too_large(source)
    return written


def _reading(members: Iterator[_Member], source: Path) -> Iterator[_Member]:
    try:
        yield from members
    except _DAMAGED as error:
        raise _damaged(source, error) from error


def _write(member: _Member, path: Path, source: Path, left: int) -> int:
    """Write one file; what is left of `left`, by what is really written, not what is declared."""
    if path.exists():
        raise SuiteError(f"{source}: holds {member.name!r} twice, or another source does")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while chunk := _read(member, source):
                left -= len(chunk)
                if left < 0:
                    raise _too_large(source)
                file.write(chunk)
    except OSError as error:
        if is_full(error):
            raise full_disk(path, error) from error
        raise SuiteError(f"{path}: cannot be written ({error.strerror})") from error
    return left


def _read(member: _Member, source: Path) -> bytes:
    try:
        return member.content.read(_CHUNK)
    except _DAMAGED as error:
        raise _damaged(source, error) from error


def _too_large(source: Path) -> SuiteError:
    return SuiteError(f"{source}: unpacks to more than {MAX_BYTES} bytes")


def _inside(name: str, source: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.name:
        raise SuiteError(f"{source}: {name!r} would lie outside the folder it is unpacked to")
    return path
