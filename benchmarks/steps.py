"""A training step of every method of an experiment, on random images and weights."""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from benchmarks.inputs import random_labels
from benchmarks.measure import Work
from segdistill.data.catalogue import dataset_info
from segdistill.distill import load, method_names
from segdistill.distill.adversary import AdversarialDistiller
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import SegmentationNet, build, freeze
from segdistill.settings.cell import Cell
from segdistill.settings.loading import RunConfig, Term, read_experiment, run_config
from segdistill.settings.schema import Network
from segdistill.training.determinism import set_determinism
from segdistill.training.loop import teach
from segdistill.training.student_trainer import StudentTrainer

NO_ADVERSARY = ", no adversary"


class Setting(NamedTuple):
    """What the steps of all methods have in common."""

    teacher: SegmentationNet
    images: Tensor  # N 3 H W, uint8
    labels: Tensor  # N H W
    device: torch.device


def methods(options: pytest.Config) -> dict[str, RunConfig]:
    """Every method with its defaults, those with an adversary once more without it: in the
    experiment's training, with what the options change of it.
    """
    name: str = options.getoption("experiment")
    config = run_config(Cell(name, read_experiment(name).datasets[0], "student", 0))
    given = {key: options.getoption(key) for key in ("crop", "precision", "determinism")}
    update = {"steps": 10**6, **{key: value for key, value in given.items() if value}}
    if given["precision"]:
        update["teacher_precision"] = given["precision"]
    data = config.data.model_copy(update={"crop": update.pop("crop", config.data.crop)})
    training = config.training.model_copy(update=update)
    config = replace(config, data=data, training=training, student=_untrained(config.student))
    terms = {method: Term(method, {}) for method in method_names()}
    for method in method_names():
        if issubclass(load(method), AdversarialDistiller):
            terms[method + NO_ADVERSARY] = Term(method, {"holistic_weight": 0.0})
    return {method: replace(config, terms=(term,)) for method, term in terms.items()}


def open_setting(config: RunConfig, device: torch.device) -> Setting:
    """The teacher and a batch of `config`'s size and crop; sets determinism, one thread."""
    assert config.teacher is not None
    set_determinism(config.training.determinism, threads=1)
    count, crop = config.training.batch, config.data.crop
    classes = len(dataset_info(config.dataset).classes)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, *crop), generator=generator, dtype=torch.uint8)
    labels = random_labels(count, classes, crop, generator)
    if device.type == "cuda":  # as the loader gives it
        images, labels = images.pin_memory(), labels.pin_memory()
    teacher = freeze(build(_untrained(config.teacher), classes)).to(device)
    return Setting(teacher, images, labels, device)


def open_trainers(config: RunConfig, setting: Setting) -> tuple[StudentTrainer, StudentTrainer]:
    """A student with its method and a plain one, the floor's, of fresh weights."""
    teacher, plain = setting.teacher, replace(config, terms=(Term("student", {}),))
    own, floor = (
        StudentTrainer(each, teacher.classes, teacher.spec(), setting.device)
        for each in (config, plain)
    )
    return own, floor


def step_of(trainer: StudentTrainer, setting: Setting, taught: bool) -> Work:
    """A call is one step, from bytes to new weights; `taught`: with a forward of the teacher."""
    taps = sorted(trainer.teacher_taps())
    precision = trainer.config.training.teacher_precision

    def step() -> None:
        images = normalise(setting.images.to(setting.device, non_blocking=True))
        labels = setting.labels.to(setting.device, non_blocking=True)
        output = teach(setting.teacher, images, taps, precision) if taught else None
        trainer.training_step(images, labels, output)

    return step


def _untrained(network: Network) -> Network:
    """Without pretrained weights: they change no time, and may not be at hand."""
    return network.model_copy(update={"pretrained": None})
