"""The drawn datasets: equal bits everywhere, every class in every split, fine structure."""

import io
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.data.draws import draws
from segdistill.data.png import encode_png
from segdistill.data.scenes import dataset, shapes, textures
from segdistill.data.scenes.canvas import Canvas, Dice, Look, Shape
from segdistill.data.scenes.dataset import COUNTS, draw_dataset, draw_scene
from segdistill.errors import SuiteError
from segdistill.evaluation.small_objects import BINS, components

DRAWN = tuple(name for name in dataset_names() if dataset_info(name).synthetic)
SIZES = {"cityscapes": (128, 192), "voc": (144, 144), "camvid": (128, 192)}  # height, width
# sha256 over image and label of the first eight scenes of train: a change means that every
# recorded result on drawn scenes was made with other data.
GOLDEN = {
    "scenes_cityscapes": "ba94af26cfc0b5fefca048f500f7d09ca927db52ed3648200a8531064be55058",
    "scenes_voc": "3bd25068900e3ebe7ba46a7236967d28e99de9f8be2703a7cb854e1f30f54281",
    "scenes_camvid": "dee28300c585e71803559d27b2f8e0fab5bcb968c724d1776d3e46dee5227b76",
}


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "COUNTS", {"train": 2, "val": 2, "test": 1})


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", DRAWN)
def test_scenes_are_the_pinned_ones(name: str) -> None:
    digest = sha256()
    for index in range(8):
        image, label = draw_scene(dataset_info(name), "train", index)
        digest.update(image.tobytes())
        digest.update(label.tobytes())
    assert digest.hexdigest() == GOLDEN[name]


@pytest.mark.parametrize("name", DRAWN)
def test_a_scene_depends_on_its_place_alone(name: str) -> None:
    info = dataset_info(name)
    first = draw_scene(info, "val", 5)
    draw_scene(info, "val", 4)
    again, other, elsewhere = (
        draw_scene(info, split, index) for split, index in (("val", 5), ("val", 6), ("test", 5))
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], elsewhere[0])


@pytest.mark.parametrize("name", DRAWN)
def test_every_class_is_in_every_split_and_labels_are_legal(name: str) -> None:
    info = dataset_info(name)
    for split in info.splits:
        scenes = [draw_scene(info, split, index) for index in range(COUNTS["val"])]
        assert {image.shape for image, _ in scenes} == {(*SIZES[info.layout], 3)}
        labels = np.stack([label for _, label in scenes])
        assert labels.shape[1:] == SIZES[info.layout]
        pixels = np.bincount(labels.ravel(), minlength=256)
        classes = len(info.classes)
        assert pixels[classes:255].sum() == 0
        assert pixels[255] > 0  # as in every release; a split without any is refused
        assert (pixels[:classes] / pixels[:classes].sum()).min() > 0.003


def test_objects_have_ignored_borders() -> None:
    _, label = draw_scene(dataset_info("scenes_voc"), "train", 0)
    for first, second in ((label[1:], label[:-1]), (label[:, 1:], label[:, :-1])):
        touching = first != second
        assert ((first == 255) | (second == 255))[touching].all()


def test_poles_are_thin_and_long() -> None:
    info = dataset_info("scenes_cityscapes")
    pole = info.classes.index("pole")
    masks = [draw_scene(info, "train", index)[1] == pole for index in range(20)]
    widths, heights = (np.concatenate([mask.sum(axis=a) for mask in masks]) for a in (1, 0))
    assert 1 <= np.median(widths[widths > 0]) <= 16  # of all poles in a row of pixels
    assert np.median(heights[heights > 0]) >= 20


@pytest.mark.parametrize("name", DRAWN)
def test_many_objects_are_small(name: str) -> None:
    info = dataset_info(name)
    labels = [draw_scene(info, "test", index)[1] for index in range(40)]
    found = [components(label) for label in labels]
    counts = np.bincount(np.concatenate([parts.bins for parts in found]), minlength=len(BINS))
    assert (counts / counts.sum()).min() > 0.05
    assert counts.min() >= 10


def painted(shape: Shape, x: float, foot: float, width: float, height: float) -> Canvas:
    canvas = Canvas(40, 60, Dice(draws(0, "test", 0)))
    canvas.paint(Look(shape, width, height, (100, 100, 100), textures.plain), 3, x, foot, 1.0)
    return canvas


@pytest.mark.parametrize(
    ("x", "foot", "rows", "columns"),
    [
        (30, 30, (20, 30), (26, 34)),
        (0, 30, (20, 30), (0, 4)),  # cut off at the left
        (60, 45, (35, 40), (56, 60)),  # and at the lower right
        (30, -1, (0, 0), (0, 0)),  # above the image
        (99, 30, (0, 0), (0, 0)),  # beside it
    ],
)
def test_a_box_fills_its_pixels_and_no_other(
    x: float, foot: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    canvas = painted(shapes.BOX, x, foot, 8, 10)
    expected = np.zeros((40, 60), bool)
    expected[slice(*rows), slice(*columns)] = True
    np.testing.assert_array_equal(canvas.label == 3, expected)
    np.testing.assert_array_equal(canvas.label == 255, ~expected)
    np.testing.assert_array_equal(canvas.image.any(axis=2), expected)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (shapes.DISC, np.pi / 4),
        (shapes.disc(0, 0.5, 1, 0.5, hole=0.6), np.pi / 4 * (1 - 0.36)),
        (shapes.taper(1, 0), 0.5),
        (shapes.taper(0.8, 0.4, foot=0.25, top=0.75), 0.5 * 0.6),
        (shapes.union(shapes.box(-1, 0.5), shapes.box(0, 1, 0.5)), 0.75 + 0.125),
    ],
)
def test_shapes_cover_their_area(shape: Shape, area: float) -> None:
    rows, columns = (np.arange(400) + 0.5) / 400, (np.arange(400) - 199.5) / 200
    assert shape(columns[None, :], rows[:, None]).mean() == pytest.approx(area, abs=0.01)


@pytest.mark.parametrize("name", DRAWN)
def test_colour_alone_leaves_half_of_the_iou(name: str) -> None:
    # The best guess from a pixel's colour, learned on one half of the images.
    info = dataset_info(name)
    classes = len(info.classes)
    votes = np.zeros((16**3, classes))
    confusion = np.zeros((classes, classes))
    for index in range(40):
        image, label = draw_scene(info, "train", index)
        valid = label != 255
        colour = (image[valid] // 16).astype(int) @ [256, 16, 1]
        if index < 20:
            np.add.at(votes, (colour, label[valid]), 1)
        else:
            np.add.at(confusion, (label[valid], votes[colour].argmax(axis=1)), 1)
    both = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - both
    assert np.mean(both / union) < 0.5


@pytest.mark.parametrize("name", DRAWN)
def test_drawing_twice_changes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    target = tmp_path / name
    draw_dataset(dataset_info(name), target)
    first = contents(target)
    times = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    draw_dataset(dataset_info(name), target)
    assert contents(target) == first
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == times
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_damaged_or_missing_file_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    info, target = dataset_info("scenes_camvid"), tmp_path / "drawn"
    draw_dataset(info, target)
    first = contents(target)
    images = sorted((target / "train").iterdir())
    images[0].unlink()
    images[1].write_bytes(b"")
    draw_dataset(info, target)
    assert contents(target) == first


def test_a_folder_with_strange_files_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    stranger = tmp_path / "drawn" / "train" / "holiday.png"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"precious")
    with pytest.raises(SuiteError, match=r"holiday\.png: is no drawn scene, so .* not replaced"):
        draw_dataset(dataset_info("scenes_camvid"), tmp_path / "drawn")
    assert contents(tmp_path) == {"drawn/train/holiday.png": b"precious"}


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_interrupted_drawing_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch)
    info, target = dataset_info("scenes_voc"), tmp_path / "drawn"
    draw_dataset(info, target)
    first = contents(target)
    monkeypatch.setattr(dataset, "write_lists", full)
    with pytest.raises(SuiteError, match="No space left on device"):
        draw_dataset(info, target)
    assert contents(tmp_path / "drawn") == first
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (300, 7, 3), (200, 200, 3)])
def test_png_reads_back_and_is_stored(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    content = encode_png(pixels)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
    start = content.index(b"IDAT") + 4
    assert len(zlib.decompress(content[start : content.rindex(b"IEND") - 8])) == (
        pixels.size + shape[0]
    )


def test_png_with_a_palette_keeps_indices_and_colours() -> None:
    palette = np.random.default_rng(1).integers(0, 256, (256, 3)).astype(np.uint8)
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    with Image.open(io.BytesIO(encode_png(pixels, palette))) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), pixels)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), palette[pixels])
