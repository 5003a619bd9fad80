"""The literal formulas of methods that relate positions or classes: loops and n x n maps.

As in `literal_maps`: the paper's formula, unweighted terms, ignore="keep" but for PCD.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.regions import IGNORE, labels_at
from harness.bench.inputs import Inputs


def pairs(method: Any, inputs: Inputs) -> Tensor:
    """SKD's pair-wise term by the two maps of all pairs of nodes."""
    kernel = method.config.pair_pool

    def similarities(features: Tensor) -> Tensor:
        nodes = F.max_pool2d(features, kernel, stride=kernel, ceil_mode=True).flatten(2)
        norms: Tensor = nodes.norm(dim=1, keepdim=True)
        nodes = nodes / norms
        return nodes.transpose(1, 2) @ nodes

    student, teacher = inputs.maps("feature")
    return (similarities(student) - similarities(teacher)).pow(2).mean()


def holistic(method: Any, inputs: Inputs) -> Tensor:
    """SKD's holistic term, gradients of the discriminator included and thrown away."""
    score: Tensor = method.holistic.discriminator(inputs.student.logits)
    return -score.mean()


def variation(method: Any, inputs: Inputs) -> Tensor:
    """IFVD by a loop over classes that fills a feature map with the class means.

    As in the published code, a class's mask is as large as the feature.
    """
    student, teacher = inputs.maps("feature")
    labels = labels_at(inputs.labels, student.shape[-2:])[:, None]

    def cosines(features: Tensor) -> Tensor:
        centres = features
        for k in range(method.student_spec.classes):
            member = (labels.expand_as(features) == k).to(features.dtype)
            mean = (member * features).sum(dim=(2, 3)) / member.sum(dim=(2, 3)).clamp(min=1)
            centres = (1 - member) * centres + member * mean[:, :, None, None]
        return F.cosine_similarity(features, centres, dim=1)

    return (cosines(student) - cosines(teacher)).pow(2).mean()


def omni_contrast(method: Any, inputs: Inputs) -> Tensor:
    """Af-DCD whole; its contrast by the differences of all pairs of parts of a patch."""
    config, (student, teacher) = method.config, inputs.maps("feature")
    generated = method.generator(student, None)
    feature = F.mse_loss(generated, teacher, reduction="sum") / len(student)
    own, other = (_parts(maps, method.groups, config) for maps in (generated, teacher))
    scores = -(own[:, :, None] - other[:, None]).abs().sum(dim=3) / config.temperature
    parts = torch.arange(own.shape[1])
    group = parts % method.groups
    same_part = parts[:, None] == parts
    compared = (group[:, None] != group) | same_part
    scores = scores.masked_fill(~compared, -torch.inf)
    target = parts.repeat(len(scores))
    groups: int = method.groups
    contrast = groups * F.cross_entropy(scores.flatten(0, 1), target)
    target = torch.softmax(inputs.teacher.logits, dim=1)
    gap = F.log_softmax(inputs.teacher.logits, 1) - F.log_softmax(inputs.student.logits, 1)
    return (target * gap).sum(dim=1).mean() + feature + contrast


def cross_image(method: Any, inputs: Inputs) -> Tensor:
    """CIRKD's mini-batch term by a loop over all pairs of images."""
    student, teacher = (F.normalize(maps) for maps in _projected(method, inputs))
    total, images = student.new_zeros(()), len(student)
    for i in range(images):
        for j in range(images):
            own, other = student[i].T @ student[j], teacher[i].T @ teacher[j]
            total = total + _rows_kl(own, other, method.config.temperature)
    return total / images**2


def memory(method: Any, inputs: Inputs) -> Tensor:
    """CIRKD's two memory terms: loops over images and classes fill the queues."""
    config, classes = method.config, method.student_spec.classes
    grid = inputs.maps("feature")[0].shape[-2:]
    labels = labels_at(inputs.labels, grid).flatten(1)
    images = len(labels)
    image = torch.arange(images)[:, None].expand_as(labels)
    known = labels != IGNORE
    own, other = (
        F.normalize(maps).flatten(2).transpose(1, 2)[known] for maps in _projected(method, inputs)
    )
    labels, image = labels[known], image[known]
    order = torch.randperm(len(labels))
    for n in range(images):
        for k in range(classes):
            chosen = order[(image[order] == n) & (labels[order] == k)][: config.queued_pixels]
            _enqueue(method.pixels, k, other[chosen])
    count = config.pixel_samples // classes + 1
    to_pixels = _to_queue(own, other, method.pixels, count, config.temperature)
    for n in range(images):
        for k in range(classes):
            member = (image == n) & (labels == k)
            if member.any():
                mean = other[member].mean(dim=0, keepdim=True)
                _enqueue(method.regions, k, F.normalize(mean))
    count = config.region_samples // classes + 1
    return to_pixels + _to_queue(own, other, method.regions, count, config.temperature)


def _projected(method: Any, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The student's feature at the teacher's width, and the teacher's: N C (h w)."""
    student, teacher = (maps.flatten(2) for maps in inputs.maps("feature"))
    rows = method.projection(student.transpose(1, 2).flatten(0, 1))
    return rows.unflatten(0, (len(student), -1)).transpose(1, 2), teacher


def _to_queue(own: Tensor, other: Tensor, queue: Any, count: int, temperature: float) -> Tensor:
    columns = torch.cat(
        [
            queue.entries[k, torch.randperm(filled)[:count]]
            for k, filled in enumerate(queue.filled.tolist())
        ]
    ).to(own.dtype)
    return _rows_kl(own @ columns.T, other @ columns.T, temperature)


def _enqueue(queue: Any, label: int, vectors: Tensor) -> None:
    places = (queue.following[label] + torch.arange(len(vectors))) % queue.size
    queue.entries[label, places] = vectors.detach().to(queue.entries.dtype)
    queue.following[label] = (queue.following[label] + len(vectors)) % queue.size
    queue.filled[label] = (queue.filled[label] + len(vectors)).clamp(max=queue.size)


def _rows_kl(own: Tensor, other: Tensor, temperature: float) -> Tensor:
    target = torch.softmax(other / temperature, dim=1)
    gap = F.log_softmax(other / temperature, dim=1) - F.log_softmax(own / temperature, dim=1)
    return (target * gap).sum(dim=1).mean()


def _parts(maps: Tensor, groups: int, config: Any) -> Tensor:
    """Parts of all patches, B L C/M; the pooled map must divide into patches."""
    side = config.patch
    pooled = F.max_pool2d(maps, config.pool, ceil_mode=True)
    count, channels, height, width = pooled.shape
    grid = pooled.reshape(
        count, groups, channels // groups, height // side, side, width // side, side
    )
    return grid.permute(0, 3, 5, 4, 6, 1, 2).reshape(-1, side**2 * groups, channels // groups)
