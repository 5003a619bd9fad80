"""The drawn datasets: equal bits everywhere, every class in every split, fine structure."""

import io
import os
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdistill.data import scenes
from segdistill.data.catalogue import dataset_info, dataset_names
from segdistill.data.png import encode_png
from segdistill.data.scenes import COUNTS, draw_dataset, draw_scene
from segdistill.errors import SuiteError

DRAWN = tuple(name for name in dataset_names() if dataset_info(name).synthetic)
# sha256 over image and label of the first eight scenes of train: a change means that every
# recorded result on drawn scenes was made with other data.
GOLDEN = {
    "scenes_cityscapes": "3fab67fb11a42b14729805392181e5b87f73cafdc677d4b7d97bfda561a767fe",
    "scenes_voc": "4049e327bb59610f535c46937d4900336509d533c1646ee9a3e88f6ebc1a96c8",
    "scenes_camvid": "56f70df563c25d474577ed232c8bc04d2f5d634d222387c681fb935d35db100a",
}


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "COUNTS", {"train": 2, "val": 2, "test": 1})


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
def test_every_class_is_in_the_smallest_split_and_labels_are_legal(name: str) -> None:
    info = dataset_info(name)
    labels = [draw_scene(info, "val", index)[1] for index in range(COUNTS["val"])]
    pixels = np.bincount(np.concatenate([label.ravel() for label in labels]), minlength=256)
    classes = len(info.classes)
    assert pixels[classes:255].sum() == 0
    assert pixels[255] > 0
    assert (pixels[:classes] / pixels[:classes].sum()).min() > 0.004


def test_objects_have_ignored_borders() -> None:
    _, label = draw_scene(dataset_info("scenes_voc"), "train", 0)
    for first, second in ((label[1:], label[:-1]), (label[:, 1:], label[:, :-1])):
        touching = first != second
        assert ((first == 255) | (second == 255))[touching].all()


def test_streets_have_thin_poles_and_small_objects() -> None:
    info = dataset_info("scenes_cityscapes")
    pole, person = info.classes.index("pole"), info.classes.index("person")
    labels = [draw_scene(info, "train", index)[1] for index in range(20)]
    runs = np.concatenate([(label == pole).sum(axis=1) for label in labels])
    people = np.array([(label == person).sum() for label in labels])
    assert 0 < np.median(runs[runs > 0]) < 12
    assert 0 < np.median(people[people > 0]) / labels[0].size < 0.05


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


@pytest.mark.parametrize(
    ("step", "fault", "message"),
    [
        ("write_lists", full, "No space left on device"),
        # What every drawing process begins with.
        ("follow", os._exit, "drawn: not drawn, a drawing process was killed"),
    ],
)
def test_an_interrupted_drawing_leaves_the_old_one(
    step: str,
    fault: Callable[..., object],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few(monkeypatch)
    info, target = dataset_info("scenes_voc"), tmp_path / "drawn"
    draw_dataset(info, target)
    first = contents(target)
    monkeypatch.setattr(scenes, step, fault)
    with pytest.raises(SuiteError, match=message):
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
