"""Writing drawn scenes in the folders and label ids of the three datasets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.data.catalogue import IGNORE, DatasetInfo
from segdistill.data.png import write_png
from segdistill.data.readers import camvid, cityscapes

_CITY = "drawn"


def write_scene(
    info: DatasetInfo, root: Path, split: str, name: str,
    image: NDArray[np.uint8], label: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Write one image (H W 3 RGB) and its label map (H W train ids) below `root`."""
    if info.layout == "cityscapes":
        ids = np.zeros(256, np.uint8)
        ids[: len(cityscapes.EVALUATED_IDS)] = cityscapes.EVALUATED_IDS
        tail = Path(split) / _CITY / name
        write_png(root / "leftImg8bit" / f"{tail}{cityscapes.IMAGE_SUFFIX}", image)
        write_png(root / "gtFine" / f"{tail}{cityscapes.LABEL_SUFFIX}", ids[label])
    elif info.layout == "camvid":
        write_png(root / split / f"{name}.png", image)
        void = np.where(label == IGNORE, np.uint8(camvid.VOID), label)
        write_png(root / f"{split}annot" / f"{name}.png", void)
    else:
        write_png(root / "JPEGImages" / f"{name}.png", image)
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(info.palette)] = info.palette
        palette[IGNORE] = (224, 224, 192)  # VOC's colour of borders
        write_png(root / "SegmentationClassAug" / f"{name}.png", label, palette)


def write_lists(info: DatasetInfo, root: Path, split: str, names: Sequence[str]) -> None:
    """Write the list of a split, where the layout has one."""
    if info.layout == "camvid":
        prefix = f"/SegNet/CamVid/{split}"
        lines = [f"{prefix}/{name}.png {prefix}annot/{name}.png" for name in names]
        (root / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif info.layout == "voc":
        stem = "train_aug" if split == "train" else split
        path = root / "ImageSets" / "Segmentation" / f"{stem}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names) + "\n", encoding="utf-8")
