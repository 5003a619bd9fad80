"""The cost of a whole distilled training step, phase by phase, beside a plain one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from harness.bench.inputs import STRIDE, random_labels
from harness.config import RunConfig, Term, student_run
from harness.data.catalogue import dataset_info
from harness.determinism import set_determinism
from harness.learner import PHASES, Learner, Stopwatch
from harness.nets import Output, SegmentationNet, build
from harness.normalise import normalise
from harness.recipe import Network, Profile

Phases = dict[str, float]  # seconds by name of PHASES


class StepRow(NamedTuple):
    """One method's step and the floor that took turns with it; each phase is its least."""

    method: str
    phases: Phases
    floor: Phases  # teacher forward and plain student step

    @property
    def seconds(self) -> float:
        """The whole step."""
        return sum(self.phases.values())

    @property
    def over_floor(self) -> float:
        """The whole step over the floor; below 1 for a method without a teacher."""
        return self.seconds / sum(self.floor.values())


class Batch(NamedTuple):
    """What the loader would give."""

    images: Tensor  # N 3 H W, uint8
    labels: Tensor  # N H W


def measure_steps(name: str, profile: Profile, dataset: str, repeats: int) -> Iterator[StepRow]:
    """A row for every method of the profile's grid, best of `repeats` steps.

    Networks, crop and batch are the profile's; weights and batch are random, so that nothing is
    needed but the profile. Wall time on the CPU, with the profile's number of threads.
    """
    recipe = profile.train
    set_determinism(recipe.determinism, recipe.threads)
    classes = len(dataset_info(dataset).classes)
    batch = random_batch(recipe.batch, classes, profile.data[dataset].crop)
    teacher = build(_untrained(profile.networks.teacher), classes).eval()
    for method in profile.grid.methods:
        yield measure_step(student_run(name, dataset, method, 0), teacher, batch, repeats)


def random_batch(count: int, classes: int, crop: tuple[int, int]) -> Batch:
    """Images of noise with labels in areas."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, *crop), generator=generator, dtype=torch.uint8)
    grid = (-(-crop[0] // STRIDE), -(-crop[1] // STRIDE))
    labels = random_labels(count, classes, grid, generator)
    return Batch(images, labels[:, : crop[0], : crop[1]].contiguous())


def measure_step(
    config: RunConfig, teacher: SegmentationNet, batch: Batch, repeats: int
) -> StepRow:
    """One row: in every turn one teacher forward, then the method's step and a plain one.

    `data` is the way from bytes to normalised images alone: nothing is read or augmented. The
    first turn warms up and does not count.
    """
    turns = repeats + 1
    training = config.training.model_copy(update={"steps": turns})
    config = replace(config, student=_untrained(config.student), training=training)
    plain = replace(config, method="student", terms=(Term("student", {}),))
    learners = [
        Learner(each, teacher.classes, teacher.spec(), torch.device("cpu"))
        for each in (config, plain)
    ]
    best = [dict.fromkeys(PHASES, float("inf")) for _ in learners]
    for turn in range(turns):
        for least, seconds in zip(best, _turn(learners, teacher, batch), strict=True):
            if turn:
                least.update({phase: min(least[phase], seconds[phase]) for phase in PHASES})
    if not learners[0].needs_teacher:
        best[0]["teacher"] = 0.0
    return StepRow(config.method, *best)


def _turn(learners: list[Learner], teacher: SegmentationNet, batch: Batch) -> list[Phases]:
    shared = dict.fromkeys(PHASES, 0.0)
    watch = Stopwatch(shared)
    images = normalise(batch.images)
    watch.charge("data")
    output = _teach(teacher, images, learners[0])
    watch.charge("teacher")
    spent = []
    for learner in learners:
        before = dict(learner.seconds)
        learner.advance(images, batch.labels, output)
        own = {phase: learner.seconds[phase] - before[phase] for phase in PHASES}
        spent.append(own | {phase: shared[phase] for phase in ("data", "teacher")})
    return spent


def _teach(teacher: SegmentationNet, images: Tensor, learner: Learner) -> Output:
    half = learner.config.training.teacher_precision == "bf16"
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        output: Output = teacher(images, sorted(learner.teacher_taps()))
    return output


def _untrained(network: Network) -> Network:
    """The network without pretrained weights: they change no time, and may not be at hand."""
    return network.model_copy(update={"pretrained": None})
