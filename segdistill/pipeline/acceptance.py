"""Taking in a network that others trained: converted, checked, scored, and only then written."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safetensors.torch import save

from segdistill.data.catalogue import dataset_info
from segdistill.data.opening import open_data
from segdistill.data.splits import Split
from segdistill.errors import SuiteError, did_you_mean
from segdistill.evaluation.evaluate import Subject, evaluate
from segdistill.models.checkpoints import read_checkpoint
from segdistill.models.conversion import Converted, convert, fit
from segdistill.models.segmentor import SegmentationNet, build
from segdistill.models.weights import save_weights
from segdistill.pipeline.worker import pick_device
from segdistill.records import file_hash, write_bytes, write_json
from segdistill.settings.cell import Cell
from segdistill.settings.loading import read_experiment
from segdistill.settings.schema import Evaluation, Experiment, Network

CLASSIFIER = "head.conv_seg.weight"
Role = Literal["teacher", "student"]


@dataclass(frozen=True)
class Request:
    """What is to be taken in, as what, and what it has to reach."""

    source: Path
    target: Path
    experiment: str
    role: Role
    dataset: str
    split: str | None = None  # None: the one that the experiment reports
    floor: float | None = None  # mIoU, fraction; a network below is refused
    score: bool = True


def accept(request: Request) -> list[str]:
    """Write `request.target` (safetensors) and a record beside it; returns what there is to tell.

    Nothing is written unless every tensor fits the experiment's network and, where the data are
    asked for, the score reaches the floor. Raises SuiteError otherwise.
    """
    experiment = read_experiment(request.experiment)
    network: Network = getattr(experiment.networks, request.role)
    converted = convert(read_checkpoint(request.source), request.source)
    record = {
        "schema": 1,
        "source": request.source.name,
        "source_sha256": file_hash(request.source),
        "origin": converted.origin,
        "experiment": request.experiment,
        "network": network.model_dump(mode="json"),
    }
    told = [f"{request.source}: {len(converted.tensors)} tensors by {converted.origin}'s names"]
    if not converted.segmentor:
        wanted = build(network, classes=3).backbone.state_dict()
        content = save(fit(converted.tensors, wanted, request.source))
        told.append("a backbone has no classes, so it was checked by its tensors alone, not scored")
        write_bytes(request.target, content)
    else:
        net = _network(converted, network, request)
        told += _scored(net, experiment, request, record) if request.score else ["not scored"]
        save_weights(request.target, net)
    record["sha256"] = file_hash(request.target)
    write_json(request.target.with_suffix(".json"), record)
    return [*told, f"{request.target} written, sha256 {record['sha256']}"]


def _network(converted: Converted, network: Network, request: Request) -> SegmentationNet:
    classes = dataset_info(request.dataset).classes
    head = converted.tensors.get(CLASSIFIER)
    if head is not None and len(head) != len(classes):
        raise SuiteError(
            f"{request.source}: tells {len(head)} classes apart, {request.dataset} has "
            f"{len(classes)}; it was trained on another dataset"
        )
    net = build(network, len(classes))
    net.auxiliary = None
    net.load_state_dict(fit(converted.tensors, net.state_dict(), request.source))
    return net


def _scored(
    net: SegmentationNet, experiment: Experiment, request: Request, record: dict[str, object]
) -> list[str]:
    if request.floor is None:
        raise SuiteError(
            f"{request.source}: what must it reach? Give --floor PERCENT, the mIoU below which it "
            "is refused, such as a point less than was published; or --no-evaluate"
        )
    split = _open(experiment, request)
    cell = Cell(request.experiment, request.dataset, request.role, 0)
    subject = Subject(cell, subset=False, weights_sha256=file_hash(request.source))
    with tempfile.TemporaryDirectory() as scratch:
        recipe = Evaluation(pictures=0, latency_runs=0, threads=experiment.evaluate.threads)
        found = evaluate(net, split, recipe, subject, Path(scratch), pick_device()).miou or 0.0
    shown = f"mIoU {100 * found:.2f} % on {len(split)} images of {request.dataset}/{split.split}"
    if found < request.floor:
        raise SuiteError(
            f"{request.source}: {shown}, below the floor of {100 * request.floor:g} %; not taken in"
        )
    record["score"] = {
        "dataset": request.dataset, "split": split.split, "images": len(split), "miou": found,
        "floor": request.floor,
    }  # fmt: skip
    return [f"{shown}, floor {100 * request.floor:g} %"]


def _open(experiment: Experiment, request: Request) -> Split:
    """The split to score on. Raises SuiteError saying what to do where the data are not there."""
    if request.dataset not in experiment.data:
        hint = did_you_mean(request.dataset, list(experiment.data))
        raise SuiteError(
            f"experiment {request.experiment}: data: no block {request.dataset!r}{hint}"
        )
    source = experiment.data[request.dataset]
    try:
        return open_data(request.dataset, source, request.split or source.evaluate_split)
    except SuiteError as error:
        raise SuiteError(f"{error}; or convert it unscored with --no-evaluate") from error
