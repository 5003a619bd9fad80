"""What a step costs by arithmetic alone: the networks' multiply-accumulates at a given speed.

For machines that are not at hand. A forward pass counts once, a backward pass twice; what a
method, the auxiliary head, the loader and the optimiser add is left out.
"""

import torch

from segdistill.data.catalogue import dataset_info
from segdistill.distill import load
from segdistill.evaluation.cost import macs, parameters
from segdistill.models.segmentor import build
from segdistill.pipeline.cells import TEACHER
from segdistill.pipeline.forecast import Cost, Key
from segdistill.settings.loading import student_run, teacher_run
from segdistill.settings.schema import Network, Profile

KEPT = 3 * 4  # bytes a parameter: published, in the scratch folder, in DVC's cache


def counted_costs(name: str, profile: Profile, teraflops: float) -> dict[Key, Cost]:
    """Costs of every cell's step on a device that sustains `teraflops` (1e12 operations a second,
    two of them a multiply-accumulate).
    """
    found: dict[Key, Cost] = {}
    for dataset in profile.grid.datasets:
        teacher, crop = teacher_run(name, dataset), profile.data[dataset].crop
        classes = len(dataset_info(dataset).classes)
        (taught, heavy), (learning, light) = (
            _counted(network, classes, crop)
            for network in (profile.networks.teacher, profile.networks.student)
        )
        second = teraflops * 1e12 / 2  # multiply-accumulates
        found[dataset, TEACHER] = Cost(
            0.0, 3 * taught * teacher.training.batch / second, KEPT * heavy
        )
        for method in profile.grid.methods:
            run = student_run(name, dataset, method, 0)
            watches = any(load(term.method).needs_teacher for term in run.terms)
            shared = taught * run.training.batch / second if watches else 0.0
            own = 3 * learning * run.training.batch / second
            found[dataset, method] = Cost(shared, own, KEPT * light)
    return found


def _counted(network: Network, classes: int, crop: tuple[int, int]) -> tuple[int, int]:
    """Multiply-accumulates of one image's forward pass, and parameters."""
    net = build(network.model_copy(update={"pretrained": None}), classes)
    return macs(net, torch.empty(1, 3, *crop, device="meta")), parameters(net)
