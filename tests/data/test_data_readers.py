"""Readers of the three layouts: on miniature files, and on the real samples where present."""

from pathlib import Path

import numpy as np
import pytest
from data_files import SIZE, picture, write_dataset
from PIL import Image

from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.data.manifest import read_manifest
from segdistill.data.preparation import prepare
from segdistill.data.readers.cityscapes import EVALUATED_IDS
from segdistill.data.splits import is_held_out, open_split


@pytest.mark.parametrize("name", dataset_names())
def test_every_layout_reads_back_what_was_written(name: str, tmp_path: Path) -> None:
    root = write_dataset(name, tmp_path)
    info = dataset_info(name)
    for place, split_name in enumerate(info.splits):
        split = open_split(name, root, split_name)
        assert len(split) == 3
        for index, sample_name in enumerate(split.names):
            image, label = picture(100 * place + index, len(info.classes))
            sample = split.read(index)
            assert sample.name == sample_name == f"{split_name}_{index}"
            np.testing.assert_array_equal(sample.image, image)
            np.testing.assert_array_equal(sample.label, label)


def test_cityscapes_ids_outside_the_nineteen_are_ignored(tmp_path: Path) -> None:
    root = write_dataset("cityscapes", tmp_path, count=1)
    path = next((root / "gtFine" / "train").rglob("*_labelIds.png"))
    ids = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE) % 34
    Image.fromarray(ids).save(path)
    label = open_split("cityscapes", root, "train").read(0).label
    for train_id, label_id in enumerate(EVALUATED_IDS):
        assert set(label[ids == label_id]) == {train_id}
    assert set(label[~np.isin(ids, EVALUATED_IDS)]) == {255}


def test_cityscapes_is_sorted_by_city_and_name(tmp_path: Path) -> None:
    image, label = picture(0, 19)
    for city, name in (("zurich", "a"), ("aachen", "z"), ("aachen", "b")):
        for folder, suffix, pixels in (
            ("leftImg8bit", "leftImg8bit", image),
            ("gtFine", "gtFine_labelIds", label % 19),
        ):
            path = tmp_path / folder / "train" / city / f"{city}_{name}_{suffix}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    assert open_split("cityscapes", tmp_path, "train").names == ("aachen_b", "aachen_z", "zurich_a")


@pytest.mark.parametrize("stem", ["train_aug", "trainaug", "train"])
def test_voc_takes_the_augmented_list_under_any_of_its_names(stem: str, tmp_path: Path) -> None:
    root = write_dataset("voc", tmp_path)
    lists = root / "ImageSets" / "Segmentation"
    (lists / "train_aug.txt").rename(lists / f"{stem}.txt")
    assert len(open_split("voc", root, "train")) == 3


def test_voc_prefers_the_augmented_masks_and_list(tmp_path: Path) -> None:
    root = write_dataset("voc", tmp_path)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("train_0\n")
    assert len(open_split("voc", root, "train")) == 3
    (root / "SegmentationClassAug").rename(root / "SegmentationClass")
    assert open_split("voc", root, "train").names == ("train_0",)


def test_grey_images_become_three_equal_channels(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path)
    grey = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE)
    Image.fromarray(grey).save(root / "train" / "train_0.png")
    image = open_split("camvid", root, "train").read(0).image
    np.testing.assert_array_equal(image, np.dstack([grey] * 3))


def test_fit_and_tune_part_train_by_name_alone(tmp_path: Path) -> None:
    root = write_dataset("voc", tmp_path, count=60)
    train, fit, tune = (open_split("voc", root, split).names for split in ("train", "fit", "tune"))
    assert set(fit) | set(tune) == set(train)
    assert not set(fit) & set(tune)
    assert tune == tuple(name for name in train if is_held_out(name))
    share = np.mean([is_held_out(f"image_{index}") for index in range(4000)])
    assert share == pytest.approx(0.1, abs=0.02)


def test_limit_spreads_evenly_over_the_list(tmp_path: Path) -> None:
    root = write_dataset("camvid", tmp_path, count=10)
    limited = open_split("camvid", root, "test", limit=4)
    assert limited.names == ("test_0", "test_2", "test_5", "test_7")
    assert len(open_split("camvid", root, "test", limit=99)) == 10


def test_real_camvid_has_its_official_counts_and_size(shared: Path) -> None:
    root = shared / "data" / "camvid"
    splits = [open_split("camvid", root, split) for split in ("train", "val", "test")]
    assert [len(split) for split in splits] == [367, 101, 233]
    sample = splits[2].read(0)
    assert sample.name == "0001TP_008550"
    assert sample.image.shape == (360, 480, 3)
    with Image.open(root / "testannot" / "0001TP_008550.png") as raw:
        values = np.asarray(raw)
    np.testing.assert_array_equal(sample.label, np.where(values == 11, 255, values))


def test_real_voc_masks_are_read_as_indices(shared: Path) -> None:
    root = shared / "data" / "VOC2012_sample"
    train, val = (open_split("voc", root, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (10, 5)
    found = train.read(train.names.index("2008_007586"))
    assert found.label.shape == found.image.shape[:2] == (375, 500)
    assert set(np.unique(found.label)) <= {0, 10, 15, 255}


def test_real_cityscapes_layout_maps_label_ids(shared: Path) -> None:
    root = shared / "data" / "cityscapes_layout_sample"
    split = open_split("cityscapes", root, "val")
    assert split.names == ("kitti_000003_000010", "kitti_000004_000010")
    raw = root / "gtFine" / "val" / "kitti" / "kitti_000003_000010_gtFine_labelIds.png"
    with Image.open(raw) as file:
        ids = np.asarray(file)
    label = split.read(0).label
    np.testing.assert_array_equal(label == 0, ids == 7)  # road
    np.testing.assert_array_equal(label == 13, ids == 26)  # car
    np.testing.assert_array_equal(label == 255, ~np.isin(ids, EVALUATED_IDS))


# Counted by hand: the pixels of every label id in the five files, added up a split, then looked up
# in the table of Cityscapes' labels.py. Ids 4 (static) and 9 (parking) have no train id.
SAMPLE_PIXELS = {
    "train": {
        "road": 339_592, "sidewalk": 78_807, "building": 297_022, "wall": 20_153, "fence": 21_064,
        "pole": 21_489, "traffic light": 5_653, "traffic sign": 6_112, "vegetation": 326_783,
        "terrain": 36_540, "sky": 45_998, "person": 1_903, "rider": 9_799, "car": 113_623,
        "truck": 994, "bus": 506, "train": 161, "motorcycle": 2_113, "bicycle": 16_258,
    },
    "val": {
        "road": 163_215, "sidewalk": 55_379, "building": 265_692, "wall": 0, "fence": 309,
        "pole": 17_572, "traffic light": 0, "traffic sign": 10_950, "vegetation": 141_561,
        "terrain": 18_516, "sky": 5_862, "person": 0, "rider": 4_755, "car": 161_271,
        "truck": 11_585, "bus": 0, "train": 0, "motorcycle": 708, "bicycle": 3_886,
    },
}  # fmt: skip
SAMPLE_IGNORED = {"train": 14_070, "val": 44_499}


def test_real_cityscapes_layout_has_the_histogram_counted_by_hand(
    shared: Path, tmp_path: Path
) -> None:
    root = shared / "data" / "cityscapes_layout_sample"
    manifest = read_manifest(prepare("cityscapes", root, tmp_path, subset=True))
    for split, images in (("train", 3), ("val", 2)):
        record = manifest.splits[split]
        assert record.pixels == SAMPLE_PIXELS[split]
        assert record.ignored_pixels == SAMPLE_IGNORED[split]
        assert sum(record.pixels.values()) + record.ignored_pixels == images * 370 * 1224
