"""The loader's samples are mmsegmentation's, and the tables say what was measured."""

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.bench.loader import (
    KEPT,
    OURS,
    PARTS,
    RIVAL,
    DecoderRow,
    LoaderRow,
    compare,
    measure_decoders,
    measure_loaders,
)
from harness.bench.loader_table import decoder_table, loader_table
from harness.bench.street import draw_streets
from harness.data.mmsegmentation import Packed
from harness.data.stream import Batch
from harness.errors import SuiteError

SIZE, CROP = (96, 192), (48, 96)


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("streets")
    draw_streets(root, 3, SIZE)
    return root


def test_every_sample_is_mmsegmentations(streets: Path) -> None:
    rows = measure_loaders(streets, SIZE, CROP, rounds=5)  # raises where a sample differs
    assert [row.name for row in rows] == [OURS, KEPT, RIVAL]
    assert all(row.seconds > 0 for row in rows)
    assert all(tuple(row.parts) == PARTS for row in rows)
    assert rows[1].parts["decode image"] == 0 < rows[0].parts["decode image"]
    assert rows[2].parts["read head"] == 0 < rows[2].parts["decode image"]


def test_every_decoder_is_timed(streets: Path) -> None:
    path = next(streets.glob("leftImg8bit/train/*/*.png"))
    rows = measure_decoders(path, repeats=1)
    assert len(rows) == 5
    assert all(row.seconds > 0 for row in rows)


def pair(levels: int = 0, labels: int = 0) -> tuple[Batch, Packed]:
    image = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    label = np.zeros((4, 4), np.int64)
    other = image.copy()
    other[0, 0, 0] += levels
    wrong = label.copy()
    wrong.flat[:labels] = 3
    batch = Batch(torch.from_numpy(image)[None], torch.from_numpy(label)[None])
    return batch, Packed(other[::-1], wrong)


def test_samples_may_differ_by_one_grey_level_and_in_no_label() -> None:
    compare(*pair(levels=1), "x")
    with pytest.raises(SuiteError, match=r"x: differs .* by 2 grey levels and in 0 labels"):
        compare(*pair(levels=2), "x")
    with pytest.raises(SuiteError, match="by 0 grey levels and in 3 labels"):
        compare(*pair(labels=3), "x")


def test_tables() -> None:
    parts = dict(zip(PARTS, (0.001, 0.02, 0.003, 0.004, 0.002), strict=True))
    rows = [LoaderRow(OURS, 0.04, parts), LoaderRow(RIVAL, 0.08, parts)]
    table = loader_table(rows, "title", ["on a machine"])
    shown = [entry.text for entry in table.rows[0]]
    assert shown == ["ours", "libvips", "25", "2", "40", "1", "20", "3", "4", "2"]
    assert table.values[0]["over_mmsegmentation"] == 2
    assert table.values[1]["scale_crop_flip_seconds"] == 0.004
    assert table.notes[-1] == "on a machine"
    decoders = decoder_table([DecoderRow("libvips", 0.0375)], [])
    assert [entry.text for entry in decoders.rows[0]] == ["libvips", "37.5"]
