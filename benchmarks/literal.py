"""The literal formula of every method: the paper's, written out with one plain operation a step.

For unweighted terms at ignore="keep" (PCD apart); `method` lends its options and its learned
layers. Loops over classes and n x n maps: to measure and to test against, not to train with.
"""

from itertools import combinations
from typing import Any

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from benchmarks.inputs import Inputs
from segdistill.distill.regions import IGNORE, downsample_labels


def divergence(student: Tensor, teacher: Tensor, dim: int) -> Tensor:
    """sum_k p_k (log p_k - log q_k) over `dim`, p the teacher's softmax and q the student's."""
    target = torch.softmax(teacher, dim)
    return (target * (F.log_softmax(teacher, dim) - F.log_softmax(student, dim))).sum(dim)


def kd(method: Any, inputs: Inputs) -> Tensor:
    """T^2 times the mean KL over pixels."""
    temperature: float = method.config.temperature
    student, teacher = (maps / temperature for maps in inputs.maps("logits"))
    return temperature**2 * divergence(student, teacher, 1).mean()


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
    student, teacher = map(_attention, inputs.maps("feature"))
    return (student - teacher).pow(2).mean()


def fitnet(method: Any, inputs: Inputs) -> Tensor:
    """Mean squared error after the regressor."""
    student, teacher = inputs.maps("feature")
    return F.mse_loss(method.adapter(student), teacher)


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
    draw = torch.rand(len(student), 1, *student.shape[2:])
    shown = torch.where(draw > 1 - method.config.mask_ratio, 0.0, 1.0).to(student.dtype)
    generated = method.generator.generate(method.generator.align(student) * shown)
    return F.mse_loss(generated, teacher, reduction="sum") / len(student)


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
    edge = downsample_labels((present > 1).long(), student.shape[-2:]).bool()
    at_edges = divergence(student, teacher, 1)[edge].mean()
    own, other = (maps.masked_fill(edge[:, None], -1e9).flatten(2) for maps in (student, teacher))
    return at_edges + divergence(own, other, 2).mean()


def dsd(method: Any, inputs: Inputs) -> Tensor:
    """Residual attention of the two layers, and cosines of every pair of class maps."""
    views = zip(inputs.maps("logits"), inputs.maps("feature"), strict=True)
    own, other = (
        F.normalize(_attention(logits) - _attention(feature)) for logits, feature in views
    )

    def cosines(logits: Tensor) -> Tensor:
        soft = torch.softmax(logits / method.config.temperature, dim=1).flatten(2)
        return F.cosine_similarity(soft[:, :, None], soft[:, None], dim=3)

    student, teacher = map(cosines, inputs.maps("logits"))
    return (own - other).pow(2).mean() + (student - teacher).pow(2).mean()


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
    labels = downsample_labels(inputs.labels, student.shape[-2:])[:, None]

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
    return divergence(*inputs.maps("logits"), 1).mean() + feature + contrast


def pcd(method: Any, inputs: Inputs) -> Tensor:
    """PCD (reconstructed): pixels by class, pairs of classes, images one by one.

    With the default options; on one batch, again and again, `running` is `batch`.
    """
    config, (student, teacher) = method.config, inputs.maps("feature")
    labels = downsample_labels(inputs.labels, student.shape[-2:])
    counted = labels != IGNORE
    with torch.no_grad():
        own, other = (_standard(maps.movedim(1, -1)[counted]) for maps in (student, teacher))
        members = [labels[counted] == k for k in range(method.teacher_spec.classes)]
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
        total = total + divergence(own, other, 1).mean()
    temperature: float = config.temperature
    return temperature**2 * total / len(student)


def cross_image(method: Any, inputs: Inputs) -> Tensor:
    """CIRKD's mini-batch term by a loop over all pairs of images."""
    student, teacher = (F.normalize(maps) for maps in _projected(method, inputs))
    total, images = student.new_zeros(()), len(student)
    temperature = method.config.temperature
    for i in range(images):
        for j in range(images):
            own, other = student[i].T @ student[j], teacher[i].T @ teacher[j]
            total = total + divergence(own / temperature, other / temperature, 1).mean()
    return total / images**2


def memory(method: Any, inputs: Inputs) -> Tensor:
    """CIRKD's two memory terms: loops over images and classes fill the queues."""
    config, classes = method.config, method.student_spec.classes
    grid = inputs.maps("feature")[0].shape[-2:]
    labels = downsample_labels(inputs.labels, grid).flatten(1)
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


def _channels(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    own, other = (maps.flatten(2) / temperature for maps in (student, teacher))
    return temperature**2 * divergence(own, other, 2).mean()


def _pearson(first: Tensor, second: Tensor) -> Tensor:
    first, second = (rows - rows.mean(dim=1, keepdim=True) for rows in (first, second))
    norms: Tensor = first.norm(dim=1) * second.norm(dim=1)
    return (first * second).sum(dim=1) / (norms + 1e-8)


def _attention(maps: Tensor) -> Tensor:
    return F.normalize(maps.pow(2).mean(dim=1).flatten(1))


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
    own, other = (rows @ columns.T / temperature for rows in (own, other))
    return divergence(own, other, 1).mean()


def _enqueue(queue: Any, label: int, vectors: Tensor) -> None:
    places = (queue.following[label] + torch.arange(len(vectors))) % queue.size
    queue.entries[label, places] = vectors.detach().to(queue.entries.dtype)
    queue.following[label] = (queue.following[label] + len(vectors)) % queue.size
    queue.filled[label] = (queue.filled[label] + len(vectors)).clamp(max=queue.size)


def _standard(pixels: Tensor) -> Tensor:
    std, mean = torch.std_mean(pixels, dim=0, correction=0)
    return (pixels - mean) / std


def _parts(maps: Tensor, groups: int, config: Any) -> Tensor:
    """Parts of all patches, B L C/M; the pooled map must divide into patches."""
    side = config.patch
    pooled = F.max_pool2d(maps, config.pool, ceil_mode=True)
    count, channels, height, width = pooled.shape
    grid = pooled.reshape(
        count, groups, channels // groups, height // side, side, width // side, side
    )
    return grid.permute(0, 3, 5, 4, 6, 1, 2).reshape(-1, side**2 * groups, channels // groups)
