"""Incomplete releases, damaged manifests and wrong uses of the data command."""

import argparse
import json
from pathlib import Path

import pytest
from data_files import write_dataset

from harness.commands import data
from harness.data.manifest import manifest_hash, prepare, read_manifest, verify
from harness.errors import SuiteError

OFFICIAL = {"cityscapes": 2975, "voc": 10582, "camvid": 367}


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    data.configure(parser)
    return data.run(parser.parse_args(words))


@pytest.mark.parametrize("name", OFFICIAL)
def test_other_counts_than_the_official_ones_are_refused(name: str, tmp_path: Path) -> None:
    root = write_dataset(name, tmp_path / "root")
    message = f"split 'train' of {name} has 3 images, the official release has {OFFICIAL[name]}"
    with pytest.raises(SuiteError, match=message):
        prepare(name, root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_broken_file_leaves_no_manifest(name: str, tmp_path: Path) -> None:
    root = write_dataset(name, tmp_path / "root")
    victim = next(path for path in sorted(root.rglob("*val_1*.png")))
    victim.write_bytes(victim.read_bytes()[:200])
    with pytest.raises(SuiteError, match=f"{victim.name}: cannot be decoded"):
        prepare(name, root, tmp_path / "out", subset=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file: Invalid JSON"),
        (b'{"schema": 1', "the file: Invalid JSON"),
        (b"[]", "MANIFEST.json: the file: "),
        (b"{}", "schema: Field required|dataset: Field required"),
        (b"\xff\xfe", "the file: "),
    ],
)
def test_damaged_manifest(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.json"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=f"{message}.*prepare the dataset again") as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("schema", 2, "schema"),
        ("surprise", 1, "surprise"),
        ("subset", "perhaps", "subset"),
        ("files", {"a.png": {"sha256": "00", "size": 1, "split": "x"}}, "files.a.png.sha256"),
        ("files", {"a.png": {"sha256": "0" * 64, "size": -1, "split": "x"}}, "files.a.png.size"),
        ("splits", {"train": {"count": 0, "pixels": {}, "ignored_pixels": 0}}, "splits.train"),
    ],
)
def test_manifest_with_an_impossible_value(
    key: str, value: object, where: str, tmp_path: Path
) -> None:
    path = prepare("camvid", write_dataset("camvid", tmp_path / "root"), tmp_path, subset=True)
    content = json.loads(path.read_text())
    content[key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(SuiteError, match=f"MANIFEST.json: {where}"):
        read_manifest(path)


def test_missing_manifest(tmp_path: Path) -> None:
    for use in (read_manifest, manifest_hash):
        with pytest.raises(SuiteError, match=r"MANIFEST\.json: cannot read .*prepare the dataset"):
            use(tmp_path / "MANIFEST.json")


def test_oversized_manifest(tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(SuiteError, match="larger than 67108864 bytes, not a manifest"):
        read_manifest(path)


def test_verify_without_the_dataset(tmp_path: Path) -> None:
    path = prepare("camvid", write_dataset("camvid", tmp_path / "root"), tmp_path, subset=True)
    with pytest.raises(SuiteError, match=r"no such folder.*CAMVID_ROOT"):
        verify(path, tmp_path / "moved")


def test_destination_that_cannot_be_written(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    blocker = tmp_path / "out"
    blocker.write_text("a file, no folder")
    with pytest.raises(SuiteError, match="out: is a file; the manifest needs a folder"):
        prepare("camvid", root, blocker, subset=True)


def test_command_names_the_variable_when_nothing_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=r"CAMVID_ROOT or under data\.camvid\.root"):
        run("camvid")


def test_command_prepares_and_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    monkeypatch.setenv("CAMVID_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    assert run("camvid", "--subset") == 0
    assert (tmp_path / "data" / "camvid" / "MANIFEST.json").is_file()
    assert "a subset: the counts are not the official ones" in capsys.readouterr().out
    assert run("camvid", "--verify") == 0
    assert "18 of 18 files are as prepared" in capsys.readouterr().out
    (root / "val" / "val_0.png").write_bytes(b"changed")
    assert run("camvid", "--verify") == 2
    output = capsys.readouterr().out
    assert "val_0.png: 7 bytes, the manifest says" in output
    assert "17 of 18 files are as prepared" in output


def test_command_refuses_an_unknown_dataset() -> None:
    with pytest.raises(SuiteError, match="did you mean 'scenes_voc'"):
        run("scene_voc")
