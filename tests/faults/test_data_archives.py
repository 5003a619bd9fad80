"""Archives of a dataset: good ones are unpacked, hostile and damaged ones leave nothing behind."""

import argparse
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from data_files import write_dataset

from harness.commands import data
from harness.data import archive
from harness.data.archive import unpack
from harness.errors import SuiteError


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


MAKERS = {"x.zip": make_zip, "x.tar.gz": make_tar}
Maker = Callable[[Path, dict[str, bytes]], Path]


def refused(path: Path, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        unpack(path, path.parent / "out")
    assert str(path) in str(caught.value)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_contents_are_unpacked_and_a_single_folder_entered(
    name: str, make: Maker, tmp_path: Path
) -> None:
    path = make(tmp_path / name, {"top/a/b.txt": b"1", "top/c.txt": b"2" * 3_000_000})
    root = unpack(path, tmp_path / "out")
    assert root == tmp_path / "out" / "top"
    assert (root / "a" / "b.txt").read_bytes() == b"1"
    assert (root / "c.txt").read_bytes() == b"2" * 3_000_000
    flat = make(tmp_path / f"flat_{name}", {"a/b.txt": b"1", "c.txt": b"2"})
    assert unpack(flat, tmp_path / "flat") == tmp_path / "flat"


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
@pytest.mark.parametrize(
    "member", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:evil"]
)
def test_escaping_path(name: str, make: Maker, member: str, tmp_path: Path) -> None:
    refused(make(tmp_path / name, {"good": b"", member: b"x"}), "would lie outside the folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_link_or_device_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as file:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        file.addfile(info)
    refused(tmp_path / "x.tar", "'link' is a link or a device")


def test_link_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    refused(tmp_path / "x.zip", "'link' is a link or a device")


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_more_bytes_or_files_than_allowed(
    name: str, make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / name, {"a": bytes(5000), "b": bytes(5000)})
    monkeypatch.setattr(archive, "MAX_BYTES", 9999)
    refused(path, "unpacks to more than 9999 bytes")
    monkeypatch.setattr(archive, "MAX_FILES", 1)
    refused(path, "holds more than 1 files")


def test_a_name_that_occurs_twice(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as file:
        for _ in range(2):
            file.addfile(tarfile.TarInfo("a"))
    refused(tmp_path / "x.tar", "holds 'a' twice")


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_damaged_archive(name: str, make: Maker, tmp_path: Path) -> None:
    path = make(tmp_path / name, {"a": bytes(range(256)) * 400})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 40 : middle + 40] = bytes(80)
    path.write_bytes(content)
    refused(path, "cannot be unpacked|neither a folder nor")


def test_no_archive_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("<html>login</html>")
    refused(tmp_path / "x.zip", "neither a folder nor a zip or tar archive")


def test_an_existing_destination_is_kept(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a": b"1"})
    (tmp_path / "out").mkdir()
    with pytest.raises(SuiteError, match="exists already; remove it"):
        unpack(path, tmp_path / "out")


def test_command_unpacks_and_prepares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_dataset("camvid", tmp_path / "CamVid")
    files = {path.relative_to(tmp_path).as_posix(): path.read_bytes()
             for path in root.rglob("*") if path.is_file()}  # fmt: skip
    path = make_zip(tmp_path / "camvid.zip", files)
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    data.configure(parser)
    assert data.run(parser.parse_args(["camvid", "--from", str(path), "--subset"])) == 0
    unpacked = Path("data/camvid/files/CamVid")
    assert (unpacked / "train" / "train_0.png").is_file()
    assert f"unpacked to {unpacked}; set CAMVID_ROOT to it" in capsys.readouterr().out
