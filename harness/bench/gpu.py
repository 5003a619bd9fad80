"""The cost of distilled training steps on a GPU, against the floor and the device's ceilings."""

import gc
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from harness.bench.ceilings import Ceilings, measure_ceilings, seconds_a_call, wait
from harness.bench.steps import Batch, Setting, open_learner, open_setting
from harness.bench.work import Work
from harness.config import RunConfig, Term
from harness.learner import Learner
from harness.normalise import normalise
from harness.recipe import Profile
from harness.trainer import teach

FLOOR = "floor"
WARM_UP = 2  # steps before the clock runs
STEPS = 4  # in a row
WAITED = "called a synchronizing CUDA operation"  # torch's words in its sync debug mode
Step = Callable[[], object]


class Variant(NamedTuple):
    """How the steps of all methods are computed."""

    crop: tuple[int, int]  # H W
    precision: str  # of teacher and student
    determinism: str


class GpuRow(NamedTuple):
    """One method's step."""

    method: str
    variant: Variant
    batch: int
    seconds: float  # wall time, the device kept busy
    floor: float  # the same of teacher's forward and plain student's step
    peak: int  # bytes held at a time: networks, optimiser, maps, cuDNN's workspace
    waits: int  # for the device, within the step
    operations: int
    bytes: int
    least: float  # seconds, each operator at its ceiling
    ceilings: Ceilings


def measure_gpu(
    configs: Sequence[RunConfig],
    profile: Profile,
    dataset: str,
    variants: Sequence[Variant],
    repeats: int,
    device: torch.device,
    ceilings_of: Callable[[torch.device], Ceilings] = measure_ceilings,
) -> Iterator[GpuRow]:
    """For each of `variants` a row of the floor, then one of each of `configs`.

    Random images and weights. The batch comes from pinned memory, as the loader gives it.
    """
    for variant in variants:
        changed = _changed(profile, dataset, variant)
        setting = _with_pinned_batch(open_setting(changed, dataset, device), device)
        ceilings = ceilings_of(device)
        plain = replace(configs[0], method=FLOOR, terms=(Term("student", {}),))
        rows = (
            _measure(
                replace(config, training=changed.train), variant, setting, ceilings, repeats, device
            )
            for config in (plain, *configs)
        )
        floor = next(rows)
        yield floor
        yield from (row._replace(floor=floor.seconds) for row in rows)


def _changed(profile: Profile, dataset: str, variant: Variant) -> Profile:
    data = profile.data[dataset].model_copy(update={"crop": variant.crop})
    training = profile.train.model_copy(
        update={
            "precision": variant.precision,
            "teacher_precision": variant.precision,
            "determinism": variant.determinism,
        }
    )
    return profile.model_copy(update={"data": {**profile.data, dataset: data}, "train": training})


def _with_pinned_batch(setting: Setting, device: torch.device) -> Setting:
    if device.type != "cuda":
        return setting
    return setting._replace(batch=Batch(*(part.pin_memory() for part in setting.batch)))


def _measure(
    config: RunConfig,
    variant: Variant,
    setting: Setting,
    ceilings: Ceilings,
    repeats: int,
    device: torch.device,
) -> GpuRow:
    """One row, its floor its own time; its learner is the only one on the device meanwhile."""
    _forget(device)
    learner = open_learner(config, setting, device)
    step = _step(learner, setting, device, taught=learner.needs_teacher or config.method == FLOOR)
    for _ in range(WARM_UP):
        step()
    waits = waits_within(step, device)
    with Work(ceilings) as work:
        step()
    seconds = seconds_a_call(step, device, STEPS, repeats)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return GpuRow(
        config.method,
        variant,
        len(setting.batch.images),
        seconds,
        seconds,
        peak,
        waits,
        work.operations,
        work.bytes,
        work.seconds,
        ceilings,
    )


def _forget(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def _step(learner: Learner, setting: Setting, device: torch.device, taught: bool) -> Step:
    taps = sorted(learner.teacher_taps())
    precision = learner.config.training.teacher_precision

    def step() -> None:
        images = normalise(setting.batch.images.to(device, non_blocking=True))
        labels = setting.batch.labels.to(device, non_blocking=True)
        output = teach(setting.teacher, images, taps, precision) if taught else None
        learner.advance(images, labels, output)

    return step


def waits_within(step: Step, device: torch.device) -> int:
    """How often the host waits for a CUDA device in one call of `step`; on the CPU never."""
    if device.type != "cuda":
        step()
        return 0
    wait(device)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum(WAITED in str(warning.message) for warning in caught)
