"""Trainings of one data set and seed from their recipes to their results in a folder.

With the instruction cap all that decides a training's bits, and so the root of its digest.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from segdistill.data.opening import open_data
from segdistill.models.segmentor import SegmentationNet, build, freeze
from segdistill.models.weights import load_weights
from segdistill.settings.loading import RunConfig
from segdistill.settings.schema import Execution
from segdistill.stop import StopRequest
from segdistill.training.loop import TrainingJob, import_weights, train
from segdistill.training.process_group import SINGLE_PROCESS, ProcessGroup


def run(
    jobs: Sequence[TrainingJob],
    teacher_weights: Path,
    execution: Execution,
    device: torch.device,
    stop: StopRequest,
    group: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Train `jobs`, all of one data set, seed and recipe, or take a teacher in from a file.

    Args:
        jobs: What to train, and the folders for its results.
        teacher_weights: The file of the frozen teacher, read only if the recipe has one.
        execution: How the work is carried out; changes no bit.
        device: Where to train.
        stop: Looked at after every step.
        ranks: The processes that share the training; the first one writes.

    Raises:
        SuiteError: Data, teacher or backbone are missing or at fault, or a training came to NaN.
        Stopped: A stop was requested; all is saved.
    """
    config = jobs[0].config
    split = open_data(config.dataset, config.data, config.data.train_split)
    classes = len(split.info.classes)
    if config.source is not None:
        if group.leads:
            import_weights(jobs[0], config.source, classes)
        return
    teacher = _load_teacher(config, teacher_weights, classes, device)
    train(jobs, split, classes, teacher, execution, device, stop, group)


def _load_teacher(
    config: RunConfig, weights: Path, classes: int, device: torch.device
) -> SegmentationNet | None:
    if config.teacher is None:
        return None
    teacher = build(config.teacher, classes)
    load_weights(weights, teacher)
    return freeze(teacher).to(device)
