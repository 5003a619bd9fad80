"""Cityscapes' archives for those who have a login, through the authors' own download tool."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segdistill.data.download.contents import md5_of
from segdistill.data.download.releases import Archive
from segdistill.data.download.space import full_disk, is_full, require_space
from segdistill.errors import SuiteError

TOOL = "cityscapesscripts"
INSTALL = "pip install 'segdistill[cityscapes]'"


def download_with_login(archives: Sequence[Archive], folder: Path) -> list[Path]:
    """Fetch `archives` into `folder` as `csDownload` does; those that are there are only checked.

    The tool asks for the login, or takes the one it has stored. Raises SuiteError, with what to
    do by hand, if the tool or the login is missing, or if the transfer fails.
    """
    paths = [folder / archive.name for archive in archives]
    missing = [archive for archive in archives if not _is_whole(archive, folder / archive.name)]
    if not missing:
        return paths
    names = " and ".join(archive.name for archive in missing)
    instead = f"or get {names} by hand from {missing[0].page} and give them with --from"
    tool = _tool(instead)
    size = sum(archive.size for archive in missing)
    require_space(folder, 2 * size, f"{names} and what is unpacked of them")
    session = _login(tool, instead)
    for archive in missing:
        _fetch(tool, session, archive, folder, instead)
    return paths


def _tool(instead: str) -> Any:
    try:
        return importlib.import_module(f"{TOOL}.download.downloader")
    except ImportError as error:
        raise SuiteError(
            f"cityscapes: downloads need the package {TOOL} ({error}): {INSTALL}, {instead}"
        ) from error


def _login(tool: Any, instead: str) -> Any:
    try:
        return tool.login()
    except (EOFError, KeyboardInterrupt) as error:
        raise SuiteError(
            "cityscapes: no login was given; run this in a terminal, or store a login there once "
            f"with `csDownload --list_available`, {instead}"
        ) from error
    except Exception as error:  # whatever the tool or its HTTP library raises
        raise SuiteError(
            f"cityscapes: the login failed ({_reason(error)}); check it on "
            f"https://www.cityscapes-dataset.com/login, {instead}"
        ) from error


def _fetch(tool: Any, session: Any, archive: Archive, folder: Path, instead: str) -> None:
    """The tool writes in place, so it works in a folder of its own until the file is whole."""
    scratch = folder / "partial"
    part = scratch / archive.name
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        tool.download_packages(
            session=session,
            package_names=[archive.name],
            destination_path=str(scratch),
            resume=part.exists(),
        )
    except Exception as error:  # whatever the tool or its HTTP library raises
        if isinstance(error, OSError) and is_full(error):
            raise full_disk(part, error) from error
        if "MD5" in str(error):  # going on would keep the fault
            part.unlink(missing_ok=True)
        raise SuiteError(
            f"cityscapes: {archive.name} did not come ({_reason(error)}); run the same command "
            f"again, {instead}"
        ) from error
    if not _is_whole(archive, part):
        part.unlink(missing_ok=True)
        raise SuiteError(
            f"cityscapes: what came is not {archive.name}: its md5 is not {archive.md5}; it was "
            f"removed. Run the same command again, {instead}"
        )
    part.replace(folder / archive.name)
    print(f"{archive.name}: whole, by its md5", file=sys.stderr)


def _is_whole(archive: Archive, path: Path) -> bool:
    return path.is_file() and md5_of(path) == archive.md5


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
