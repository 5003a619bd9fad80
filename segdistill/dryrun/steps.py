"""One training step of every method at the profile's full widths, on a crop of a few pixels."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from segdistill.data.catalogue import dataset_info
from segdistill.errors import SuiteError
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import SegmentationNet, build, freeze
from segdistill.settings.loading import student_run
from segdistill.settings.schema import Network, Profile
from segdistill.training.determinism import set_determinism, tensors_hash
from segdistill.training.loop import teach
from segdistill.training.student_trainer import StudentTrainer

CROP = (64, 64)  # pixels; at output stride 8 the maps are 8x8, the least that every method takes
BATCH = 2
AREA = 16  # pixels per side of an area of one label


class Setting(NamedTuple):
    """What every method's step has in common."""

    teacher: SegmentationNet
    images: Tensor  # N 3 H W, uint8
    labels: Tensor  # N H W


class Stepped(NamedTuple):
    """What one step gave."""

    method: str
    terms: dict[str, float]
    seconds: float
    faults: tuple[str, ...]

    @property
    def line(self) -> str:
        """One line to print."""
        loss = self.terms.get("loss", math.nan)
        own = [n for n in self.terms if "/" in n and not n.startswith("gradient/")]
        names = ", ".join(own) or "no terms of its own"
        state = "; ".join(self.faults) or "weights moved, every term finite"
        return f"{self.method:12} loss {loss:.4g} ({names}), {self.seconds:.1f} s: {state}"


def step_methods(name: str, profile: Profile, dataset: str) -> Iterator[Stepped]:
    """One step of every method of the profile's grid, on random images and weights."""
    setting = open_setting(profile, dataset)
    for method in profile.grid.methods:
        yield step(name, dataset, method, setting)


def open_setting(profile: Profile, dataset: str) -> Setting:
    """The profile's teacher, of random weights, and a small batch of noise; sets determinism."""
    set_determinism(profile.train.determinism, torch.get_num_threads())
    classes = len(dataset_info(dataset).classes)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (BATCH, 3, *CROP), generator=generator, dtype=torch.uint8)
    areas = torch.randint(classes, (BATCH, CROP[0] // AREA, CROP[1] // AREA), generator=generator)
    labels = areas.repeat_interleave(AREA, dim=1).repeat_interleave(AREA, dim=2)
    return Setting(freeze(build(_untrained(profile.networks.teacher), classes)), images, labels)


def step(name: str, dataset: str, method: str, setting: Setting) -> Stepped:
    """One step of `method`; what goes wrong in it is a fault, not an end."""
    config = student_run(name, dataset, method, 0)
    training = config.training.model_copy(update={"batch": BATCH, "devices": 1, "accumulate": 1})
    start = time.perf_counter()
    try:
        config = replace(config, student=_untrained(config.student), training=training)
        teacher = setting.teacher
        trainer = StudentTrainer(config, teacher.classes, teacher.spec(), torch.device("cpu"))
        before = tensors_hash(dict(trainer.net.named_parameters()))
        images = normalise(setting.images)
        taps = sorted(trainer.teacher_taps())
        output = teach(teacher, images, taps, training.teacher_precision)
        found = trainer.training_step(images, setting.labels, output)
    except (SuiteError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        return Stepped(method, {}, time.perf_counter() - start, (reason,))
    terms = {term: float(value) for term, value in found.items()}
    faults = [f"{term} is {value}" for term, value in terms.items() if not math.isfinite(value)]
    if tensors_hash(dict(trainer.net.named_parameters())) == before:
        faults.append("the weights did not move")
    return Stepped(method, terms, time.perf_counter() - start, tuple(faults))


def _untrained(network: Network) -> Network:
    """The network without pretrained weights, which may not be at hand."""
    return network.model_copy(update={"pretrained": None})
