"""Settings of the stream that make no sense, and faults that surface in a worker."""

from pathlib import Path
from typing import Any

import pytest
from data_files import write_dataset

from harness.data.augmentation import Augmentation
from harness.data.splits import open_split
from harness.data.stream import batches
from harness.errors import SuiteError


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
    split.pairs[1].image.write_bytes(b"no image")
    stream = batches(split, Augmentation((8, 8)), 0, 3, 0, 4, workers=workers, cache=cache)
    with pytest.raises(SuiteError, match=r"train_1\.png: cannot be decoded"):
        list(stream)


def test_leaving_a_stream_early_ends_its_workers(tmp_path: Path) -> None:
    import threading

    split = open_split("camvid", write_dataset("camvid", tmp_path), "train")
    stream = batches(split, Augmentation((8, 8)), 0, 3, 0, 1000, workers=2)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("data_")]
