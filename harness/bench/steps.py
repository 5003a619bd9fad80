"""The cost of a whole distilled training step, phase by phase, beside a plain one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import process_time
from typing import NamedTuple

import torch
from torch import Tensor

from distill import load, method_names
from distill.adversary import AdversarialDistiller
from harness.bench.inputs import STRIDE, random_labels
from harness.config import RunConfig, Term, student_run
from harness.data.catalogue import dataset_info
from harness.determinism import set_determinism
from harness.learner import PHASES, Learner, Stopwatch
from harness.nets import SegmentationNet, build, freeze
from harness.normalise import normalise
from harness.recipe import Network, Profile
from harness.trainer import teach

CPU = torch.device("cpu")
ENDLESS = 10**6  # steps
NO_ADVERSARY = ", no adversary"
PROCESSOR_OF_TEACHER, PROCESSOR_OF_REST = "processor, teacher", "processor, rest"
Phases = dict[str, float]  # seconds by name of PHASES


class Spent(NamedTuple):
    """Where a step's time went, each part the least of all steps."""

    phases: Phases  # wall time
    processor: float  # seconds of processor time, without the making of the batch

    @property
    def seconds(self) -> float:
        """Wall time of the whole step."""
        return sum(self.phases.values())


class StepRow(NamedTuple):
    """One method's step and the floor that took turns with it."""

    method: str
    own: Spent
    floor: Spent  # teacher forward, if the method needs it, and plain student step

    @property
    def over_floor(self) -> float:
        """Processor time of the step over the floor's.

        Unlike wall time it does not grow when other processes take the cores.
        """
        return self.own.processor / self.floor.processor


class Batch(NamedTuple):
    """What the loader would give."""

    images: Tensor  # N 3 H W, uint8
    labels: Tensor  # N H W


class Setting(NamedTuple):
    """What every method's step has in common."""

    teacher: SegmentationNet
    batch: Batch


def measure_steps(
    configs: Sequence[RunConfig], profile: Profile, dataset: str, repeats: int
) -> Iterator[StepRow]:
    """A row for each of `configs`, best of `repeats` steps.

    On the CPU, with the profile's number of threads.
    """
    setting = open_setting(profile, dataset)
    for config in configs:
        yield measure_step(config, setting, repeats)


def listed_methods(name: str, profile: Profile, dataset: str) -> list[RunConfig]:
    """The methods of the profile's grid."""
    return [student_run(name, dataset, method, 0) for method in profile.grid.methods]


def every_method(name: str, profile: Profile, dataset: str) -> list[RunConfig]:
    """The methods of the profile's grid, every other that there is with its defaults, and those
    with an adversary once more without it.
    """
    found = listed_methods(name, profile, dataset)
    for method in sorted({*method_names()} - {*profile.grid.methods}):
        found.append(replace(found[0], method=method, terms=(Term(method, {}),)))
    for config in list(found):
        methods = [load(term.method) for term in config.terms]
        if len(methods) == 1 and issubclass(methods[0], AdversarialDistiller):
            fields = {**config.terms[0].fields, "holistic_weight": 0.0}
            terms = (Term(config.terms[0].method, fields),)
            found.append(replace(config, method=config.method + NO_ADVERSARY, terms=terms))
    return found


def open_setting(profile: Profile, dataset: str, device: torch.device = CPU) -> Setting:
    """The profile's teacher and a batch of its size and crop; sets threads and determinism.

    Weights and batch are random, so that nothing is needed but the profile.
    """
    recipe = profile.train
    set_determinism(recipe.determinism, recipe.threads)
    classes = len(dataset_info(dataset).classes)
    batch = random_batch(recipe.batch, classes, profile.data[dataset].crop)
    teacher = freeze(build(_untrained(profile.networks.teacher), classes))
    return Setting(teacher.to(device), batch)


def random_batch(count: int, classes: int, crop: tuple[int, int]) -> Batch:
    """Images of noise with labels in areas."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, *crop), generator=generator, dtype=torch.uint8)
    grid = (-(-crop[0] // STRIDE), -(-crop[1] // STRIDE))
    labels = random_labels(count, classes, grid, generator)
    return Batch(images, labels[:, : crop[0], : crop[1]].contiguous())


def measure_step(config: RunConfig, setting: Setting, repeats: int) -> StepRow:
    """One row: in every turn the method's step and a plain one, after a turn to warm up."""
    plain = replace(config, method="student", terms=(Term("student", {}),))
    learners = [open_learner(each, setting) for each in (config, plain)]
    take_turns(learners, setting)
    turns = [take_turns(learners, setting) for _ in range(repeats)]
    own, floor = (least(list(of_one)) for of_one in zip(*turns, strict=True))
    if not learners[0].needs_teacher:
        own, floor = (c | {"teacher": 0.0, PROCESSOR_OF_TEACHER: 0.0} for c in (own, floor))
    return StepRow(config.method, _spent(own), _spent(floor))


def least(clocks: Sequence[Phases]) -> Phases:
    """The least reading of each clock."""
    return {name: min(readings[name] for readings in clocks) for name in clocks[0]}


def open_learner(config: RunConfig, setting: Setting, device: torch.device = CPU) -> Learner:
    """A student with its method, for a schedule that no benchmark ends."""
    training = config.training.model_copy(update={"steps": ENDLESS})
    config = replace(config, student=_untrained(config.student), training=training)
    teacher = setting.teacher
    return Learner(config, teacher.classes, teacher.spec(), device)


def take_turns(learners: Sequence[Learner], setting: Setting) -> list[Phases]:
    """One teacher forward, with the first learner's taps, and a step of every learner.

    `data` is the way from bytes to normalised images alone: nothing is read or augmented. Beside
    the phases each learner has the processor time of the teacher and of the rest.
    """
    shared = dict.fromkeys(("data", "teacher"), 0.0)
    watch = Stopwatch(shared)
    images = normalise(setting.batch.images)
    watch.charge("data")
    start = process_time()
    first = learners[0]
    precision = first.config.training.teacher_precision
    output = teach(setting.teacher, images, sorted(first.teacher_taps()), precision)
    shared[PROCESSOR_OF_TEACHER] = process_time() - start
    watch.charge("teacher")
    clocks = []
    for learner in learners:
        before, start = dict(learner.seconds), process_time()
        learner.advance(images, setting.batch.labels, output)
        rest = {PROCESSOR_OF_REST: process_time() - start}
        own = {phase: learner.seconds[phase] - before[phase] for phase in PHASES}
        clocks.append(own | rest | shared)
    return clocks


def _spent(clocks: Phases) -> Spent:
    processor = clocks[PROCESSOR_OF_TEACHER] + clocks[PROCESSOR_OF_REST]
    return Spent({phase: clocks[phase] for phase in PHASES}, processor)


def _untrained(network: Network) -> Network:
    """The network without pretrained weights: they change no time, and may not be at hand."""
    return network.model_copy(update={"pretrained": None})
