"""Equal shares of a batch, and what the methods see of one."""

from typing import NamedTuple

from torch import Tensor

from segdistill.distill import View
from segdistill.models.segmentor import Output


class Part(NamedTuple):
    """What goes through the network at once: a rank's batch, or an equal share of it."""

    images: Tensor  # N 3 H W, normalised
    labels: Tensor  # N H W
    teacher: Output | None


class Sight(NamedTuple):
    """What the methods see of a part: the whole of it, over all ranks."""

    student: View
    teacher: View
    labels: Tensor  # N H W

    def detached(self) -> "Sight":
        """The same without a way back to the student."""
        taps = {name: tap.detach() for name, tap in self.student.taps.items()}
        student = self.student._replace(logits=self.student.logits.detach(), taps=taps)
        return self._replace(student=student)


def split(whole: Part, count: int) -> list[Part]:
    """`count` equal shares of a rank's batch, in order."""
    if count == 1:
        return [whole]
    images, labels = whole.images.chunk(count), whole.labels.chunk(count)
    teachers: list[Output | None] = [None] * count
    if whole.teacher is not None:
        logits = whole.teacher.logits.chunk(count)
        taps = {name: tap.chunk(count) for name, tap in whole.teacher.taps.items()}
        teachers = [
            Output(logits[i], {name: pieces[i] for name, pieces in taps.items()}, None)
            for i in range(count)
        ]
    return [Part(*part) for part in zip(images, labels, teachers, strict=True)]
