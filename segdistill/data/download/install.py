"""What `--from` may name, and how a dataset comes of it: whole and checked, or not at all."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch

from segdistill.data.catalogue import DatasetInfo
from segdistill.data.download.augmented import augment
from segdistill.data.download.fetch import fetch
from segdistill.data.download.releases import RELEASES, Release
from segdistill.data.download.unpack import unpack
from segdistill.data.manifest import read_manifest
from segdistill.data.preparation import prepare
from segdistill.data.scenes.dataset import MANIFEST_NAME
from segdistill.errors import SuiteError
from segdistill.records import file_hash, write_bytes
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
    anything is at fault; then nothing is installed.
    """
    if info.synthetic and sources:
        raise SuiteError(f"{info.name} is drawn, not taken from anywhere; leave out --from")
    if info.synthetic:
        return prepare(info.name, destination, destination)
    if destination.exists() and not destination.is_dir():
        raise SuiteError(f"{destination}: is a file; the dataset needs a folder")
    paths = [] if list(sources) == [DOWNLOAD] else _present(RELEASES[info.name], sources)
    try:
        if sources and not (len(paths) == 1 and paths[0].is_dir()):
            return _install(info.name, paths, destination, subset)
        root = paths[0] if paths else default_root(info, destination)
        return _check(info.name, root, destination, subset)
    except OSError as error:  # such as a full disk
        raise SuiteError(
            f"{error.filename or destination}: {error.strerror or error}; mend that, or name "
            "another folder with --destination, and run the same command again"
        ) from error


def default_root(info: DatasetInfo, destination: Path) -> Path:
    """Where the dataset lies if nothing says it: its variable, or what was installed."""
    named = os.environ.get(info.root_variable or "")
    if named:
        return Path(named).expanduser()
    return destination if info.synthetic else destination / INSTALLED


def _present(release: Release, sources: Sequence[str]) -> list[Path]:
    """The paths of `sources`; for one folder in which official archives lie, theirs."""
    paths = [Path(source).expanduser() for source in sources]
    for path in paths:
        if not path.exists():
            raise SuiteError(f"{path}: no such file or folder; give some, or only {DOWNLOAD!r}")
    inside = [path / archive.name for path in paths[:1] for archive in release.archives]
    return [path for path in inside if path.is_file() and len(paths) == 1] or paths


def _check(name: str, root: Path, destination: Path, subset: bool) -> Path:
    """Write destination/MANIFEST.json of the dataset that lies in `root`."""
    with TemporaryDirectory() as work:
        content = _prepare(name, root, Path(work), subset).read_bytes()
    write_bytes(destination / MANIFEST_NAME, content)
    return destination / MANIFEST_NAME


def _install(name: str, sources: Sequence[Path], destination: Path, subset: bool) -> Path:
    """Make destination/files and destination/MANIFEST.json of `sources`, else of a download."""
    release, files = RELEASES[name], destination / INSTALLED
    if files.exists():
        raise SuiteError(
            f"{files}: exists already; remove it to install {name} again, or leave out --from to "
            "check what is there"
        )
    sources = sources or fetch(release, destination / DOWNLOADS)
    destination.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".work-", dir=destination) as work:
        new = Path(work) / "new"
        new.mkdir()
        try:
            _assemble(release, sources, new, subset)
            manifest = _prepare(name, new, Path(work), subset)
        except SuiteError as error:  # the path in the work folder means nothing to the user
            given = ", ".join(source.name for source in sources)
            needed = " and ".join(archive.name for archive in release.archives)
            reason = str(error).replace(f"{new}/", f"{given}: ").replace(f"{new}", given)
            raise SuiteError(f"{reason}\n{name} needs {needed}, whole and official") from error
        if not subset and release.manifest_sha256 not in (None, file_hash(manifest)):
            raise SuiteError(
                f"{name}: the files that came are not those of the release; to use them all the "
                "same, unpack the archive and give its folder with --from"
            )
        new.rename(files)
        return manifest.replace(destination / MANIFEST_NAME)


def _assemble(release: Release, sources: Sequence[Path], folder: Path, subset: bool) -> None:
    """Unpack all sources into `folder`; an archive of an official name must be the official one."""
    hashes = {archive.name: archive.md5 for archive in release.archives}
    for source in sources:
        expected = None if subset or source.is_dir() else hashes.get(source.name)
        if expected and pooch.file_hash(source, "md5") != expected:
            raise SuiteError(f"{source}: its md5 is not {expected}; remove it and fetch it again")
        print(f"unpacking {source}", file=sys.stderr)
        unpack(source, folder, release.wanted)
    if (folder / "cls").exists() and not (folder / "SegmentationClassAug").exists():
        augment(folder)


def _prepare(name: str, root: Path, work: Path, subset: bool) -> Path:
    """The manifest, in `work`. A complete dataset without void pixels in a split is refused."""
    path = prepare(name, root, work, subset)
    manifest = read_manifest(path)
    for split, record in manifest.splits.items():
        if record.ignored_pixels == 0 and not manifest.subset:
            raise SuiteError(
                f"{root}: no label pixel of split {split!r} is void, though some of the release's "
                "are: void was mapped to a class; take the labels of the release"
            )
    return path
