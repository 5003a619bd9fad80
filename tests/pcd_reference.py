"""PCD (reconstructed from the abstract) once more, in plain loops over floats.

Slow, written from the definition, and sharing no line with the package: what it computes pixel
by pixel, the package computes from sums, sorted responses and matrix products.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pcd.config import PCDConfig

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Pixel = tuple[int, int, int]


@dataclass
class Reference:
    """All that PCD remembers between steps: the batches themselves, and the last matching."""

    config: PCDConfig
    classes: int
    classifier: Array | None = None
    draw: list[float] | None = None
    teachers: list[Array] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    waited: int = 10**9
    skipped: int = 0
    scores: list[float] | None = None

    def step(self, student: Array, teacher: Array, labels: Labels) -> tuple[float, Array]:
        """Loss and its gradient at the student's features (N C h w)."""
        if self.config.responses == "batch":
            self.teachers, self.labels = [], []
        self.teachers.append(teacher)
        self.labels.append(labels)
        self.scores = self._scores(teacher.shape[1])
        inside = self._inside(labels)
        if self.scores is not None and self.waited >= self.config.rematch_every:
            self.pairs = self._match(student, teacher, inside)
            self.waited = 0
        self.waited += 1
        if self.scores is None:
            self.skipped += 1
            return 0.0, np.zeros_like(student)
        if self.config.divergence == "kl":
            return self._kl(student, teacher, inside)
        return self._mse(student, teacher, inside)

    def _inside(self, labels: Labels) -> list[Pixel]:
        keep = self.config.ignore == "keep"
        return [place for place, label in np.ndenumerate(labels) if keep or label != 255]

    def _scores(self, width: int) -> list[float] | None:
        if self.config.score == "none":
            return [0.0] * width
        if self.config.score == "random":
            return self.draw
        counts = [sum(int((y == k).sum()) for y in self.labels) for k in range(self.classes)]
        enough = [k for k in range(self.classes) if counts[k] >= self.config.min_pixels]
        if len(enough) < 2:
            return None
        return [self._score(channel, enough) for channel in range(width)]

    def _score(self, channel: int, enough: list[int]) -> float:
        everything: list[float] = []
        members: dict[int, list[float]] = {k: [] for k in enough}
        for teacher, labels in zip(self.teachers, self.labels, strict=True):
            for n, row, column in self._inside(labels):
                value = float(teacher[n, channel, row, column])
                everything.append(value)
                if labels[n, row, column] in members:
                    members[int(labels[n, row, column])].append(value)
        mean, std = moments(everything)
        z = {k: [(v - mean) / std if std else 0.0 for v in members[k]] for k in enough}
        response = {k: math.fsum(z[k]) / len(z[k]) for k in enough}
        if self.classifier is not None:
            rms = math.sqrt(sum(w * w for w in self.classifier.flat) / self.classifier.size)
            for k in enough:
                response[k] *= std * float(self.classifier[k, channel]) / rms
        return spread(self.config.score, z, response)

    def _match(self, student: Array, teacher: Array, inside: list[Pixel]) -> list[tuple[int, int]]:
        assert self.scores is not None
        own, width = student.shape[1], teacher.shape[1]
        if self.config.score == "none":
            count = width
        elif self.config.keep == "student":
            count = min(own, width)
        else:
            count = max(1, round(float(self.config.keep) * width))
        scores = self.scores
        kept = sorted(range(width), key=lambda c: (-scores[c], c))[:count]
        cosines = [
            [self._cosine(student[:, i], teacher[:, j], inside) for j in kept] for i in range(own)
        ]
        if self.config.matching == "index":
            return [(i, kept[i]) for i in range(min(own, count))]
        if self.config.matching == "nearest":
            return [
                (i, kept[max(range(count), key=lambda j: (row[j], -j))])
                for i, row in enumerate(cosines)
            ]
        rows, columns = linear_sum_assignment(np.array(cosines), maximize=True)
        return [(int(i), kept[j]) for i, j in zip(rows, columns, strict=True)]

    @staticmethod
    def _cosine(own: Array, other: Array, inside: list[Pixel]) -> float:
        a, b = standardised(own, inside), standardised(other, inside)
        return sum(a[p] * b[p] for p in inside) / max(1, len(inside))

    def _kl(self, student: Array, teacher: Array, inside: list[Pixel]) -> tuple[float, Array]:
        loss, gradient = 0.0, np.zeros_like(student)
        heat, images = self.config.temperature, student.shape[0]
        factor = self.config.weight * heat**2 / (images * len(self.pairs))
        for n in range(images):
            places = [(r, c) for m, r, c in inside if m == n]
            for i, j in self.pairs:
                own = log_softmax([student[n, i, r, c] / heat for r, c in places])
                other = log_softmax([teacher[n, j, r, c] / heat for r, c in places])
                for (r, c), p, q in zip(places, other, own, strict=True):
                    loss += factor * math.exp(p) * (p - q)
                    gradient[n, i, r, c] += factor / heat * (math.exp(q) - math.exp(p))
        return loss, gradient

    def _mse(self, student: Array, teacher: Array, inside: list[Pixel]) -> tuple[float, Array]:
        loss, gradient = 0.0, np.zeros_like(student)
        count = max(1, len(inside))
        factor = self.config.weight / (len(self.pairs) * count)
        for i, j in self.pairs:
            a = standardised(student[:, i], inside)
            b = standardised(teacher[:, j], inside)
            _, std = moments([student[n, i, r, c] for n, r, c in inside])
            outer = {p: 2 * factor * (a[p] - b[p]) for p in inside}
            mean = sum(outer.values()) / count
            slope = sum(outer[p] * a[p] for p in inside) / count
            for n, r, c in inside:
                p = (n, r, c)
                loss += factor * (a[p] - b[p]) ** 2
                if std:
                    gradient[n, i, r, c] += (outer[p] - mean - slope * a[p]) / std
        return loss, gradient


def moments(values: list[float]) -> tuple[float, float]:
    """Mean and biased std; a std of at most 1e-6 of the rms is 0."""
    if not values:
        return 0.0, 0.0
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))
    rms = math.sqrt(math.fsum(v * v for v in values) / len(values))
    return mean, std if std > 1e-6 * rms else 0.0


def standardised(maps: Array, inside: list[Pixel]) -> dict[Pixel, float]:
    """Z of one channel (N h w) at every pixel of P."""
    mean, std = moments([float(maps[p]) for p in inside])
    return {p: (float(maps[p]) - mean) / std if std else 0.0 for p in inside}


def spread(score: str, z: dict[int, list[float]], response: dict[int, float]) -> float:
    """The discriminative score of one channel."""
    values = list(response.values())
    if score == "pairwise":
        gaps = [abs(a - b) for k, a in response.items() for m, b in response.items() if k < m]
        return math.fsum(gaps) / len(gaps)
    if score == "margin":
        first, second = sorted(values)[-1], sorted(values)[-2]
        return first - second
    if score == "range":
        return max(values) - min(values)
    total = sum(len(z[k]) for k in z)
    mean = math.fsum(len(z[k]) * response[k] for k in z) / total
    between = math.fsum(len(z[k]) * (response[k] - mean) ** 2 for k in z) / total
    within = math.fsum((v - response[k]) ** 2 for k in z for v in z[k]) / total
    return between / (within + 1e-6)


def log_softmax(values: list[float]) -> list[float]:
    """log of exp(v) / sum of exp(v), the largest taken out first."""
    if not values:
        return []
    top = max(values)
    total = math.fsum(math.exp(v - top) for v in values)
    return [v - top - math.log(total) for v in values]
