"""A results folder that keeps every rule, for tests that break one at a time."""

import itertools
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results_tree import EXPERIMENT, IMAGES, STEPS, Tree, _label, _prediction, make_tree

from segdistill.check.published import find_targets
from segdistill.check.report import check
from segdistill.evaluation.iou import confusion_matrix
from segdistill.pipeline.cells import fingerprint_of

METHODS = ("student", "kd", "pcd")
SEEDS = (0, 1)
DATA = "camvid"


def make_published(root: Path) -> Tree:
    """Three methods with two seeds and a teacher, whose records hang together."""
    tree = make_tree(root, (DATA,), METHODS, SEEDS)
    for method, seed in [("teacher", 0), *itertools.product(METHODS, SEEDS)]:
        _complete(tree.run(DATA, method, seed), method, seed)
        confusion = _confusion(method, seed)
        np.save(tree.evaluation(DATA, method, seed) / "confusion.npy", confusion)
    return tree


def faults(folder: Path) -> list[str]:
    """What `segdistill check` finds different in a results folder."""
    (target,) = find_targets([folder])
    return [found.text for found in check(target) if found.is_fault]


def refingerprint(path: Path) -> None:
    """Give a run.json the fingerprint that its other fields make."""
    record = json.loads(path.read_text())
    names = "config", "code_digest", "manifest_sha256", "teacher_sha256", "pretrained_sha256"
    record["fingerprint"] = fingerprint_of(*(record.get(name) for name in names))
    path.write_text(json.dumps(record))


def _complete(run: Path, method: str, seed: int) -> None:
    path = run / "run.json"
    record = json.loads(path.read_text())
    record["config"] |= {"experiment": EXPERIMENT, "dataset": DATA, "method": method, "seed": seed,
                         "training": {"steps": STEPS}, "terms": []}  # fmt: skip
    record["environment"] |= {"platform": "test", "processor": "test", "cores": 2, "threads": 1,
                              "packages": {"torch": "2.0"}}  # fmt: skip
    path.write_text(json.dumps(record))
    refingerprint(path)
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": STEPS - 1, "loss": 1.0}) + "\n")


def _confusion(method: str, seed: int) -> NDArray[np.int64]:
    labels = [_label(DATA, index) for index in range(IMAGES)]
    found = [_prediction(label, DATA, method, seed, i) for i, label in enumerate(labels)]
    pairs = zip(found, labels, strict=True)
    return np.sum([confusion_matrix(image, label, 11) for image, label in pairs], axis=0)
