"""Fetching the archives of a release: pooch downloads, tries again and compares checksums."""

import shutil
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from segdistill.data.download.releases import Archive, Release
from segdistill.errors import SuiteError

LOGIN = "https://www.cityscapes-dataset.com/downloads/"
RETRIES = 3
CHUNK = 1 << 20  # bytes
TIMEOUT = 30.0  # seconds without a byte


def fetch(release: Release, folder: Path) -> list[Path]:
    """The archives of `release` in `folder`; those that are not there yet are downloaded.

    Raises SuiteError, with what to do by hand, if one needs a login, the disk has too little room,
    or a server cannot be reached, fails or sends something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [archive for archive in release.archives if not (folder / archive.name).is_file()]
    needed = 2 * sum(archive.size for archive in missing)
    if shutil.disk_usage(folder).free < needed:
        raise SuiteError(
            f"{folder}: the archives and what is unpacked of them need {needed / 1e9:.1f} GB; make "
            "room, or name a folder on another disk with --destination"
        )
    if names := [archive.name for archive in missing if archive.url is None]:
        raise SuiteError(
            f"{' and '.join(names)} need a login: get them from {LOGIN} by hand, or by "
            f"`pip install cityscapesscripts` and `csDownload -d {folder} {' '.join(names)}`;\n"
            f"put them into {folder} and run the same command again"
        )
    return [_fetch(archive, folder) for archive in release.archives]


def _fetch(archive: Archive, folder: Path) -> Path:
    if archive.url is None:
        return folder / archive.name
    files = pooch.create(
        folder,
        base_url="",
        registry={archive.name: archive.md5 and f"md5:{archive.md5}"},
        urls={archive.name: archive.url},
        retry_if_failed=RETRIES,
    )
    try:
        return Path(files.fetch(archive.name, downloader=partial(_download, archive)))
    except (requests.RequestException, ValueError) as error:  # ValueError: something else came
        broken = "cannot be reached, or the connection broke"
        reason = broken if isinstance(error, requests.ConnectionError) else error
        raise SuiteError(
            f"{archive.url}: {reason}\ntry again, or get {archive.name} by hand "
            f"(docs/datasets.md), put it into {folder} and run the same command again"
        ) from error


def _download(archive: Archive, url: str, target: str, files: pooch.Pooch) -> None:
    """One attempt, with a progress bar if someone is watching."""
    get = pooch.HTTPDownloader(chunk_size=CHUNK, timeout=TIMEOUT)
    shown = {"desc": archive.name, "total": archive.size, "disable": None}
    with Path(target).open("wb") as file, tqdm.wrapattr(file, "write", **shown) as counted:
        get(url, counted, files)
    if not (zipfile.is_zipfile(target) or tarfile.is_tarfile(target)):
        raise ValueError("what came is no zip or tar archive")
