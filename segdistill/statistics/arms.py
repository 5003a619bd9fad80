"""The areas of one method on one dataset, over its seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segdistill.errors import SuiteError
from segdistill.evaluation.areas import Areas
from segdistill.evaluation.iou import Bools, Counts, Floats, Ints


@dataclass(frozen=True)
class Arm:
    """Areas of S seeds, I images and K classes; the label is the same for every seed."""

    seeds: tuple[int, ...]
    names: tuple[str, ...]  # of the images
    intersection: Ints  # (S, I, K)
    union: Ints  # (S, I, K)
    label: Ints  # (I, K)

    @property
    def present(self) -> Bools:
        """Classes with a label pixel (K,), the only ones a mean is taken over."""
        present: Bools = self.label.sum(axis=0) > 0
        return present

    def mious(self) -> Floats:
        """mIoU of every seed, (S,), each a ratio of sums over the images."""
        part, whole = self._of_present()
        mean: Floats = (part.sum(axis=1) / whole.sum(axis=1)).mean(axis=1)
        return mean

    def influences(self) -> Floats:
        """mIoU of every seed linearised per image, (S, I); its mean over the images is `mious`.

        Leaving image i out moves the ratio R = sum I / sum U by (I_i - R U_i) / (sum U - U_i);
        these, averaged over classes, are the jackknife's pseudo-values (Tukey 1958), centred.
        A class that only one image shows cannot be left out and moves nothing.
        """
        part, whole = self._of_present()
        total = whole.sum(axis=1, keepdims=True)
        ratio = part.sum(axis=1, keepdims=True) / total
        rest = total - whole
        moves = np.divide(part - ratio * whole, rest, out=np.zeros(rest.shape), where=rest > 0)
        values = (len(self.names) - 1) * moves.mean(axis=2)
        centred: Floats = values - values.mean(axis=1, keepdims=True) + self.mious()[:, None]
        return centred

    def select(self, seeds: Sequence[int]) -> "Arm":
        """The same arm with some of its seeds, in the order given."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return Arm(tuple(seeds), self.names, self.intersection[rows], self.union[rows], self.label)

    def _of_present(self) -> tuple[Ints, Ints]:
        return self.intersection[:, :, self.present], self.union[:, :, self.present]


def arm_of(areas: Mapping[int, Areas], part: Callable[[Areas], Counts] = lambda a: a.pixels) -> Arm:
    """The arm of evaluations by seed; `part` picks other areas, such as one boundary band's.

    Raises SuiteError if the seeds were not scored on the same images and labels.
    """
    seeds = tuple(sorted(areas))
    counts = [part(areas[seed]) for seed in seeds]
    names, label = areas[seeds[0]].names, counts[0].label
    for seed, count in zip(seeds, counts, strict=True):
        if not np.array_equal(areas[seed].names, names) or not np.array_equal(count.label, label):
            raise SuiteError(
                f"seeds {seeds[0]} and {seed} were scored on other images or labels; "
                "evaluate both on the same split"
            )
    return Arm(
        seeds,
        tuple(names.tolist()),
        np.stack([count.intersection for count in counts]),
        np.stack([count.union for count in counts]),
        label,
    )


def pair(method: Arm, baseline: Arm) -> tuple[Arm, Arm]:
    """Both arms with the seeds they share, none perhaps.

    Raises SuiteError if they were scored on other images or labels.
    """
    if method.names != baseline.names or not np.array_equal(method.label, baseline.label):
        raise SuiteError("two methods were scored on other images or labels; evaluate both again")
    seeds = [seed for seed in baseline.seeds if seed in method.seeds]
    return method.select(seeds), baseline.select(seeds)
