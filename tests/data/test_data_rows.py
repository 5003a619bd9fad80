"""Some rows of a file are the rows of the whole file, whatever decodes them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdistill.data.images import image_size, label_table, read_image, read_label, read_pair
from segdistill.data.rows import decode_rows
from segdistill.errors import SuiteError

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
IDENTITY = label_table({value: value for value in range(254)} | {255: 255})


def picture(mode: str) -> Image.Image:
    image = Image.fromarray(PIXELS)
    return image.quantize(20) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 40), slice(7, 23), slice(39, 40)])
@pytest.mark.parametrize(
    ("mode", "name", "options"),
    [
        ("RGB", "x.png", {}),
        ("L", "x.png", {}),
        ("P", "x.png", {}),
        ("RGB", "x.png", {"transparency": (1, 2, 3)}),  # a colour that is to be transparent
        ("L", "x.png", {"transparency": 5}),
        ("RGB", "x.png", {"dpi": (72, 72), "compress_level": 0}),
        ("RGB", "x.jpg", {}),
        ("L", "x.jpg", {}),
        ("RGB", "x.bmp", {}),
    ],
)
def test_rows_are_those_of_the_whole(
    mode: str, name: str, options: dict[str, object], rows: slice, tmp_path: Path
) -> None:
    path = tmp_path / name
    picture(mode).save(path, **options)  # type: ignore[arg-type]
    with Image.open(path) as opened:
        found = decode_rows(path, opened, rows)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(found, np.array(opened)[rows])


def test_low_bit_depths_are_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(PIXELS[:, :, 0] > 127).save(path)  # 1 bit
    whole = np.array(Image.open(path).convert("L"))
    with Image.open(path) as opened:
        np.testing.assert_array_equal(decode_rows(path, opened, slice(3, 9)) * 255, whole[3:9])


def test_pairs_and_single_files_agree(tmp_path: Path) -> None:
    image, label = tmp_path / "image.png", tmp_path / "label.png"
    picture("RGB").save(image)
    Image.fromarray(PIXELS[:, :, 0] // 2).save(label)
    rows = slice(5, 25)
    pair = read_pair(image, label, IDENTITY, rows)
    np.testing.assert_array_equal(pair[0], read_image(image)[rows])
    np.testing.assert_array_equal(pair[0], read_image(image, rows))
    np.testing.assert_array_equal(pair[1], read_label(label, IDENTITY)[rows])
    np.testing.assert_array_equal(pair[1], read_label(label, IDENTITY, rows))
    assert image_size(image) == (40, 30)


def test_a_wrong_label_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    label = np.zeros((40, 30), np.uint8)
    label[20, 7] = 99
    Image.fromarray(label).save(path)
    with pytest.raises(SuiteError, match="label 99 at row 20, column 7 is out of range"):
        read_label(path, label_table({0: 0}), slice(10, 30))
    assert not read_label(path, label_table({0: 0}), slice(21, 40)).any()
