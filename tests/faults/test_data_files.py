"""Damaged, missing and mislabelled files: each is refused with its name and the mend.

What `refused` checks twice: the reader raises, and the command that prepares the dataset ends with
status 2, the same message in one or two lines, and no manifest.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import refusal
from data_files import SIZE, write_dataset
from PIL import Image

from segdistill.data.images import read_image, read_label
from segdistill.data.splits import open_split
from segdistill.errors import SuiteError

IMAGE = {
    "cityscapes": "leftImg8bit/train/drawn/train_0_leftImg8bit.png",
    "voc": "JPEGImages/train_0.png",
    "camvid": "train/train_0.png",
}
LABEL = {
    "cityscapes": "gtFine/train/drawn/train_0_gtFine_labelIds.png",
    "voc": "SegmentationClassAug/train_0.png",
    "camvid": "trainannot/train_0.png",
}
NAMES = tuple(IMAGE)


def read_first(name: str, root: Path) -> None:
    open_split(name, root, "train").read(0)


def refused(name: str, root: Path, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        read_first(name, root)
    assert len(str(caught.value).splitlines()) <= 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"{name.upper()}_ROOT", str(root))
        found = refusal("data", name, "--subset", "--destination", root / "prepared")
    assert re.search(message, found), found
    assert not (root / "prepared").exists()


def save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("name", NAMES)
def test_missing_root_names_the_variable(name: str, tmp_path: Path) -> None:
    variable = f"{name.upper()}_ROOT"
    refused(name, tmp_path / "nowhere", rf"no such folder.*{variable}$")


def test_missing_drawing_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="not drawn yet; run `segdistill data scenes_voc`"):
        open_split("scenes_voc", tmp_path / "nowhere", "train")


@pytest.mark.parametrize("name", NAMES)
def test_unknown_split_lists_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="has no split 'trian'; it has train, val"):
        open_split(name, write_dataset(name, tmp_path), "trian")


@pytest.mark.parametrize("name", ["camvid", "scenes_voc"])
def test_a_set_with_a_test_split_holds_nothing_out(name: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no split 'tune'; it has train, val, test"):
        open_split(name, write_dataset(name, tmp_path), "tune")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9])
@pytest.mark.parametrize("files", [IMAGE, LABEL], ids=["image", "label"])
def test_truncated_file(name: str, kept: float, files: dict[str, str], tmp_path: Path) -> None:
    path = write_dataset(name, tmp_path) / files[name]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(name, tmp_path, f"{path.name}: cannot be decoded .*truncated or damaged")


def test_truncated_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    save(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(SuiteError, match=r"x\.jpg: cannot be decoded"):
        read_image(path)


def test_text_file_in_place_of_an_image(tmp_path: Path) -> None:
    path = write_dataset("camvid", tmp_path) / IMAGE["camvid"]
    path.write_text("<html>404 not found</html>")
    refused("camvid", tmp_path, "cannot be decoded")


def test_damaged_pixel_data(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    save(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))
    content = bytearray(path.read_bytes())
    content[600:640] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=r"x\.png: cannot be decoded"):
        read_image(path)


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("cityscapes", 34, "0..33"),
        ("cityscapes", 255, "0..33"),
        ("voc", 21, "0..20 and 255"),
        ("voc", 254, "0..20 and 255"),
        ("camvid", 12, "0..11"),
        ("camvid", 255, "0..11"),
    ],
)
def test_label_out_of_range(name: str, value: int, legal: str, tmp_path: Path) -> None:
    path = write_dataset(name, tmp_path) / LABEL[name]
    label = np.zeros(SIZE, np.uint8)
    label[3, 7] = value
    save(path, label)
    where = rf"{path.name}: label {value} at row 3, column 7 is out of range \(legal: {legal}\)"
    refused(name, tmp_path, where)


@pytest.mark.parametrize("name", NAMES)
def test_label_of_another_size(name: str, tmp_path: Path) -> None:
    path = write_dataset(name, tmp_path) / LABEL[name]
    save(path, np.zeros((SIZE[0], SIZE[1] + 1), np.uint8))
    refused(name, tmp_path, f"{path.name}: label is 25 x 20 but the image .* is 24 x 20")


@pytest.mark.parametrize(
    ("pixels", "mode"),
    [(np.zeros((*SIZE, 3), np.uint8), "RGB"), (np.zeros(SIZE, np.uint16), "I;16"),
     (np.zeros((*SIZE, 4), np.uint8), "RGBA"), (np.zeros(SIZE, bool), "1")],
)  # fmt: skip
def test_label_in_another_pixel_format(pixels: np.ndarray, mode: str, tmp_path: Path) -> None:
    save(write_dataset("voc", tmp_path) / LABEL["voc"], pixels)
    refused("voc", tmp_path, f"pixel format {mode}, expected L or P")


@pytest.mark.parametrize("mode", ["RGBA", "I;16", "LA"])
def test_image_in_another_pixel_format(mode: str, tmp_path: Path) -> None:
    path = write_dataset("voc", tmp_path) / IMAGE["voc"]
    Image.new(mode, (24, 20)).save(path)
    refused("voc", tmp_path, f"pixel format {mode}, expected RGB or L")


def test_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (9000, 8000)).save(path)
    with pytest.raises(SuiteError, match="9000 x 8000 pixels is too large"):
        read_image(path)


def test_missing_file_of_a_bare_read(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"x\.png: file is missing"):
        read_label(tmp_path / "x.png", np.zeros(256, np.uint8))


def test_a_folder_in_place_of_an_image(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="cannot be decoded"):
        read_image(tmp_path)


def empty_cityscapes(root: Path) -> None:
    shutil.rmtree(root / "leftImg8bit" / "train" / "drawn")
    shutil.rmtree(root / "gtFine" / "train" / "drawn")


def write_text(path: Path, text: str) -> None:
    path.write_text(text)


def write(path: str, text: str) -> Callable[[Path], None]:
    return lambda root: write_text(root / path, text)


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def drop(folder: str) -> Callable[[Path], None]:
    return lambda root: shutil.rmtree(root / folder)


VOC_LIST = "ImageSets/Segmentation/train_aug.txt"


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("cityscapes", empty_cityscapes, "split is empty"),
        ("voc", write(VOC_LIST, "\n"), r"train_aug\.txt: split is empty"),
        ("camvid", write("train.txt", ""), r"train\.txt: split is empty"),
        ("cityscapes", remove(LABEL["cityscapes"]),
         r"train_0_leftImg8bit\.png: unpaired, there is no train_0_gtFine_labelIds\.png"),
        ("cityscapes", remove(IMAGE["cityscapes"]),
         r"train_0_gtFine_labelIds\.png: unpaired, there is no train_0_leftImg8bit\.png"),
        ("voc", remove(LABEL["voc"]), "names 'train_0', but .*SegmentationClassAug.*is missing"),
        ("voc", remove(IMAGE["voc"]), r"names 'train_0', but .*train_0\.jpg is missing"),
        ("camvid", remove(LABEL["camvid"]), "names 'train_0', but .*trainannot.*is missing"),
        ("camvid", remove(IMAGE["camvid"]), r"names 'train_0', but .*train_0\.png is missing"),
        ("voc", write(VOC_LIST, "train_0\nnobody\n"), "names 'nobody', but"),
        ("voc", write(VOC_LIST, "train_0\ntrain_0\n"), "names 'train_0' more than once"),
        ("voc", write(VOC_LIST, "../train_0\n"), "is not the bare name of an image"),
        ("voc", write(VOC_LIST, "/JPEGImages/a.jpg /x/a.png\n"), "is not the bare name"),
        ("camvid", write("train.txt", "train/train_0.png\n"), "does not name an image and its"),
        ("camvid", write("train.txt", "a/b.png a/b.png a/b.png\n"), "does not name an image and"),
        ("camvid", write("train.txt", "train_0.png train_0.png\n"), "not of the form FOLDER/NAME"),
        ("camvid", write("train.txt", "../train_0.png ../train_0.png\n"), "not of the form"),
        ("camvid", write("train.txt", "/SegNet/train/train_0.png /SegNet/trainannot/train_1.png"),
         "pairs an image with another image's label"),
        ("camvid", write("train.txt", "\ntrain/train_0.png trainannot/train_0.png\n" * 2),
         "names 'train_0' more than once"),
        ("camvid", remove("train.txt"), r"train\.txt: cannot read this list"),
        ("voc", remove(VOC_LIST), r"holds no train_aug\.txt or trainaug\.txt or train\.txt"),
        ("voc", drop("SegmentationClassAug"), "holds no SegmentationClassAug or Segmentation"),
        ("cityscapes", drop("gtFine"), "gtFine/train: no such folder; unpack"),
        ("cityscapes", drop("leftImg8bit/train"), "leftImg8bit/train: no such folder"),
    ],
)  # fmt: skip
def test_broken_layout(
    name: str, damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    damage(write_dataset(name, tmp_path))
    refused(name, tmp_path, message)


def test_list_that_is_no_text(tmp_path: Path) -> None:
    (write_dataset("camvid", tmp_path) / "train.txt").write_bytes(b"\xff\xfe\x00\x80")
    refused("camvid", tmp_path, r"train\.txt: cannot read this list of images")


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_that_leaves_nothing(limit: int, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=f"a limit of {limit} images leaves nothing"):
        open_split("camvid", write_dataset("camvid", tmp_path), "train", limit)
