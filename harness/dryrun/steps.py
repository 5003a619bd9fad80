"""One training step of every method at the profile's full widths, on a crop of a few pixels."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch

from harness.bench.steps import Setting, open_learner, open_setting
from harness.config import student_run
from harness.determinism import tensors_hash
from harness.errors import SuiteError
from harness.normalise import normalise
from harness.recipe import Profile
from harness.trainer import teach

CROP = (64, 64)  # pixels; at output stride 8 the maps are 8x8, the least that every method takes
BATCH = 2


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
    setting = open_setting(_tiny(profile, dataset), dataset)
    for method in profile.grid.methods:
        yield step(name, dataset, method, setting)


def step(name: str, dataset: str, method: str, setting: Setting) -> Stepped:
    """One step of `method`; what goes wrong in it is a fault, not an end."""
    config = student_run(name, dataset, method, 0)
    training = config.training.model_copy(update={"batch": BATCH, "devices": 1, "accumulate": 1})
    start = time.perf_counter()
    try:
        learner = open_learner(replace(config, training=training), setting)
        before = tensors_hash(dict(learner.net.named_parameters()))
        images = normalise(setting.batch.images)
        taps = sorted(learner.teacher_taps())
        output = teach(setting.teacher, images, taps, training.teacher_precision)
        found = learner.advance(images, setting.batch.labels, output)
    except (SuiteError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        return Stepped(method, {}, time.perf_counter() - start, (reason,))
    terms = {term: float(value) for term, value in found.items()}
    faults = [f"{term} is {value}" for term, value in terms.items() if not math.isfinite(value)]
    if tensors_hash(dict(learner.net.named_parameters())) == before:
        faults.append("the weights did not move")
    return Stepped(method, terms, time.perf_counter() - start, tuple(faults))


def _tiny(profile: Profile, dataset: str) -> Profile:
    data = profile.data | {dataset: profile.data[dataset].model_copy(update={"crop": CROP})}
    train = profile.train.model_copy(
        update={"batch": BATCH, "devices": 1, "accumulate": 1, "threads": torch.get_num_threads()}
    )
    return profile.model_copy(update={"data": data, "train": train})
