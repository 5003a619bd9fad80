"""One student in training: its network, its distillation methods and their optimisers."""

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from segdistill.distill import NetSpec, View
from segdistill.distill.divergences import to_float32
from segdistill.models.segmentor import Output, SegmentationNet, build
from segdistill.models.weights import load_pretrained
from segdistill.settings.loading import RunConfig
from segdistill.training.batch_norm import share_batch_norm
from segdistill.training.determinism import draw_seed
from segdistill.training.methods import build_method
from segdistill.training.micro_batches import MethodInputs, MicroBatch, split
from segdistill.training.optimizers import (
    adversary_optimizer,
    decay,
    poly,
    set_rate,
    student_optimizer,
)
from segdistill.training.process_group import SINGLE_PROCESS, ProcessGroup
from segdistill.training.supervision import counted_pixels, cross_entropy

PHASES = ("data", "teacher", "student", "method", "backward", "optimizer")


class StudentTrainer:
    """A student that takes one optimiser step at a time; `step` counts those it has taken."""

    def __init__(
        self,
        config: RunConfig,
        classes: int,
        teacher: NetSpec | None,
        device: torch.device,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        self.config = config
        self.device = device
        self.group = group
        self.step = 0
        self.seconds = dict.fromkeys(PHASES, 0.0)  # wall time so far
        torch.manual_seed(draw_seed(config.seed, "initial weights"))
        self.net: SegmentationNet = build(config.student, classes)
        load_pretrained(self.net, config.student)
        torch.manual_seed(draw_seed(config.seed, "method weights"))
        spec = self.net.spec()
        self.methods = [build_method(term, spec, teacher or spec) for term in config.terms]
        self.adversaries = [method.adversary() for method in self.methods]
        if self.group.world > 1:
            share_batch_norm(self.net, device)
        self.net.to(device).train()
        for method in self.methods:
            method.to(device).train()
        parameters = chain(self.net.parameters(), self._adapters())
        self.optimizer = student_optimizer(parameters, config.training)
        self.adversary_optimizers = [
            adversary_optimizer(adversary) if adversary else None for adversary in self.adversaries
        ]

    @property
    def needs_teacher(self) -> bool:
        """Whether any method looks at the teacher at all."""
        return any(method.needs_teacher for method in self.methods)

    def teacher_taps(self) -> set[str]:
        """The teacher's feature maps that the methods ask for."""
        return {tap for method in self.methods for tap in method.teacher_taps}

    def training_step(
        self, images: Tensor, labels: Tensor, teacher: Output | None
    ) -> dict[str, Tensor]:
        """One optimiser step of the student, and one of every discriminator.

        Args:
            images: This rank's, N 3 H W, normalised.
            labels: N H W int64, 255 = ignored.
            teacher: The teacher's output for them, or None if no method looks at it.

        Returns:
            The loss and its terms over all ranks, detached scalars, which were not waited for;
            every `gradients_every` logged steps also each term's gradient norm, as
            `gradient/TERM` (with `accumulate` above 1 that of the first micro-batch).
        """
        training = self.config.training
        watch = Stopwatch(self.seconds)
        counted = self.group.total(counted_pixels(labels))
        self.optimizer.zero_grad(set_to_none=True)
        logged: dict[str, Tensor] = {}
        seen = []
        shares = split(MicroBatch(images, labels, teacher), training.accumulate)
        for number, micro_batch in enumerate(shares):
            output = self._forward(micro_batch, number)
            terms = self._supervised(output, micro_batch.labels, counted)
            watch.charge("student")
            inputs = self._inputs(micro_batch, output)
            terms |= self._distilled(inputs, number)
            watch.charge("method")
            if number == 0 and self._gradients_are_due():
                logged |= self._gradient_norms(terms)
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            for name, term in terms.items():
                logged[name] = logged.get(name, 0) + term.detach()
            seen.append(inputs.detached())
            watch.charge("backward")
        self.group.share_gradients(self.net.parameters(), self._adapters())
        set_rate(self.optimizer, poly(training, self.step))
        self.optimizer.step()
        watch.charge("optimizer")
        self._adversary_steps(seen)
        watch.charge("method")
        self.step += 1
        return self._summed(logged)

    def counters(self) -> dict[str, float]:
        """Every method's counters as `NAME/counter`."""
        return {
            f"{method.name}/{name}": float(value)
            for method in self.methods
            for name, value in method.counters().items()
        }

    def state(self) -> dict[str, Any]:
        """Everything that the following steps depend on."""
        return {
            "step": self.step,
            "net": self.net.state_dict(),
            "methods": [method.state_dict() for method in self.methods],
            "optimizer": self.optimizer.state_dict(),
            "adversaries": [opt.state_dict() if opt else {} for opt in self.adversary_optimizers],
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state()` gave.

        Raises KeyError, ValueError or RuntimeError if it is of another training.
        """
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        for method, saved in zip(self.methods, state["methods"], strict=True):
            method.load_state_dict(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        for optimizer, saved in zip(self.adversary_optimizers, state["adversaries"], strict=True):
            if optimizer:
                optimizer.load_state_dict(saved)

    def _forward(self, micro_batch: MicroBatch, number: int) -> Output:
        """The student's output, its draws a function of (seed, step, micro-batch, rank)."""
        place = self.step * self.config.training.accumulate + number
        counter = place * self.group.world + self.group.rank
        torch.manual_seed(draw_seed(self.config.seed, "step", counter))
        taps = sorted({tap for method in self.methods for tap in method.student_taps})
        half = self.config.training.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            output: Output = self.net(micro_batch.images, taps)
        return output

    def _supervised(self, output: Output, labels: Tensor, counted: Tensor) -> dict[str, Tensor]:
        terms = {"cross_entropy": cross_entropy(output.logits, labels, counted)}
        weight = self.config.training.auxiliary_weight
        if output.auxiliary is not None and weight > 0:
            terms["auxiliary"] = weight * cross_entropy(output.auxiliary, labels, counted)
        return terms

    def _inputs(self, micro_batch: MicroBatch, output: Output) -> MethodInputs:
        images = self.group.gather(micro_batch.images)
        student = self._view(output, images)
        teacher = self._view(micro_batch.teacher, images) if micro_batch.teacher else student
        return MethodInputs(student, teacher, self.group.gather(micro_batch.labels))

    def _view(self, output: Output, images: Tensor) -> View:
        taps = {name: self.group.gather(tap) for name, tap in output.taps.items()}
        return View(self.group.gather(output.logits), taps, images)

    def _distilled(self, inputs: MethodInputs, number: int) -> dict[str, Tensor]:
        """Every method's terms; their draws are a function of (seed, step, micro-batch) alone."""
        training = self.config.training
        place = self.step * training.accumulate + number
        torch.manual_seed(draw_seed(self.config.seed, "method", place))
        terms = {}
        for method in self.methods:
            method.progress = self.step / training.steps
            for name, term in method.losses(*inputs).items():
                terms[f"{method.name}/{name}"] = to_float32(term) / training.accumulate
        return terms

    def _gradients_are_due(self) -> bool:
        training = self.config.training
        every = training.gradients_every * training.log_every
        return every > 0 and self.step % every == 0

    def _gradient_norms(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """L2 norm of each term's gradient in the student's parameters, by `gradient/TERM`."""
        parameters = list(self.net.parameters())
        norms = {}
        for name, term in terms.items():
            found = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
            flat = torch.cat([gradient.flatten() for gradient in found if gradient is not None])
            norms[f"gradient/{name}"] = self.group.total(flat).norm()
        return norms

    def _summed(self, logged: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms, with the supervised ones, of which each rank has its share, summed."""
        own = [name for name in ("cross_entropy", "auxiliary") if name in logged]
        totals = self.group.total(torch.stack([logged[name] for name in own]))
        logged |= dict(zip(own, totals.unbind(), strict=True))
        terms = [term for name, term in logged.items() if not name.startswith("gradient/")]
        return {"loss": torch.stack(terms).sum(), **logged}

    def _adversary_steps(self, seen: list[MethodInputs]) -> None:
        for method, adversary, optimizer in zip(
            self.methods, self.adversaries, self.adversary_optimizers, strict=True
        ):
            if adversary is None or optimizer is None:
                continue
            optimizer.zero_grad(set_to_none=True)
            for inputs in seen:
                losses = torch.stack(list(method.adversary_losses(*inputs).values()))
                (losses.sum() / len(seen)).backward()  # type: ignore[no-untyped-call]
            self.group.share_gradients((), adversary.module.parameters())
            falls = adversary.decay == "poly"
            factor = decay(self.config.training, self.step) if falls else 1.0
            set_rate(optimizer, adversary.learning_rate * factor)
            optimizer.step()

    def _adapters(self) -> Iterator[nn.Parameter]:
        return chain.from_iterable(method.trainable_parameters() for method in self.methods)


class Stopwatch:
    """Adds the time since it was last read to a phase; on an accelerator, host time alone."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._since = time.perf_counter()

    def charge(self, phase: str) -> None:
        """The time since the last call went into `phase`."""
        now = time.perf_counter()
        self._seconds[phase] += now - self._since
        self._since = now
