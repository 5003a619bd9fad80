"""Fetching a published archive over HTTP: resumed where it stopped, checked, moved in whole.

torchvision's download helpers start over after every interruption, fall back from https to http
and look at no disk; hence this one.
"""

import os
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from segdistill.data.download.archive import is_archive
from segdistill.data.download.contents import md5_of
from segdistill.data.download.releases import Archive, by_hand
from segdistill.data.download.space import full_disk, is_full, require_space
from segdistill.errors import SuiteError
from segdistill.progress import progress

STALL_SECONDS = 30.0  # without a byte
PAUSES = (1.0, 5.0, 15.0)  # seconds before another attempt; as often in vain, and it is given up
CHUNK = 1024 * 1024
MEBIBYTE = 1024 * 1024
PASSING = (408, 425, 429, 500, 502, 503, 504)  # HTTP states that may be over in a moment


class _InterruptedError(Exception):
    """The transfer ended early; another attempt may go on."""


def download(archive: Archive, folder: Path) -> Path:
    """Fetch `archive` into `folder`; one that is there already is only checked.

    What has come stays beside it as NAME.part until it is whole, and the next call goes on from
    there. Raises SuiteError, with what to do by hand, if the server refuses, fails or stalls, if
    the disk is full, or if the checksum is wrong.
    """
    path, part = folder / archive.name, folder / f"{archive.name}.part"
    if path.is_file():
        _require_whole(archive, path)
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(archive, part)
        _require_whole(archive, part)
        part.replace(path)
    except OSError as error:
        raise SuiteError(f"{part}: cannot write ({error.strerror}); {by_hand(archive)}") from error
    return path


def _require_whole(archive: Archive, path: Path) -> None:
    """Remove the file and raise SuiteError unless it is what the publisher gives out."""
    found = md5_of(path) if archive.md5 else None
    if found == archive.md5 and is_archive(path):
        return
    path.unlink()
    what = f"its md5 is {found}, not {archive.md5}" if found else "it is no zip or tar archive"
    raise SuiteError(
        f"{archive.url}: what came is not {archive.name}: {what}; it was removed. Run the same "
        f"command again, {by_hand(archive)}"
    )


def _fetch(archive: Archive, part: Path) -> None:
    """Make attempts until `part` is whole; one that brought something does not count."""
    vain = 0
    while True:
        before = _size(part)
        try:
            _receive(archive, part)
            return
        except _InterruptedError as error:
            vain = 0 if _size(part) > before else vain + 1
            if vain > len(PAUSES):
                raise SuiteError(
                    f"{archive.url}: {error}; run the same command again, which goes on from "
                    f"{_size(part) / MEBIBYTE:.1f} MiB, {by_hand(archive)}"
                ) from error
        time.sleep(PAUSES[max(0, vain - 1)])


def _receive(archive: Archive, part: Path) -> None:
    """One attempt to get what `part` lacks."""
    have = _size(part)
    response = _open(archive, part, have)
    if response is None:
        return
    with response:
        start = have if response.status == 206 and _range_start(response) == have else 0
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        known = total or archive.size
        purpose = f"{archive.name} and what is unpacked of it"
        require_space(part.parent, known - start + known, purpose)
        _save(archive, response, part, start, total)


def _open(archive: Archive, part: Path, have: int) -> HTTPResponse | None:
    """The server's answer; None if it has nothing beyond the `have` bytes that are there."""
    headers = {"User-Agent": "segdistill", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = Request(archive.url or "", headers=headers)
    try:
        response: HTTPResponse = urlopen(request, timeout=STALL_SECONDS)
    except HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{have}":
            return None
        if error.code == 416:
            part.unlink()
            raise _InterruptedError("the server has another file now") from error
        if error.code in PASSING:
            raise _InterruptedError(f"the server fails (HTTP {error.code})") from error
        raise _refusal(archive, error.code) from error
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _stalled() from error
        raise _InterruptedError(f"cannot be reached ({reason})") from error
    return response


def _refusal(archive: Archive, code: int) -> SuiteError:
    what = {401: "asks for a login", 403: "refuses", 404: "is not there", 410: "is gone"}
    said = f"{what.get(code, 'answers with an error')} (HTTP {code})"
    return SuiteError(f"{archive.url}: {said}; {by_hand(archive).removeprefix('or ')}")


def _save(
    archive: Archive, response: HTTPResponse, part: Path, start: int, total: int | None
) -> None:
    done, expected = start, -(-(total or archive.size) // MEBIBYTE)
    try:
        with (
            part.open("r+b" if start else "wb") as file,
            progress(f"{archive.name} (MiB)", expected) as shown,
        ):
            file.seek(start)
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                shown(min(done // MEBIBYTE, expected - 1))
            _sync(file)
            if done == (total or done):
                shown(expected)
    except OSError as error:
        if is_full(error):
            raise full_disk(part, error) from error
        raise
    if total is not None and done != total:
        raise _InterruptedError(f"the connection was cut after {done} of {total} bytes")


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except TimeoutError as error:
        raise _stalled() from error
    except (HTTPException, OSError) as error:
        raise _InterruptedError(f"the connection was cut ({type(error).__name__})") from error


def _stalled() -> _InterruptedError:
    return _InterruptedError(f"stalled: nothing came for {STALL_SECONDS:g} s")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _range_start(response: HTTPResponse) -> int | None:
    """The first byte of a partial answer, from `Content-Range: bytes START-END/TOTAL`."""
    first = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
