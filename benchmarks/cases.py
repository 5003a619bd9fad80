"""What is measured of the losses: every term alone, its literal formula, and on which maps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import literal
from benchmarks.inputs import TAP, Inputs, Map, make_inputs
from segdistill.distill import Distiller, load

IMAGES, CLASSES = 4, 19
# C_s C_t: for a quick look; ResNet-18 and deeper; the last stages of ResNet-18 and -101.
WIDTHS = {"small": (16, 32), "usual": (128, 256), "large": (512, 2048)}
SIZE = (64, 128)  # of 512 x 1024 crops at stride 8
SMALL = (32, 64)  # also for n x n maps that take gigabytes or a minute on SIZE
Step = Callable[[], list[Tensor | None]]

ALONE = {"pixel_weight": 0.0, "holistic_weight": 0.0}
NO_MEMORY = {"memory_pixel_weight": 0.0, "memory_region_weight": 0.0, "kd_weight": 0.0}
ONLY_MEMORY = {"minibatch_weight": 0.0, "kd_weight": 0.0, "memory_pixel_weight": 1.0,
               "memory_region_weight": 1.0, "pixel_queue": 4000, "region_queue": 400}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One term of one method at weight 1, and the share of its literal formula it may take."""

    name: str
    method: str
    literal: Callable[[Any, Inputs], Tensor]
    options: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[Map, ...] = ("feature",)
    equal: bool = False  # both maps as wide as the student's, so that no adapter is needed
    halved: tuple[str, ...] = ()  # WIDTHS at which the map is SMALL
    time: float | None = None
    memory: float | None = None

    def inputs(self, maps: str) -> Inputs:
        """What the case is measured on at one of WIDTHS."""
        student, teacher = WIDTHS[maps]
        widths = (student, student if self.equal else teacher)
        size = SMALL if maps in ("small", *self.halved) else SIZE
        return make_inputs(IMAGES, CLASSES, widths, size)

    def our_step(self, inputs: Inputs) -> Step:
        """Forward and backward as the suite computes them."""
        method = self._method(inputs)

        def term() -> Tensor:
            terms = method.losses(inputs.student, inputs.teacher, inputs.labels)
            return torch.stack(list(terms.values())).sum()

        return _step(term, method, inputs)

    def literal_step(self, inputs: Inputs) -> Step:
        """The same by the literal formula, with weights of the same initial values."""
        method = self._method(inputs)
        return _step(lambda: self.literal(method, inputs), method, inputs)

    def _method(self, inputs: Inputs) -> Distiller:
        """In training mode, its initial weights the same every time, queues half full."""
        torch.manual_seed(0)
        method_class = load(self.method)
        method = method_class(method_class.Config(**self.options), *inputs.specs())
        for queue in (getattr(method, name, None) for name in ("pixels", "regions")):
            if queue is not None:
                half = queue.entries[:, : queue.size // 2]
                half.copy_(F.normalize(torch.randn_like(half), dim=2))
                queue.filled.fill_(half.shape[1])
                queue.following.fill_(half.shape[1])
        return method.to(inputs.student.logits.dtype).train()


def _step(term: Callable[[], Tensor], method: Distiller, inputs: Inputs) -> Step:
    """A call gives the value and the gradients in maps and weights; random draws repeat."""
    maps = [inputs.student.logits, *inputs.student.taps.values()]
    leaves = [leaf for leaf in (*maps, *method.parameters()) if leaf.requires_grad]

    def step() -> list[Tensor | None]:
        torch.manual_seed(0)
        value = term()
        return [value.detach(), *torch.autograd.grad(value, leaves, allow_unused=True)]

    return step


LOGITS: tuple[Map, ...] = ("logits",)
BOTH: tuple[Map, ...] = ("logits", "feature")
LARGE, CROSS = ("large",), ("usual", "large")
CASES = (
    Case("kd", "kd", literal.kd, reads=LOGITS, time=1.05),
    Case("cwd, logits", "cwd", literal.cwd_logits, {"weight": 1.0}, LOGITS),
    Case("cwd, features", "cwd", literal.cwd_feature, {"weight": 1.0, "tap": TAP}, time=1.05),
    Case("cwd, features of equal width", "cwd", literal.cwd_feature, {"weight": 1.0, "tap": TAP},
         equal=True, time=1.05),
    Case("skd, pairs, kernel 2", "skd", literal.pairs, ALONE, halved=LARGE),
    Case("skd, pairs, no pooling", "skd", literal.pairs, {**ALONE, "pair_pool": 1}, halved=LARGE,
         time=1 / 15, memory=1 / 30),
    Case("skd, holistic", "skd", literal.holistic,
         {"pixel_weight": 0.0, "pair_weight": 0.0, "holistic_weight": 1.0}, LOGITS),
    Case("ifvd", "ifvd", literal.variation, {**ALONE, "weight": 1.0}, halved=LARGE,
         time=1 / 10, memory=1 / 10),
    Case("at", "at", literal.at, {"weight": 1.0}, time=1.05),
    Case("fitnet", "fitnet", literal.fitnet, {"weight": 1.0}),
    Case("dist", "dist", literal.dist, reads=LOGITS, time=1.05),
    Case("mgd", "mgd", literal.mgd, {"weight": 1.0, "tap": TAP}, halved=LARGE),
    Case("cirkd, mini-batch", "cirkd", literal.cross_image, NO_MEMORY, halved=CROSS,
         time=1.0, memory=1 / 3),
    Case("cirkd, memory", "cirkd", literal.memory, ONLY_MEMORY, halved=LARGE, memory=1 / 5),
    Case("dsd", "dsd", literal.dsd, {"psd_weight": 1.0, "csd_weight": 1.0}, BOTH),
    Case("afdcd", "afdcd", literal.omni_contrast,
         {"feature_weight": 1.0, "contrast_weight": 1.0, "tap": TAP}, BOTH, halved=LARGE),
    Case("bpkd", "bpkd", literal.bpkd, {"edge_weight": 1.0, "body_weight": 1.0}, LOGITS),
    Case("nfd", "nfd", literal.nfd),
    Case("pcd", "pcd", literal.pcd, {"weight": 1.0}),
    Case("pcd, equal width", "pcd", literal.pcd, {"weight": 1.0}, equal=True),
)  # fmt: skip
# PCD may take so many times CWD's time on the same features.
BESIDE_CWD = {"pcd": ("cwd, features", 1.0),
              "pcd, equal width": ("cwd, features of equal width", 3.0)}  # fmt: skip
