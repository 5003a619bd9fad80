"""Micro-batches, and what the methods see of one."""

from typing import NamedTuple

from torch import Tensor

from segdistill.distill import View
from segdistill.models.segmentor import Output


class MicroBatch(NamedTuple):
    """What goes through the network at once: a rank's batch, or an equal share of it."""

    images: Tensor  # N 3 H W, normalised
    labels: Tensor  # N H W
    teacher: Output | None


class MethodInputs(NamedTuple):
    """What the methods see of a micro-batch: all of it, gathered over ranks."""

    student: View
    teacher: View
    labels: Tensor  # N H W

    def detached(self) -> "MethodInputs":
        """The same with the student's tensors detached."""
        taps = {name: tap.detach() for name, tap in self.student.taps.items()}
        student = self.student._replace(logits=self.student.logits.detach(), taps=taps)
        return self._replace(student=student)


def split(batch: MicroBatch, count: int) -> list[MicroBatch]:
    """`count` micro-batches of equal size, in order, for gradient accumulation."""
    if count == 1:
        return [batch]
    images, labels = batch.images.chunk(count), batch.labels.chunk(count)
    teachers: list[Output | None] = [None] * count
    if batch.teacher is not None:
        logits = batch.teacher.logits.chunk(count)
        taps = {name: tap.chunk(count) for name, tap in batch.teacher.taps.items()}
        teachers = [
            Output(logits[i], {name: pieces[i] for name, pieces in taps.items()}, None)
            for i in range(count)
        ]
    return [MicroBatch(*share) for share in zip(images, labels, teachers, strict=True)]
