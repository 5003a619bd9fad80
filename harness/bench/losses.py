"""The cost of every loss term beside its literal formula and the floor."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from distill import Distiller, load
from harness.bench.cases import CLASSES, IMAGES, Case, Maps, measured
from harness.bench.inputs import Inputs, floor, make_inputs
from harness.bench.measure import Memory, best_seconds, memory_of


class Cost(NamedTuple):
    """Of one forward and backward pass."""

    seconds: float
    memory: Memory


class LossRow(NamedTuple):
    """What was measured of one case."""

    case: str
    method: str
    widths: tuple[int, int]
    size: tuple[int, int]
    ours: Cost
    literal: Cost
    floor_seconds: float

    @property
    def time_ratio(self) -> float:
        """Our time over the literal formula's; below 1 is faster."""
        return self.ours.seconds / self.literal.seconds

    @property
    def memory_ratio(self) -> float:
        """Our peak memory over the literal formula's."""
        return self.ours.memory.peak / self.literal.memory.peak

    @property
    def over_floor(self) -> float:
        """Our time over that of touching the inputs and one gradient once."""
        return self.ours.seconds / self.floor_seconds


class Step:
    """Forward and backward of one term with fresh gradients; calling it gives the value."""

    def __init__(self, term: Callable[[], Tensor], leaves: Sequence[Tensor]) -> None:
        self._term = term
        self._leaves = leaves

    def __call__(self) -> Tensor:
        """The term's value, after the backward pass; random draws repeat."""
        torch.manual_seed(0)
        self.drop_gradients()
        value = self._term()
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    def drop_gradients(self) -> None:
        """Before a measurement of memory, or the release of old ones would hide part of it."""
        for leaf in self._leaves:
            leaf.grad = None


def inputs_of(case: Case, maps: Maps) -> Inputs:
    """What `case` is measured on."""
    return make_inputs(IMAGES, CLASSES, case.widths(maps), case.size(maps))


def our_step(case: Case, inputs: Inputs) -> Step:
    """The term as the suite computes it."""
    method = build(case, inputs)

    def term() -> Tensor:
        terms = method.losses(inputs.student, inputs.teacher, inputs.labels, 0.5)
        return torch.stack(list(terms.values())).sum()

    return Step(term, _leaves(method, inputs))


def literal_step(case: Case, inputs: Inputs) -> Step:
    """The term by its literal formula, with weights of the same initial values."""
    method = build(case, inputs)
    return Step(lambda: case.literal(method, inputs), _leaves(method, inputs))


def measure_losses(maps: Maps, repeats: int) -> Iterator[LossRow]:
    """A row for every case, best of `repeats`."""
    for case in measured(maps):
        yield measure_case(case, inputs_of(case, maps), repeats)


def measure_case(case: Case, inputs: Inputs, repeats: int) -> LossRow:
    """One row; the memory is that of a step after the timed ones."""
    ours, literal = our_step(case, inputs), literal_step(case, inputs)
    names = ("ours", "literal", "floor")
    works = (ours, literal, floor(inputs, case.reads))
    seconds = dict(zip(names, best_seconds(works, repeats), strict=True))
    costs = {}
    for name, step in (("ours", ours), ("literal", literal)):
        step.drop_gradients()
        costs[name] = Cost(seconds[name], memory_of(step))
    own, other = inputs.maps(case.reads[-1])
    return LossRow(
        case.name,
        case.method,
        (own.shape[1], other.shape[1]),
        (own.shape[2], own.shape[3]),
        costs["ours"],
        costs["literal"],
        seconds["floor"],
    )


def build(case: Case, inputs: Inputs) -> Distiller:
    """The method in training mode, its initial weights the same every time, queues half full."""
    torch.manual_seed(0)
    method_class = load(case.method)
    method = method_class(method_class.Config(**case.options), *inputs.specs())
    method.to(inputs.student.logits.dtype).train()
    for name in ("pixels", "regions"):
        if hasattr(method, name):
            _fill(getattr(method, name))
    return method


def _fill(queue: Any) -> None:
    half = queue.size // 2
    vectors = torch.randn(queue.entries.shape[0], half, queue.entries.shape[2])
    queue.entries[:, :half] = F.normalize(vectors, dim=2)
    queue.filled.fill_(half)
    queue.following.fill_(half)


def _leaves(method: Distiller, inputs: Inputs) -> list[Tensor]:
    return [inputs.student.logits, *inputs.student.taps.values(), *method.parameters()]
