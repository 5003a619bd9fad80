"""All metrics of an evaluation against mmsegmentation's plain mIoU on the same label maps."""

import time
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from benchmarks.conftest import Record
from benchmarks.inputs import photograph
from benchmarks.measure import in_turns
from benchmarks.tables import Table
from segdistill.data.catalogue import dataset_info
from segdistill.evaluation.areas import Measure
from segdistill.evaluation.scores import scores
from segdistill.evaluation.truth import Truth
from segdistill.models import vision  # noqa: F401  mmseg imports torchvision

CLASSES = dataset_info("camvid").classes
SIZE, IMAGES, SHIFT = (360, 480), 16, 3
NOTE = (
    f"Processor time of {IMAGES} random label maps of 360x480, {len(CLASSES)} classes, predicted "
    f"{SHIFT} pixels aside; best of five. kept truths: what follows from the labels alone is kept "
    "between networks."
)
TABLE = Table("metrics", "Cost of the metrics", (NOTE,))
pytestmark = pytest.mark.benchmark(timer=time.process_time)


def test_metrics(benchmark: Any, record: Record) -> None:
    from mmseg.evaluation.metrics import IoUMetric

    cv2.setNumThreads(1)
    labels = [photograph(len(CLASSES), SIZE, seed)[1].numpy() for seed in range(IMAGES)]
    pairs = [(np.roll(label, SHIFT, axis=1), label) for label in labels]
    truths: dict[str, Truth] = {}

    def all_metrics(kept: dict[str, Truth] | None) -> None:
        measure = Measure(CLASSES, kept)
        for number, (prediction, label) in enumerate(pairs):
            measure.add(str(number), prediction, label)
        scores(measure.finish(), measure.confusion, CLASSES)

    def plain() -> None:
        for pair in pairs:
            IoUMetric.intersect_and_union(*map(torch.from_numpy, pair), len(CLASSES), 255)

    names = ("all metrics", "all metrics, kept truths", "mmsegmentation's IoUMetric")
    seconds = in_turns(benchmark, lambda: all_metrics(None), lambda: all_metrics(truths), plain)
    for name, spent in zip(names, seconds, strict=True):
        each, ratio = 1e3 * spent / IMAGES, spent / seconds[-1]
        record(TABLE, {"metrics": name, "ms an image": each, "ratio": ratio})
