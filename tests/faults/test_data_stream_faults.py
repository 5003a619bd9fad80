"""Settings of the stream that make no sense, and faults that surface in a worker."""

from pathlib import Path
from typing import Any

import pytest
from data_files import write_dataset
from PIL import Image

from segdistill.data.augmentation import Augmentation
from segdistill.data.splits import open_split
from segdistill.data.stream import batches
from segdistill.errors import SuiteError


@pytest.mark.parametrize(
    "fields",
    [
        {"crop": (0, 8)},
        {"crop": (8, -1)},
        {"crop": (8, 8), "scale": (0.0, 1.0)},
        {"crop": (8, 8), "scale": (2.0, 0.5)},
        {"crop": (8, 8), "flip": 1.5},
        {"crop": (8, 8), "flip": -0.1},
    ],
)
def test_impossible_augmentation(fields: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=r"needs crop >= 1, 0 < low scale <= high, flip in"):
        Augmentation(**fields)


@pytest.mark.parametrize(
    ("batch", "rank", "world"), [(8, 0, 3), (0, 0, 1), (4, 2, 2), (4, -1, 2), (1, 0, 2)]
)
def test_ranks_that_do_not_divide_the_batch(
    batch: int, rank: int, world: int, tmp_path: Path
) -> None:
    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    with pytest.raises(SuiteError, match=f"batch size {batch} on rank {rank} of {world}"):
        batches(split, Augmentation((8, 8)), 0, batch, 0, 1, rank=rank, world=world)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", [False, True])
def test_a_broken_file_stops_the_stream_by_name(workers: int, cache: bool, tmp_path: Path) -> None:
    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    split.pairs[1].image_path.write_bytes(b"no image")
    stream = batches(split, Augmentation((8, 8)), 0, 3, 0, 4, workers=workers, cache=cache)
    with pytest.raises(SuiteError, match=r"train_1\.png: cannot be decoded"):
        list(stream)


def _damaged_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_damage_counts_where_a_crop_reads(tmp_path: Path) -> None:
    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    _damaged_in_the_middle(split.pairs[0].image_path)
    whole = split.read(1, slice(0, 20))
    assert whole.image.shape == (20, 24, 3)
    with pytest.raises(SuiteError, match=r"train_0\.png: cannot be decoded \(.*read error\)"):
        split.read(0, slice(0, 20))
    with pytest.raises(SuiteError, match=r"train_0\.png: cannot be decoded"):
        split.read(0)


def test_sizes_are_compared_though_only_rows_are_read(tmp_path: Path) -> None:
    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    Image.new("L", (24, 10)).save(split.pairs[0].label_path)
    with pytest.raises(SuiteError, match=r"label is 24 x 10 but the image train_0.png is 24 x 20"):
        split.read(0, slice(2, 5))


def test_leaving_a_stream_early_ends_its_workers(tmp_path: Path) -> None:
    import threading

    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    stream = batches(split, Augmentation((8, 8)), 0, 3, 0, 1000, workers=2)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("data_")]
