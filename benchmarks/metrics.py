"""All metrics against plain mIoU by mmsegmentation: `python -m benchmarks.metrics --help`."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from harness import vision  # noqa: F401  mmseg imports torchvision
from harness.data.splits import open_split
from harness.metrics.areas import Measure
from harness.metrics.scores import scores
from harness.metrics.truth import Truth

REPEATS = 3


def best_time(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="camvid", help="name of the dataset")
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--split", default="test", help="split that was predicted")
    parser.add_argument("--predictions", type=Path, required=True, help="npz, as for `score`")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    split = open_split(args.dataset, args.root, args.split)
    with np.load(args.predictions, allow_pickle=False) as archive:
        maps = dict(
            zip([Path(name).stem for name in archive["names"]], archive["predictions"], strict=True)
        )
    triples = [
        (name, maps[name], split.read(index).label) for index, name in enumerate(split.names)
    ]
    classes = split.info.classes

    def all_metrics(truths: dict[str, Truth] | None) -> None:
        measure = Measure(classes, truths)
        for triple in triples:
            measure.add(*triple)
        scores(measure.finish(), measure.confusion, classes)

    def plain() -> None:
        from mmseg.evaluation.metrics import IoUMetric

        for _, prediction, label in triples:
            pair = torch.from_numpy(prediction), torch.from_numpy(label)
            IoUMetric.intersect_and_union(*pair, len(classes), 255)

    truths: dict[str, Truth] = {}
    all_metrics(truths)
    base = best_time(plain)
    print(f"{len(triples)} images, CPU seconds, best of {REPEATS}")
    print(f"mmsegmentation IoUMetric       {base:.2f}")
    for name, kept in (("all metrics", None), ("all metrics, kept truths", truths)):
        spent = best_time(lambda kept=kept: all_metrics(kept))
        print(f"{name:30} {spent:.2f}  x {spent / base:.2f}")


if __name__ == "__main__":
    main()
