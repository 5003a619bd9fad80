"""The training loop: students of one seed take turns on the same batches and teacher outputs.

Every student's bits are those it would have alone, since all draws are functions of
(seed, purpose, step) and none of them sees another.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from segdistill.data.augmentation import Augmentation
from segdistill.data.splits import Split
from segdistill.data.stream import batches
from segdistill.distill import NetSpec
from segdistill.errors import SuiteError
from segdistill.models.normalise import normalise
from segdistill.models.segmentor import Output, SegmentationNet, build
from segdistill.models.weights import count_parameters, load_weights, save_weights
from segdistill.progress import Progress, progress
from segdistill.records import write_bytes, write_json
from segdistill.settings.loading import RunConfig
from segdistill.settings.schema import Execution
from segdistill.stop import StopRequest
from segdistill.training.checkpoint import drop_checkpoints, load_checkpoint, save_checkpoint
from segdistill.training.determinism import set_determinism, tensors_hash
from segdistill.training.optimizers import poly
from segdistill.training.process_group import SINGLE_PROCESS, ProcessGroup
from segdistill.training.student_trainer import PHASES, StudentTrainer

SUMMARY = "summary.json"  # written last: weights and log are complete
log = logging.getLogger(__name__)


@dataclass
class TrainingJob:
    """One training to be done: what, and the folder where its state and results go."""

    config: RunConfig
    folder: Path


@dataclass
class ActiveRun:
    """A job at work: its trainer, what it has logged, and where its time went."""

    job: TrainingJob
    trainer: StudentTrainer
    initial_hash: str
    rows: list[dict[str, float]] = field(default_factory=list)
    pending: list[tuple[int, dict[str, Tensor]]] = field(default_factory=list)
    failure: SuiteError | None = None

    def training_step(self, images: Tensor, labels: Tensor, teacher: Output | None) -> None:
        """One step; what is logged of it is read off the device later."""
        step, recipe = self.trainer.step, self.job.config.training
        self.pending.append((step, self.trainer.training_step(images, labels, teacher)))
        if step % recipe.log_every == 0 or step == recipe.steps - 1:
            self.settle()
            self.rows[-1].update(self.trainer.counters())

    def save(self) -> None:
        """Check the steps since the last check and the weights, then write a checkpoint.

        All ranks check; the first one writes.
        """
        self.check()
        if not self.trainer.group.leads:
            return
        state = {
            "trainer": self.trainer.state(),
            "rows": self.rows,
            "seconds": self.trainer.seconds,
            "initial_hash": self.initial_hash,
        }
        save_checkpoint(self.job.folder, self.trainer.step, state)

    def resume(self) -> None:
        """Continue from the newest intact checkpoint, if there is one."""
        state = load_checkpoint(self.job.folder)
        if state is not None:
            try:
                self.trainer.load_state(state["trainer"])
                self.rows = state["rows"]
                self.trainer.seconds = state["seconds"]
                self.initial_hash = state["initial_hash"]
            except (KeyError, ValueError, TypeError, RuntimeError) as error:
                raise SuiteError(
                    f"{self.job.folder}: its checkpoint is of another training; remove the "
                    "folder to train anew"
                ) from error
            log.info("%s: continuing from step %d", self.job.folder, self.trainer.step)

    def settle(self) -> None:
        """Read the terms of the last steps; keep those to log and stop at the first NaN or Inf.

        Read late so that an accelerator is never waited for within a step.
        """
        recipe = self.job.config.training
        for step, terms in self.pending:
            values = dict(zip(terms, torch.stack(list(terms.values())).tolist(), strict=True))
            bad = [name for name, value in values.items() if not math.isfinite(value)]
            if bad:
                raise SuiteError(
                    f"{self.name}: {bad[-1]} is {values[bad[-1]]} at step {step}; the last good "
                    f"checkpoint is kept in {self.job.folder}"
                )
            if step % recipe.log_every == 0 or step == recipe.steps - 1:
                rate = poly(recipe, step)
                self.rows.append({"step": step, **values, "learning_rate": rate})
        self.pending.clear()

    def check(self) -> None:
        """Raise SuiteError if a term since the last check or a weight is NaN or Inf."""
        self.settle()
        for name, tensor in self.trainer.net.state_dict().items():
            if not tensor.isfinite().all():
                raise SuiteError(
                    f"{self.name}: weight {name} is not finite after {self.trainer.step} steps; "
                    f"the last good checkpoint is kept in {self.job.folder}"
                )

    def finish(self) -> None:
        """Write the results and drop the checkpoints."""
        self.check()
        trainer, folder = self.trainer, self.job.folder
        if not trainer.group.leads:
            return
        lines = "".join(json.dumps(row) + "\n" for row in self.rows)
        write_bytes(folder / "log.jsonl", lines.encode())
        _summarise(self.job, trainer.net, self.initial_hash, trainer.step, trainer.seconds)
        drop_checkpoints(folder)

    def attempt(self, action: Callable[[], None]) -> None:
        """Do `action` unless this run has failed; a failure is kept, so that others go on."""
        if self.failure is None:
            try:
                action()
            except SuiteError as error:
                self.failure = error

    @property
    def name(self) -> str:
        """The job as people name it."""
        config = self.job.config
        return f"{config.experiment}/{config.dataset}/{config.method}/seed{config.seed}"


def train(
    jobs: Sequence[TrainingJob],
    split: Split,
    classes: int,
    teacher: SegmentationNet | None,
    execution: Execution,
    device: torch.device,
    stop: StopRequest,
    group: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Train `jobs`, all of one dataset, seed and recipe, to their end or until asked to stop.

    Leaves in every job's folder `weights.safetensors`, `log.jsonl` and SUMMARY. A job with NaN
    or Inf stops alone. Raises SuiteError naming it once the others are done, Stopped after saving
    when a stop was requested.
    """
    first = jobs[0].config
    set_determinism(first.training.determinism, first.training.threads)
    spec = teacher.spec() if teacher else None
    runs = [_open(job, classes, spec, device, group) for job in jobs]
    label = f"{first.dataset} seed {first.seed} [{' '.join(c.config.method for c in jobs)}]"
    with progress(label, first.training.steps, shown=group.leads) as show:
        _loop(runs, split, teacher, execution, device, stop, show, group)
    for run in runs:
        run.attempt(run.finish)
    if failures := [str(run.failure) for run in runs if run.failure]:
        raise SuiteError("\n".join(failures))


def _open(
    job: TrainingJob,
    classes: int,
    teacher: NetSpec | None,
    device: torch.device,
    group: ProcessGroup,
) -> ActiveRun:
    trainer = StudentTrainer(job.config, classes, teacher, device, group)
    run = ActiveRun(job, trainer, tensors_hash(trainer.net.state_dict()))
    run.resume()
    return run


def _loop(
    runs: Sequence[ActiveRun],
    split: Split,
    teacher: SegmentationNet | None,
    execution: Execution,
    device: torch.device,
    stop: StopRequest,
    show: Progress,
    group: ProcessGroup,
) -> None:
    config = runs[0].job.config
    recipe = config.training
    first_step = min(run.trainer.step for run in runs)
    stream = batches(
        split,
        Augmentation(config.data.crop, recipe.scale, recipe.flip),
        config.seed,
        recipe.batch,
        first_step,
        recipe.steps,
        workers=execution.workers,
        rank=group.rank,
        world=group.world,
        cache=execution.cache,
        pin=device.type == "cuda",
    )
    taps = sorted({tap for run in runs for tap in run.trainer.teacher_taps()})
    clock = time.perf_counter()
    for step, batch in enumerate(stream, first_step):
        due = [run for run in runs if run.trainer.step == step and not run.failure]
        if all(run.failure for run in runs):
            break
        images = normalise(batch.images.to(device, non_blocking=True))
        labels = batch.labels.to(device, non_blocking=True)
        clock = _charge(due, "data", clock)
        watched = teacher if any(run.trainer.needs_teacher for run in due) else None
        output = teach(watched, images, taps, recipe.teacher_precision) if watched else None
        clock = _charge([t for t in due if t.trainer.needs_teacher], "teacher", clock)
        for run in due:
            run.attempt(partial(run.training_step, images, labels, output))
        clock = time.perf_counter()
        stop.requested = group.any(stop.requested)
        _save_when_due(due, step + 1, execution.checkpoint_every, stop)
        show(step + 1)


def teach(teacher: SegmentationNet, images: Tensor, taps: Sequence[str], precision: str) -> Output:
    """The teacher's output for normalised `images` (N 3 H W), without gradient.

    Not in inference mode: some losses save its tensors for their gradient.
    """
    with (
        torch.no_grad(),
        torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"),
    ):
        output: Output = teacher(images, taps)
    return output


def _charge(runs: Sequence[ActiveRun], phase: str, since: float) -> float:
    now = time.perf_counter()
    for run in runs:
        run.trainer.seconds[phase] += now - since
    return now


def _save_when_due(due: Sequence[ActiveRun], step: int, every: int, stop: StopRequest) -> None:
    if stop.requested or step % every == 0:
        for run in due:
            run.attempt(run.save)
    stop.leave_if_requested()


def import_weights(job: TrainingJob, source: Path, classes: int) -> None:
    """Take finished weights instead of training; they must fit the recipe's network."""
    net = build(job.config.student, classes)
    load_weights(source, net)
    write_bytes(job.folder / "log.jsonl", b"")
    _summarise(job, net, tensors_hash(net.state_dict()), 0, dict.fromkeys(PHASES, 0.0))


def _summarise(
    job: TrainingJob,
    net: SegmentationNet,
    initial_hash: str,
    steps: int,
    seconds: dict[str, float],
) -> None:
    write_json(
        job.folder / SUMMARY,
        {
            "weights_sha256": save_weights(job.folder / "weights.safetensors", net),
            "initial_weights_sha256": initial_hash,
            "parameters": count_parameters(net),
            "steps": steps,
            "seconds": {**seconds, "total": sum(seconds.values())},
        },
    )
