"""The literal formulas of methods that compare maps position by position or channel by channel.

Each is the paper's formula written out with one plain operation a step, for unweighted terms at
ignore="keep"; `method` lends its options and its learned layers. Rivals to measure against, and
not for training.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.regions import labels_at
from harness.bench.inputs import Inputs


def kd(method: Any, inputs: Inputs) -> Tensor:
    """T^2 mean over pixels of sum_k p_k (log p_k - log q_k)."""
    student, teacher = inputs.maps("logits")
    temperature: float = method.config.temperature
    return temperature**2 * _divergence(student / temperature, teacher / temperature).mean()


def cwd_logits(method: Any, inputs: Inputs) -> Tensor:
    """CWD on the logits."""
    return _channels(*inputs.maps("logits"), method.config.temperature)


def cwd_feature(method: Any, inputs: Inputs) -> Tensor:
    """CWD on the feature, through the adapter where the widths differ."""
    student, teacher = inputs.maps("feature")
    return _channels(method.adapter(student), teacher, method.config.temperature)


def at(method: Any, inputs: Inputs) -> Tensor:
    """Mean squared difference of the normalised maps of mean squares."""
    del method
    student, teacher = (
        F.normalize(maps.pow(2).mean(dim=1).flatten(1)) for maps in inputs.maps("feature")
    )
    return (student - teacher).pow(2).mean()


def fitnet(method: Any, inputs: Inputs) -> Tensor:
    """Mean squared error after the regressor."""
    student, teacher = inputs.maps("feature")
    return F.mse_loss(method.regressor(student), teacher)


def dist(method: Any, inputs: Inputs) -> Tensor:
    """One minus the mean correlation, over classes and over pixels."""
    student, teacher = (
        torch.softmax(maps / method.config.temperature, dim=1).movedim(1, -1).flatten(0, 2)
        for maps in inputs.maps("logits")
    )
    return (1 - _pearson(student, teacher).mean()) + (1 - _pearson(student.T, teacher.T).mean())


def mgd(method: Any, inputs: Inputs) -> Tensor:
    """Squared error of the generated feature, a sum over all but the images."""
    student, teacher = inputs.maps("feature")
    count, _, height, width = student.shape
    draw = torch.rand(count, 1, height, width)
    shown = torch.where(draw > 1 - method.config.mask_ratio, 0.0, 1.0).to(student.dtype)
    generated = method.generator.generate(method.generator.align(student) * shown)
    return F.mse_loss(generated, teacher, reduction="sum") / count


def nfd(method: Any, inputs: Inputs) -> Tensor:
    """Mean squared difference of maps standardised over their positions."""
    student, teacher = inputs.maps("feature")

    def standard(maps: Tensor) -> Tensor:
        std, mean = torch.std_mean(maps, dim=(2, 3), keepdim=True, correction=0)
        return (maps - mean) / std

    return (standard(method.adapter(student)) - standard(teacher)).pow(2).mean()


def bpkd(method: Any, inputs: Inputs) -> Tensor:
    """KL over classes at edges and over positions in bodies; a pixel map of every class."""
    (student, teacher), labels = inputs.maps("logits"), inputs.labels
    present = torch.zeros_like(labels)
    for k in range(student.shape[1]):
        window = method.config.edge_width
        of_class = (labels == k).float()[:, None]
        present += F.max_pool2d(of_class, window, stride=1, padding=window // 2)[:, 0].long()
    edge = labels_at((present > 1).long(), student.shape[-2:]).bool()
    at_edges = _divergence(student, teacher)[edge].mean()
    own, other = (maps.masked_fill(edge[:, None], -1e9).flatten(2) for maps in (student, teacher))
    target = torch.softmax(other, dim=2)
    gap = F.log_softmax(other, dim=2) - F.log_softmax(own, dim=2)
    return at_edges + (target * gap).sum(dim=2).mean()


def dsd(method: Any, inputs: Inputs) -> Tensor:
    """Residual attention of the two layers, and cosines of every pair of class maps."""
    views = zip(inputs.maps("logits"), inputs.maps("feature"), strict=True)
    own, other = (
        F.normalize(_attention(logits) - _attention(feature)) for logits, feature in views
    )
    student, teacher = inputs.maps("logits")
    temperature = method.config.temperature

    def cosines(logits: Tensor) -> Tensor:
        soft = torch.softmax(logits / temperature, dim=1).flatten(2)
        return F.cosine_similarity(soft[:, :, None], soft[:, None], dim=3)

    return (own - other).pow(2).mean() + (cosines(student) - cosines(teacher)).pow(2).mean()


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL over classes, N h w."""
    target = torch.softmax(teacher, dim=1)
    return (target * (F.log_softmax(teacher, dim=1) - F.log_softmax(student, dim=1))).sum(dim=1)


def _channels(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    own, other = (maps.flatten(2) / temperature for maps in (student, teacher))
    target = torch.softmax(other, dim=2)
    gap = F.log_softmax(other, dim=2) - F.log_softmax(own, dim=2)
    return temperature**2 * (target * gap).sum(dim=2).mean()


def _pearson(first: Tensor, second: Tensor) -> Tensor:
    first = first - first.mean(dim=1, keepdim=True)
    second = second - second.mean(dim=1, keepdim=True)
    norms: Tensor = first.norm(dim=1) * second.norm(dim=1)
    return (first * second).sum(dim=1) / (norms + 1e-8)


def _attention(maps: Tensor) -> Tensor:
    return F.normalize(maps.pow(2).mean(dim=1).flatten(1))
