"""A small but complete results folder of noise that knows its answers, for tests of the report."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from ruamel.yaml import YAML

from segdistill.data.catalogue import dataset_info
from segdistill.evaluation.areas import Measure
from segdistill.evaluation.scores import scores
from segdistill.records import Seconds
from segdistill.settings.schema import Experiment

SMOKE = Path(__file__).resolve().parents[1] / "experiments" / "smoke" / "params.yaml"
EXPERIMENT = "demo"
METHODS = ("student", "kd", "cwd", "pcd")
SIZE = (48, 64)  # H W
IMAGES = 6
STEPS = 60
ERRORS = {"teacher": 0.10, "student": 0.40, "kd": 0.36, "cwd": 0.30, "pcd": 0.295}
PAPERS = {"pcd": "B. Lee et al., Prune Channel and Distill, ICIP 2024", "student": ""}
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Tree:
    """A project folder with params.yaml, data and results."""

    root: Path
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]

    def experiment(self, **changes: Any) -> Experiment:
        """The settings of params.yaml, some of them changed."""
        params = json.loads((self.root / "params.yaml").read_text())
        return Experiment.model_validate({**params, **changes})

    @property
    def folder(self) -> Path:
        """results/EXPERIMENT."""
        return self.root / "results" / EXPERIMENT

    def run(self, dataset: str, method: str, seed: int = 0) -> Path:
        """The folder of a training."""
        if method == "teacher":
            return self.folder / "teachers" / dataset
        return self.folder / "runs" / dataset / method / f"seed{seed}"

    def evaluation(self, dataset: str, method: str, seed: int = 0) -> Path:
        """The folder of an evaluation."""
        folder = self.folder / "evals" / dataset / method
        return folder if method == "teacher" else folder / f"seed{seed}"

    def change(self, path: Path, **changes: Any) -> None:
        """Overwrite keys of a JSON file."""
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_tree(
    root: Path,
    datasets: tuple[str, ...] = ("camvid", "scenes_camvid"),
    methods: tuple[str, ...] = METHODS,
    seeds: tuple[int, ...] = (0, 1, 2),
    finished: bool = True,
) -> Tree:
    """Write a project below `root`; with `finished`, every cell has results."""
    tree = Tree(root, datasets, methods, seeds)
    _write_settings(tree)
    for dataset in datasets:
        labels = [_label(dataset, index) for index in range(IMAGES)]
        place = root / "data" / dataset
        _write_camvid(place if dataset_info(dataset).synthetic else place / "files", labels)
        if finished:
            _write_cell(tree, dataset, "teacher", 0, labels)
            for method in methods:
                for seed in seeds:
                    _write_cell(tree, dataset, method, seed, labels)
    return tree


def _write_settings(tree: Tree) -> None:
    grid = {"datasets": tree.datasets, "methods": tree.methods, "seeds": tree.seeds}
    statistics = {"resamples": 500, "confidence": 0.95, "seed": 0}
    smoke = YAML(typ="safe").load(SMOKE.read_text(encoding="utf-8"))
    block = next(iter(smoke["data"].values()))
    params = {
        **smoke,
        "experiment": EXPERIMENT,
        **grid,
        "statistics": statistics,
        "data": dict.fromkeys(tree.datasets, block),
        "options": {method: {} for method in tree.methods},
    }
    tree.root.mkdir(parents=True, exist_ok=True)
    (tree.root / "params.yaml").write_text(json.dumps(params))  # JSON is YAML


def _label(dataset: str, index: int) -> Labels:
    """Two bands, blocks of several sizes, and some ignored pixels."""
    draw = _draw(dataset, "label", index)
    label = np.zeros(SIZE, np.uint8)
    label[SIZE[0] // 2 :] = 3
    for edge in (14, 10, 6, 4, 2, 2):
        top, left = draw.integers(0, SIZE[0] - edge), draw.integers(0, SIZE[1] - edge)
        label[top : top + edge, left : left + edge] = draw.integers(1, 10)
    label[:2] = 255
    return label


def _prediction(label: Labels, dataset: str, method: str, seed: int, index: int) -> Labels:
    """The label with a method's share of pixels replaced at random."""
    draw = _draw(dataset, "prediction", seed, index)
    share = ERRORS.get(method, 0.4) + 0.004 * seed
    wrong = draw.random(label.shape) < share
    noise = draw.integers(0, 11, label.shape)
    return np.where(wrong | (label == 255), noise, label).astype(np.uint8)


def _write_camvid(place: Path, labels: list[Labels]) -> None:
    for split in ("train", "val", "test"):
        for folder in (split, f"{split}annot"):
            (place / folder).mkdir(parents=True)
        lines = []
        for index, label in enumerate(labels):
            name = f"{index:04d}.png"
            image = np.repeat(label[..., None] * 20, 3, axis=2).astype(np.uint8)
            Image.fromarray(image).save(place / split / name)
            stored = np.where(label == 255, 11, label).astype(np.uint8)
            Image.fromarray(stored).save(place / f"{split}annot" / name)
            base = "/SegNet/CamVid"
            lines.append(f"{base}/{split}/{name} {base}/{split}annot/{name}")
        (place / f"{split}.txt").write_text("\n".join(lines) + "\n")


def _write_cell(tree: Tree, dataset: str, method: str, seed: int, labels: list[Labels]) -> None:
    info = dataset_info(dataset)
    run, evaluation = tree.run(dataset, method, seed), tree.evaluation(dataset, method, seed)
    run.mkdir(parents=True)
    (evaluation / "pictures").mkdir(parents=True)
    measure = Measure(info.classes)
    for index, label in enumerate(labels):
        prediction = _prediction(label, dataset, method, seed, index)
        measure.add(f"{index:04d}", prediction, label)
        if index < 2:
            picture = Image.fromarray(prediction)
            picture.putpalette([channel for colour in info.palette for channel in colour])
            picture.save(evaluation / "pictures" / f"{index:04d}.png")
    areas = measure.finish()
    areas.save(evaluation / "areas.npz")
    common = {
        "schema": 1,
        "experiment": EXPERIMENT,
        "dataset": dataset,
        "method": method,
        "seed": seed,
        "synthetic": info.synthetic,
        "subset": False,
        "weights_sha256": _hash(dataset, method, seed),
    }
    record = {
        **common,
        "split": "test",
        "images": len(labels),
        "classes": info.classes,
        **scores(areas, measure.confusion, info.classes),
        "discriminability": 2.0 - 4 * ERRORS.get(method, 0.4) + 0.01 * seed,
        "cost": {
            "parameters": 12345 if method == "teacher" else 1234,
            "macs": 123456789,
            "latency_ms": 1.5,
            "latency_iqr_ms": 0.1,
            "peak_memory_bytes": 3 * 2**20,
        },
    }
    (evaluation / "scores.json").write_text(json.dumps(record))
    (run / "run.json").write_text(json.dumps({**common, **_run_facts(dataset, method, seed)}))
    (run / "log.jsonl").write_text(_log(dataset, method, seed))


def _run_facts(dataset: str, method: str, seed: int) -> dict[str, Any]:
    total = 6.0 + len(method)
    phases = [phase for phase in Seconds.model_fields if phase != "total"]
    network = {"decoder": "pspnet", "backbone": "resnet", "depth": 18, "width": 64}
    return {
        "kind": "teacher" if method == "teacher" else "student",
        "reconstructed": method == "pcd",
        "paper": PAPERS.get(method, f"Author, {method.upper()} & more, 2020"),
        "note": "A made-up run.",
        "config": {"student": network, "teacher": {**network, "depth": 101}},
        "fingerprint": _hash("fingerprint", dataset, method, seed)[:32],
        "code_digest": _hash("code", method),
        "manifest_sha256": _hash("manifest", dataset),
        "teacher_sha256": None if method == "teacher" else _hash(dataset, "teacher", 0),
        "initial_weights_sha256": _hash("initial", dataset, seed),
        "order_sha256": _hash("order", dataset, seed),
        "steps": STEPS,
        "seconds": {"total": total, **dict.fromkeys(phases, total / len(phases))},
        "parameters": 1234,
        "determinism": "exact",
        "environment": {"python": "3.11", "device": "cpu"},
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
    }


def _log(dataset: str, method: str, seed: int) -> str:
    draw, stream = _draw(dataset, "log", method, seed), io.StringIO()
    for step in range(0, STEPS, 2):
        loss = 2.4 * np.exp(-step / (30 + ERRORS.get(method, 0.4) * 40)) + 0.1 * draw.random()
        entry = {"step": step, "loss": 1.2 * loss, "cross_entropy": loss, "learning_rate": 0.01}
        stream.write(json.dumps(entry) + "\n")
    return stream.getvalue()


def _hash(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def _draw(*parts: object) -> np.random.Generator:
    return np.random.default_rng(int(_hash(*parts)[:16], 16))
