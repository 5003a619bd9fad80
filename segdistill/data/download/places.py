"""Which files of a release are wanted, and where they lie in the prepared folder.

Publishers and mirrors wrap a dataset into folders of other names; a file is known by the end of
its path. What no reader needs (test images, polygons, instances, boxes) is left out.
"""

from pathlib import PurePosixPath

from segdistill.data.download.archive import Place
from segdistill.data.readers.cityscapes import IMAGE_SUFFIX, LABEL_SUFFIX

CAMVID_SPLITS = ("train", "val", "test")
CAMVID_FOLDERS = tuple(f"{split}{kind}" for split in CAMVID_SPLITS for kind in ("", "annot"))
CITYSCAPES_SUFFIXES = {"leftImg8bit": IMAGE_SUFFIX, "gtFine": LABEL_SUFFIX}
VOC_SUFFIXES = {"JPEGImages": ".jpg", "SegmentationClass": ".png", "SegmentationClassAug": ".png"}
VOC_LISTS = ("train.txt", "val.txt", "train_aug.txt", "trainaug.txt")
SBD = "sbd"  # folder of what only goes into the conversion


def camvid_place(path: PurePosixPath) -> PurePosixPath | None:
    """SPLIT.txt, SPLIT/NAME.png and SPLITannot/NAME.png."""
    if path.name in (f"{split}.txt" for split in CAMVID_SPLITS):
        return PurePosixPath(path.name)
    return _end(path, 2) if path.parent.name in CAMVID_FOLDERS and _is(path, ".png") else None


def cityscapes_place(path: PurePosixPath) -> PurePosixPath | None:
    """leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png."""
    end = _end(path, 4)
    folder, split = end.parts[:2] if len(end.parts) == 4 else ("", "")
    wanted = split in ("train", "val") and folder in CITYSCAPES_SUFFIXES
    return end if wanted and _is(path, CITYSCAPES_SUFFIXES[folder]) else None


def voc_place(path: PurePosixPath) -> PurePosixPath | None:
    """VOC's images, class masks and segmentation lists; SBD's masks and lists below sbd/."""
    folder = path.parent.name
    if folder in VOC_SUFFIXES:
        return _end(path, 2) if _is(path, VOC_SUFFIXES[folder]) else None
    if _end(path.parent, 2) == PurePosixPath("ImageSets/Segmentation"):
        return _end(path, 3) if path.name in VOC_LISTS else None
    if folder == "cls" and _is(path, ".mat"):
        return PurePosixPath(SBD) / _end(path, 2)
    if folder == "dataset" and path.name in ("train.txt", "val.txt"):
        return PurePosixPath(SBD) / path.name
    return None


PLACES: dict[str, Place] = {
    "camvid": camvid_place,
    "cityscapes": cityscapes_place,
    "voc": voc_place,
}


def _end(path: PurePosixPath, count: int) -> PurePosixPath:
    return PurePosixPath(*path.parts[-count:])


def _is(path: PurePosixPath, suffix: str) -> bool:
    """Files that begin with a dot are notes of an operating system, not data."""
    return path.name.endswith(suffix) and not path.name.startswith(".")
