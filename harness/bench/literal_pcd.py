"""PCD (reconstructed from the abstract) written out: pixels by class, pairs of classes, images."""

from itertools import combinations
from typing import Any

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from distill.regions import IGNORE, labels_at
from harness.bench.inputs import Inputs


def pcd(method: Any, inputs: Inputs) -> Tensor:
    """The term with its default options; on one batch, again and again, `running` is `batch`."""
    config, (student, teacher) = method.config, inputs.maps("feature")
    labels = labels_at(inputs.labels, student.shape[-2:])
    counted = labels != IGNORE
    with torch.no_grad():
        own, other = (_standard(maps.movedim(1, -1)[counted]) for maps in (student, teacher))
        classes, known = method.teacher_spec.classes, labels[counted]
        members = [known == k for k in range(classes)]
        means = [
            other[member].mean(dim=0) for member in members if member.sum() >= config.min_pixels
        ]
        gaps = [(first - second).abs() for first, second in combinations(means, 2)]
        score = torch.stack(gaps).mean(dim=0)
        kept = score.argsort(descending=True)[: min(student.shape[1], teacher.shape[1])]
        cosines = own.T @ other[:, kept] / len(own)
        row, column = linear_sum_assignment(cosines.numpy(), maximize=True)
    student, teacher = student[:, row], teacher[:, kept[column]]
    total = student.new_zeros(())
    for n in range(len(student)):
        own, other = (maps[n][:, counted[n]] / config.temperature for maps in (student, teacher))
        target = torch.softmax(other, dim=1)
        gap = F.log_softmax(other, dim=1) - F.log_softmax(own, dim=1)
        total = total + (target * gap).sum(dim=1).mean()
    temperature: float = config.temperature
    return temperature**2 * total / len(student)


def _standard(pixels: Tensor) -> Tensor:
    std, mean = torch.std_mean(pixels, dim=0, correction=0)
    return (pixels - mean) / std
