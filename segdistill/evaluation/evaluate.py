"""Scoring a finished network on a split: whole image, single scale, no flip."""

import io
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segdistill.data.opening import open_data
from segdistill.data.splits import Sample, Split
from segdistill.evaluation.areas import Measure
from segdistill.evaluation.cost import latency, macs, parameters
from segdistill.evaluation.discriminability import ClassScatter
from segdistill.evaluation.memory import peak_memory
from segdistill.evaluation.scores import scores
from segdistill.evaluation.truth import Truth
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import EMBEDDING, SegmentationNet, build
from segdistill.models.weights import load_weights
from segdistill.progress import progress
from segdistill.records import ScoreRecord, write_bytes, write_record
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig
from segdistill.settings.schema import Evaluation
from segdistill.training.determinism import set_determinism


@dataclass(frozen=True)
class Subject:
    """What is evaluated, as the record names it."""

    cell: Cell
    subset: bool
    weights_sha256: str


@torch.no_grad()
def predict(
    net: SegmentationNet, image: NDArray[np.uint8], device: torch.device
) -> tuple[Tensor, Tensor]:
    """The label map (H W, uint8) of one RGB image (H W 3, uint8), and head.embedding (1 C h w).

    Logits are resized to the image (bilinear, align_corners=False) before the arg max.
    """
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].to(device)
    output = net(normalise(batch), (EMBEDDING,))
    logits = output.logits.float()
    full = F.interpolate(logits, size=image.shape[:2], mode="bilinear", align_corners=False)
    return full[0].argmax(dim=0).to(torch.uint8), output.taps[EMBEDDING]


def evaluate_file(
    weights: Path,
    config: RunConfig,
    recipe: Evaluation,
    subject: Subject,
    folder: Path,
    device: torch.device,
    truths: MutableMapping[str, Truth] | None = None,
) -> ScoreRecord:
    """Score the network of `config` with the weights of a file, on the split the recipe reports.

    With the instruction cap all that decides a score, and so the root of its digest.
    """
    set_determinism("exact", recipe.threads)
    split = open_data(config.dataset, config.data, config.data.evaluate_split)
    net = build(config.student, len(split.info.classes))
    load_weights(weights, net)
    return evaluate(net, split, recipe, subject, folder, device, truths)


def evaluate(
    net: SegmentationNet,
    split: Split,
    recipe: Evaluation,
    subject: Subject,
    folder: Path,
    device: torch.device,
    truths: MutableMapping[str, Truth] | None = None,
) -> ScoreRecord:
    """Score `net` on `split`; writes scores.json, areas.npz, confusion.npy and pictures/.

    `truths` keeps what depends on the labels alone, for the next network on the same split.
    """
    cell = subject.cell
    net.auxiliary = None  # never run here, and no part of the network's cost
    net.to(device).eval()
    measure = Measure(split.info.classes, truths)
    scatter = ClassScatter(len(split.info.classes))
    pictured = _evenly_spread(len(split), recipe.pictures)
    sample: Sample | None = None
    with progress(f"evaluate {cell.dataset} {cell.method}", len(split)) as show:
        for index in range(len(split)):
            sample = split.read(index)
            labels, embedding = predict(net, sample.image, device)
            prediction = labels.cpu().numpy()
            measure.add(sample.name, prediction, sample.label)
            scatter.add(embedding, sample.label)
            if index in pictured:
                _save_picture(folder, sample.name, prediction, split)
            show(index + 1)
    assert sample is not None  # a split is never empty
    areas = measure.finish()
    cost = _cost(net, sample.image.shape[:2], recipe.latency_runs, device)
    values = scores(areas, measure.confusion, split.info.classes)
    record = ScoreRecord.model_validate(
        {
            "schema": 1,
            "experiment": cell.experiment,
            "dataset": cell.dataset,
            "method": cell.method,
            "seed": cell.seed,
            "subset": subject.subset,
            "weights_sha256": subject.weights_sha256,
            "split": split.split,
            "images": len(split),
            "synthetic": split.info.synthetic,
            "classes": split.info.classes,
            **values,
            "discriminability": scatter.ratio(),
            "cost": cost,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    areas.save(folder / "areas.npz")
    buffer = io.BytesIO()
    np.save(buffer, measure.confusion, allow_pickle=False)
    write_bytes(folder / "confusion.npy", buffer.getvalue())
    write_record(folder / "scores.json", record)
    return record


@torch.no_grad()
def _cost(
    net: SegmentationNet, size: tuple[int, ...], runs: int, device: torch.device
) -> dict[str, Any]:
    image = torch.zeros(1, 3, *size, device=device)
    median, spread = latency(net, image, runs) if runs else (None, None)
    return {
        "parameters": parameters(net),
        "macs": macs(net, image),
        "latency_ms": median,
        "latency_iqr_ms": spread,
        "peak_memory_bytes": peak_memory(net, image),
    }


def _evenly_spread(count: int, wanted: int) -> set[int]:
    return {index * count // wanted for index in range(min(wanted, count))}


def _save_picture(folder: Path, name: str, labels: NDArray[np.uint8], split: Split) -> None:
    picture = Image.fromarray(labels, mode="P")
    picture.putpalette([channel for colour in split.info.palette for channel in colour])
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    write_bytes(folder / "pictures" / f"{name.replace('/', '_')}.png", buffer.getvalue())
