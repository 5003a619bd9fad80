"""The manifest: what it holds, that it is deterministic, and that it finds every change."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from data_files import picture, write_dataset

from segdistill.data.catalogue import dataset_info
from segdistill.data.manifest import read_manifest, verify
from segdistill.data.preparation import prepare
from segdistill.data.scenes import dataset

REAL = ("cityscapes", "voc", "camvid")


@pytest.mark.parametrize("name", REAL)
def test_counts_hashes_and_histograms(name: str, tmp_path: Path) -> None:
    root, info = write_dataset(name, tmp_path / "root"), dataset_info(name)
    path = prepare(name, root, tmp_path / "out", subset=True)
    manifest = read_manifest(path)
    assert path == tmp_path / "out" / "MANIFEST.json"
    assert (manifest.dataset, manifest.synthetic, manifest.subset) == (name, False, True)
    assert len(manifest.files) == 2 * 3 * len(info.splits)
    for file, record in manifest.files.items():
        content = (root / file).read_bytes()
        assert record.sha256 == hashlib.sha256(content).hexdigest()
        assert record.size == len(content)
    for place, split in enumerate(info.splits):
        labels = np.concatenate(
            [picture(100 * place + index, len(info.classes))[1].ravel() for index in range(3)]
        )
        described = manifest.splits[split]
        assert described.count == 3
        assert described.ignored_pixels == (labels == 255).sum()
        for train_id, class_name in enumerate(info.classes):
            assert described.pixels[class_name] == (labels == train_id).sum()


def test_bytes_are_deterministic_and_hold_no_absolute_path(tmp_path: Path) -> None:
    paths = [
        prepare("voc", write_dataset("voc", tmp_path / place), tmp_path / f"out_{place}", True)
        for place in ("here", "there")
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert str(tmp_path) not in paths[0].read_text()


def test_preparing_again_changes_no_byte(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    first = prepare("camvid", root, tmp_path, subset=True).read_bytes()
    assert prepare("camvid", root, tmp_path, subset=True).read_bytes() == first


def test_equal_images_in_two_splits_are_named(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    image = (root / "train" / "train_1.png").read_bytes()
    (root / "test" / "test_2.png").write_bytes(image)
    (root / "train" / "train_0.png").write_bytes(image)
    manifest = read_manifest(prepare("camvid", root, tmp_path, subset=True))
    assert manifest.duplicates == (("test/test_2.png", "train/train_0.png", "train/train_1.png"),)


def test_an_image_listed_in_two_splits_is_named(tmp_path: Path) -> None:
    root = write_dataset("voc", tmp_path / "root")
    (names,) = (path for path in root.rglob("val.txt"))
    names.write_text(names.read_text() + "train_1\n")
    manifest = read_manifest(prepare("voc", root, tmp_path, subset=True))
    assert manifest.duplicates == (("JPEGImages/train_1.png",),)


def test_a_repetition_inside_a_split_is_no_leak(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    image = (root / "train" / "train_1.png").read_bytes()
    (root / "train" / "train_0.png").write_bytes(image)
    assert read_manifest(prepare("camvid", root, tmp_path, subset=True)).duplicates == ()


def test_drawn_set_is_drawn_into_its_destination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "COUNTS", {"train": 2, "val": 2, "test": 1})
    path = prepare("scenes_voc", tmp_path / "unused", tmp_path / "drawn")
    manifest = read_manifest(path)
    assert (manifest.synthetic, manifest.subset) == (True, False)
    assert {split: record.count for split, record in manifest.splits.items()} == {
        "train": 2, "val": 2, "test": 1,
    }  # fmt: skip
    assert verify(path, tmp_path / "drawn") == []
    first = path.read_bytes()
    path.unlink()
    assert prepare("scenes_voc", tmp_path, tmp_path / "drawn").read_bytes() == first


def test_verify_names_every_changed_file(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    path = prepare("camvid", root, tmp_path, subset=True)
    assert verify(path, root) == []
    (root / "train" / "train_0.png").unlink()
    longer = root / "val" / "val_1.png"
    longer.write_bytes(longer.read_bytes() + b"x")
    changed = root / "testannot" / "test_2.png"
    content = bytearray(changed.read_bytes())
    content[-20] ^= 1
    changed.write_bytes(content)
    faults = verify(path, root)
    assert len(faults) == 3
    assert any("train_0.png: file is missing" in fault for fault in faults)
    assert any("val_1.png" in fault and "bytes, the manifest says" in fault for fault in faults)
    assert any("test_2.png: its sha256 is not the manifest's" in fault for fault in faults)


def test_verify_stays_inside_the_dataset(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path / "root")
    path = prepare("camvid", root, tmp_path, subset=True)
    value = json.loads(path.read_text())
    record = value["files"].pop("train/train_0.png")
    value["files"] |= {"../outside.png": record, "/etc/hostname": record}
    path.write_text(json.dumps(value))
    faults = verify(path, root)
    assert len(faults) == 2
    assert all("names a file outside the dataset's folder" in fault for fault in faults)


def test_real_camvid_is_complete_and_free_of_leaks(shared: Path, tmp_path: Path) -> None:
    path = prepare("camvid", shared / "data" / "camvid", tmp_path)
    manifest = read_manifest(path)
    assert not manifest.subset
    assert {split: record.count for split, record in manifest.splits.items()} == {
        "train": 367, "val": 101, "test": 233,
    }  # fmt: skip
    assert manifest.duplicates == ()
    assert all(min(record.pixels.values()) > 0 for record in manifest.splits.values())
    assert str(shared) not in path.read_text()
