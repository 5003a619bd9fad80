"""Incomplete releases, damaged manifests and wrong uses of the data command."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import refusal, segdistill
from data_files import write_dataset
from PIL import Image

from segdistill.data.manifest import read_manifest, verify
from segdistill.data.preparation import prepare
from segdistill.data.readers import camvid, cityscapes, voc
from segdistill.errors import SuiteError

OFFICIAL = {"cityscapes": 2975, "voc": 10582, "camvid": 367}


@pytest.mark.parametrize("name", OFFICIAL)
def test_other_counts_than_the_official_ones_are_refused(name: str, tmp_path: Path) -> None:
    root = write_dataset(name, tmp_path / "root")
    found = refusal("data", name, "--from", root, "--destination", tmp_path / "out")
    message = f"split 'train' of {name} has 3 images, the official release has {OFFICIAL[name]}"
    assert message in found
    assert "or pass --subset (subset: true in data/params.yaml), and every table" in found
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
    found = refusal("data", "camvid", "--verify", "--from", tmp_path, "--destination", tmp_path)
    assert found == str(caught.value)


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
    with pytest.raises(SuiteError, match=r"MANIFEST\.json: cannot read .*prepare the dataset"):
        read_manifest(tmp_path / "MANIFEST.json")


def test_oversized_manifest(tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(SuiteError, match="larger than 67108864 bytes, not a manifest"):
        read_manifest(path)


def test_verify_without_the_dataset(tmp_path: Path) -> None:
    path = prepare("camvid", write_dataset("camvid", tmp_path / "root"), tmp_path, subset=True)
    with pytest.raises(SuiteError, match=r"no such folder.*CAMVID_ROOT") as caught:
        verify(path, tmp_path / "moved")
    command = ("data", "camvid", "--verify", "--destination", tmp_path)
    assert refusal(*command, "--from", tmp_path / "moved") == str(caught.value)
    assert refusal(*command, "--from", "a", "b") == "--verify takes one folder with --from"


def test_destination_that_cannot_be_written(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    blocker = tmp_path / "out"
    blocker.write_text("a file, no folder")
    found = refusal("data", "camvid", "--subset", "--from", root, "--destination", blocker)
    assert "out: is a file; the dataset needs a folder" in found


def test_command_names_the_variable_when_nothing_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMVID_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert "CAMVID_ROOT" in refusal("data", "camvid")


def test_command_prepares_and_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    monkeypatch.setenv("CAMVID_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    done = segdistill("data", "camvid", "--subset")
    assert done.status == 0
    assert (tmp_path / "data" / "camvid" / "MANIFEST.json").is_file()
    assert "a subset: the counts are not the official ones" in done.out
    done = segdistill("data", "camvid", "--verify")
    assert done.status == 0
    assert "18 of 18 files are as prepared" in done.out
    (root / "val" / "val_0.png").write_bytes(b"changed")
    (root / "trainannot" / "train_1.png").unlink()
    done = segdistill("data", "camvid", "--verify")
    assert done.status == 2
    assert "val_0.png: 7 bytes, the manifest says" in done.out
    assert "train_1.png: file is missing" in done.out
    assert "16 of 18 files are as prepared" in done.out


def test_command_refuses_an_unknown_dataset() -> None:
    assert "did you mean 'scenes_voc'" in refusal("data", "scene_voc")


LAYOUTS = {"cityscapes": cityscapes.LAYOUT, "voc": voc.LAYOUT, "camvid": camvid.LAYOUT}
LABELS = {
    "cityscapes": "gtFine/val/*/*_labelIds.png",
    "voc": "SegmentationClassAug/val_*.png",
    "camvid": "valannot/*.png",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_complete_set_that_has_lost_its_void_pixels(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a conversion that turns void into class 0."""
    root = write_dataset(name, tmp_path / "root")
    for split in LAYOUTS[name].counts:
        monkeypatch.setitem(LAYOUTS[name].counts, split, 3)  # type: ignore[arg-type]
    command = ("data", name, "--from", root, "--destination", tmp_path / "out")
    assert segdistill(*command).status == 0
    (tmp_path / "out/MANIFEST.json").unlink()
    road = {"cityscapes": 7}.get(name, 0)
    for path in root.glob(LABELS[name]):
        with Image.open(path) as image:
            values = np.array(image)
        values[LAYOUTS[name].table[values] == 255] = road
        Image.fromarray(values).save(path)
    found = refusal(*command)
    assert "no label pixel of split 'val' is void" in found
    assert "void was mapped to a class; take the labels of the release" in found
    assert not (tmp_path / "out/MANIFEST.json").exists()
