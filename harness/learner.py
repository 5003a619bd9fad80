"""One student in training: its network, its distillation methods and their optimisers."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from distill import Adversary, Distiller, NetSpec, UnknownMethodError, View, load
from harness.config import RunConfig, Term, did_you_mean
from harness.determinism import draw_seed
from harness.errors import SuiteError
from harness.nets import Output, SegmentationNet, build
from harness.recipe import Training
from harness.weights import load_pretrained

IGNORE = 255
PHASES = ("data", "teacher", "student", "method", "backward", "optimizer")


class Learner:
    """A student that takes one optimiser step at a time; `step` counts those it has taken."""

    def __init__(
        self, config: RunConfig, classes: int, teacher: NetSpec | None, device: torch.device
    ) -> None:
        self.config = config
        self.device = device
        self.step = 0
        self.seconds = dict.fromkeys(PHASES, 0.0)  # wall time so far
        torch.manual_seed(draw_seed(config.seed, "initial weights"))
        self.net: SegmentationNet = build(config.student, classes)
        load_pretrained(self.net, config.student)
        torch.manual_seed(draw_seed(config.seed, "method weights"))
        spec = self.net.spec()
        self.methods = [build_method(term, spec, teacher or spec) for term in config.terms]
        self.adversaries = [method.adversary() for method in self.methods]
        self.net.to(device).train()
        for method in self.methods:
            method.to(device).train()
        self.optimizer = torch.optim.SGD(
            list(self._trainable()),
            lr=config.training.learning_rate,
            momentum=config.training.momentum,
            weight_decay=config.training.weight_decay,
        )
        self.adversary_optimizers = [
            _adversary_optimizer(adversary) if adversary else None for adversary in self.adversaries
        ]

    @property
    def needs_teacher(self) -> bool:
        """Whether any method looks at the teacher at all."""
        return any(method.needs_teacher for method in self.methods)

    def teacher_taps(self) -> set[str]:
        """The teacher's feature maps that the methods ask for."""
        return {tap for method in self.methods for tap in method.teacher_taps}

    def advance(self, images: Tensor, labels: Tensor, teacher: Output | None) -> dict[str, Tensor]:
        """One training step on normalised `images` (N 3 H W) and `labels` (N H W).

        Returns the loss and its terms, detached scalars, without waiting for the device.
        """
        training = self.config.training
        watch = Stopwatch(self.seconds)
        torch.manual_seed(draw_seed(self.config.seed, "step", self.step))
        taps = sorted({tap for method in self.methods for tap in method.student_taps})
        with torch.autocast(self.device.type, torch.bfloat16, enabled=training.precision == "bf16"):
            output = self.net(images, taps)
        student = View(output.logits, output.taps, images)
        target = View(teacher.logits, teacher.taps, images) if teacher else student
        terms = self._supervised(output, labels)
        watch.charge("student")
        terms |= self._distilled(student, target, labels)
        loss = torch.stack(list(terms.values())).sum()
        watch.charge("method")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        watch.charge("backward")
        _set_rate(self.optimizer, poly(training, self.step))
        self.optimizer.step()
        watch.charge("optimizer")
        self._adversary_steps(student, target, labels)
        watch.charge("method")
        self.step += 1
        return {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}}

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
        """Continue from what `state()` gave."""
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        for method, saved in zip(self.methods, state["methods"], strict=True):
            method.load_state_dict(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        for optimizer, saved in zip(self.adversary_optimizers, state["adversaries"], strict=True):
            if optimizer:
                optimizer.load_state_dict(saved)

    def _supervised(self, output: Output, labels: Tensor) -> dict[str, Tensor]:
        terms = {"cross_entropy": cross_entropy(output.logits, labels)}
        weight = self.config.training.auxiliary_weight
        if output.auxiliary is not None and weight > 0:
            terms["auxiliary"] = weight * cross_entropy(output.auxiliary, labels)
        return terms

    def _distilled(self, student: View, teacher: View, labels: Tensor) -> dict[str, Tensor]:
        progress = self.step / self.config.training.steps
        return {
            f"{method.name}/{name}": term.float()
            for method in self.methods
            for name, term in method.losses(student, teacher, labels, progress).items()
        }

    def _adversary_steps(self, student: View, teacher: View, labels: Tensor) -> None:
        student = student._replace(
            logits=student.logits.detach(),
            taps={name: tap.detach() for name, tap in student.taps.items()},
        )
        for method, adversary, optimizer in zip(
            self.methods, self.adversaries, self.adversary_optimizers, strict=True
        ):
            if adversary is None or optimizer is None:
                continue
            losses = method.adversary_losses(student, teacher, labels)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            decay = _decay(self.config.training, self.step) if adversary.decay == "poly" else 1.0
            _set_rate(optimizer, adversary.learning_rate * decay)
            optimizer.step()

    def _trainable(self) -> Iterator[nn.Parameter]:
        second = {
            parameter
            for adversary in self.adversaries
            if adversary
            for parameter in adversary.module.parameters()
        }
        for module in (self.net, *self.methods):
            yield from (p for p in module.parameters() if p not in second)


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


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over pixels with label != 255, of `logits` (N K h w) resized to `labels` (N H W).

    Pixels are laid out in one row because only that form is deterministic on CUDA.
    """
    full = F.interpolate(
        logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False
    )
    rows = full.permute(0, 2, 3, 1).reshape(-1, full.shape[1])
    total = F.cross_entropy(rows, labels.reshape(-1), ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)


def poly(training: Training, step: int) -> float:
    """Learning rate of `step`: linear warm-up times (1 - step / steps) ^ power."""
    warm = min(1.0, (step + 1) / training.warmup) if training.warmup else 1.0
    return training.learning_rate * warm * _decay(training, step)


def build_method(term: Term, student: NetSpec, teacher: NetSpec) -> Distiller:
    """The distiller of `term`, its fields checked. Raises SuiteError for an unknown one."""
    try:
        method = load(term.method)
    except UnknownMethodError as error:
        raise SuiteError(f"methods: {error}") from error
    known = sorted(method.Config.__dataclass_fields__)
    for field in term.fields:
        if field not in known:
            raise SuiteError(f"methods.{term.method}.{field}: unknown{did_you_mean(field, known)}")
    try:
        config = TypeAdapter(method.Config).validate_python(term.fields)
        return method(config, student, teacher)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([term.method, *(str(part) for part in first["loc"])])
        raise SuiteError(f"methods.{where}: {first['msg']}") from error
    except ValueError as error:
        raise SuiteError(f"methods.{term.method}: {error}") from error


def _decay(training: Training, step: int) -> float:
    return float((1 - step / training.steps) ** training.power)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _adversary_optimizer(adversary: Adversary) -> torch.optim.Optimizer:
    parameters = adversary.module.parameters()
    if adversary.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=adversary.learning_rate, betas=(0.9, 0.99))
    return torch.optim.SGD(parameters, lr=adversary.learning_rate, momentum=0.9)
