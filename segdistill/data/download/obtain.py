"""What `--from` may name, and what is done with it."""

import os
from collections.abc import Sequence
from pathlib import Path

from segdistill.data.catalogue import DatasetInfo
from segdistill.data.download.checked import prepare_checked
from segdistill.data.download.download import download
from segdistill.data.download.install import install
from segdistill.data.download.login import download_with_login
from segdistill.data.download.releases import RELEASES
from segdistill.data.preparation import prepare
from segdistill.errors import SuiteError
from segdistill.settings.loading import INSTALLED

DOWNLOAD = "download"
DOWNLOADS = "downloads"  # below data/DATASET


def obtain(
    info: DatasetInfo, sources: Sequence[str], destination: Path, subset: bool = False
) -> Path:
    """Prepare a dataset from `sources`; the path of its manifest.

    Sources are archives, folders, or the word `download`. One folder in the dataset's own layout
    stays where it is, and only the manifest is written; of everything else the dataset is put
    together in destination/files. Without sources, what is there is checked. Raises SuiteError if
    anything is at fault.
    """
    if info.synthetic and sources:
        raise SuiteError(f"{info.name} is drawn, not taken from anywhere; leave out --from")
    if info.synthetic:
        return prepare(info.name, destination, destination)
    if not sources:
        return prepare_checked(info.name, default_root(info, destination), destination, subset)
    if DOWNLOAD in sources:
        if len(sources) > 1:
            raise SuiteError(f"--from {DOWNLOAD} takes no other source beside it")
        return install(info, _download(info, destination), destination, subset, published=True)
    paths = [path for source in sources for path in _archives_inside(info, _present(source))]
    if len(paths) == 1 and paths[0].is_dir():
        _refuse_plain_voc(info, paths[0], subset)
        return prepare_checked(info.name, paths[0], destination, subset)
    return install(info, paths, destination, subset, published=False)


def default_root(info: DatasetInfo, destination: Path) -> Path:
    """Where the dataset lies if nothing says it: its variable, or what was installed."""
    named = os.environ.get(info.root_variable or "")
    if info.synthetic:
        return destination
    if not named and (destination / INSTALLED).is_dir():
        return destination / INSTALLED
    # A folder that is named nowhere is refused with the places where to name it.
    return Path(named or f"{info.name} (unset)").expanduser()


def _download(info: DatasetInfo, destination: Path) -> list[Path]:
    if (destination / INSTALLED).exists():
        raise SuiteError(f"{destination / INSTALLED}: exists already; remove it to download again")
    folder = destination / DOWNLOADS
    archives = RELEASES[info.name].archives
    if any(archive.url is None for archive in archives):
        return download_with_login(archives, folder)
    return [download(archive, folder) for archive in archives]


def _present(source: str) -> Path:
    path = Path(source).expanduser()
    if not path.exists():
        raise SuiteError(f"{source}: no such file or folder; give one, or the word {DOWNLOAD!r}")
    return path


def _archives_inside(info: DatasetInfo, path: Path) -> list[Path]:
    """The official archives that lie in a folder of downloads, else the path itself."""
    names = [archive.name for archive in RELEASES[info.name].archives]
    found = [path / name for name in names if (path / name).is_file()]
    return found or [path]


def _refuse_plain_voc(info: DatasetInfo, folder: Path, subset: bool) -> None:
    plain = (folder / "SegmentationClass").is_dir()
    if info.name == "voc" and plain and not (folder / "SegmentationClassAug").exists():
        if subset:
            return
        raise SuiteError(
            f"{folder}: VOC without SBD has 1464 training images, not 10582; give SBD's "
            "benchmark.tgz or folder with --from, too, or pass --subset"
        )
