"""What is measured: every loss term alone, its literal rival, and on which maps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from typing import Literal as OneOf

from torch import Tensor

from harness.bench import literal_maps, literal_pcd, literal_relations
from harness.bench.inputs import TAP, Inputs, Map

IMAGES, CLASSES = 4, 19
SIZE = (64, 128)  # of 512 x 1024 crops at stride 8
SMALL = (32, 64)  # for n x n maps that take gigabytes or a minute on SIZE
USUAL, LARGE = (128, 256), (512, 2048)  # C_s C_t: ResNet-18 and deeper, ResNet-18 and -101 stages
Literal = Callable[[Any, Inputs], Tensor]
Maps = OneOf["usual", "large", "whole"]  # whole: the usual widths, never on SMALL

ALONE = {"pixel_weight": 0.0, "holistic_weight": 0.0}
NO_MEMORY = {"memory_pixel_weight": 0.0, "memory_region_weight": 0.0, "kd_weight": 0.0}
ONLY_MEMORY = {"minibatch_weight": 0.0, "kd_weight": 0.0, "memory_pixel_weight": 1.0,
               "memory_region_weight": 1.0, "pixel_queue": 4000, "region_queue": 400}  # fmt: skip
AFDCD = {"feature_weight": 1.0, "contrast_weight": 1.0, "tap": TAP}


@dataclass(frozen=True)
class Case:
    """One term of one method at weight 1."""

    name: str
    method: str
    literal: Literal
    options: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[Map, ...] = ("feature",)
    equal: bool = False  # both maps as wide as the student's, so that no adapter is needed
    sizes: tuple[tuple[int, int], tuple[int, int]] = (SIZE, SIZE)  # at USUAL and at LARGE widths

    def widths(self, maps: Maps) -> tuple[int, int]:
        """C_s and C_t."""
        student, teacher = LARGE if maps == "large" else USUAL
        return (student, student) if self.equal else (student, teacher)

    def size(self, maps: Maps) -> tuple[int, int]:
        """h and w."""
        return SIZE if maps == "whole" else self.sizes[maps == "large"]


CASES = (
    Case("kd", "kd", literal_maps.kd, {}, ("logits",)),
    Case("cwd, logits", "cwd", literal_maps.cwd_logits, {"weight": 1.0}, ("logits",)),
    Case("cwd, features", "cwd", literal_maps.cwd_feature, {"weight": 1.0, "on": TAP}),
    Case("cwd, features of equal width", "cwd", literal_maps.cwd_feature,
         {"weight": 1.0, "on": TAP}, equal=True),
    Case("skd, pairs, kernel 2", "skd", literal_relations.pairs, {**ALONE},
         sizes=(SIZE, SMALL)),
    Case("skd, pairs, no pooling", "skd", literal_relations.pairs, {**ALONE, "pair_pool": 1},
         sizes=(SIZE, SMALL)),
    Case("skd, holistic", "skd", literal_relations.holistic,
         {"pixel_weight": 0.0, "pair_weight": 0.0, "holistic_weight": 1.0}, ("logits",)),
    Case("ifvd", "ifvd", literal_relations.variation, {**ALONE, "weight": 1.0},
         sizes=(SIZE, SMALL)),
    Case("at", "at", literal_maps.at, {"weight": 1.0}),
    Case("fitnet", "fitnet", literal_maps.fitnet, {"weight": 1.0}),
    Case("dist", "dist", literal_maps.dist, {}, ("logits",)),
    Case("mgd", "mgd", literal_maps.mgd, {"weight": 1.0, "tap": TAP}, sizes=(SIZE, SMALL)),
    Case("cirkd, mini-batch", "cirkd", literal_relations.cross_image, NO_MEMORY,
         sizes=(SMALL, SMALL)),
    Case("cirkd, memory", "cirkd", literal_relations.memory, ONLY_MEMORY,
         sizes=(SIZE, SMALL)),
    Case("dsd", "dsd", literal_maps.dsd, {"psd_weight": 1.0, "csd_weight": 1.0},
         ("logits", "feature")),
    Case("afdcd", "afdcd", literal_relations.omni_contrast, AFDCD, ("logits", "feature"),
         sizes=(SIZE, SMALL)),
    Case("bpkd", "bpkd", literal_maps.bpkd, {"edge_weight": 1.0, "body_weight": 1.0},
         ("logits",)),
    Case("nfd", "nfd", literal_maps.nfd, {}),
    Case("pcd", "pcd", literal_pcd.pcd, {"weight": 1.0}),
    Case("pcd, equal width", "pcd", literal_pcd.pcd, {"weight": 1.0}, equal=True),
)  # fmt: skip


def measured(maps: Maps) -> tuple[Case, ...]:
    """The cases that are not the usual ones again: the logits are the same at LARGE."""
    if maps == "large":
        return tuple(case for case in CASES if case.reads != ("logits",))
    return tuple(case for case in CASES if maps == "usual" or case.size("usual") != SIZE)
