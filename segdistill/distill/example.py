"""Two small random networks and one batch, to try a method out."""

import torch

from segdistill.distill.distiller import NetSpec, View

CLASSES, SIZE, STRIDE = 5, (12, 10), 4
TAPS = ("backbone.4", "head.embedding")
STUDENT_WIDTH, TEACHER_WIDTH = 6, 10


def specs() -> tuple[NetSpec, NetSpec]:
    """What a method may know of the student and of the teacher.

    Example:
        >>> [spec.channels["head.embedding"] for spec in specs()]
        [6, 10]
    """
    student = NetSpec(CLASSES, dict.fromkeys(TAPS, STUDENT_WIDTH))
    return student, NetSpec(CLASSES, dict.fromkeys(TAPS, TEACHER_WIDTH))


def batch(seed: int = 0) -> tuple[View, View, torch.Tensor]:
    """What `losses` is given: the student's view, the teacher's view, and the labels.

    Returns:
        Random logits 2 5 12 10, features 2 6 12 10 and 2 10 12 10, images 2 3 48 40, and labels
        2 48 40 of which the upper rows of the first image are 255.

    Example:
        >>> student, teacher, labels = batch()
        >>> tuple(student.logits.shape), tuple(labels.shape)
        ((2, 5, 12, 10), (2, 48, 40))
    """
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (2, *SIZE), generator=draw)
    labels[0, : SIZE[0] // 3] = 255
    labels = labels.repeat_interleave(STRIDE, 1).repeat_interleave(STRIDE, 2)
    image = torch.randn(2, 3, *labels.shape[1:], generator=draw)

    def view(width: int) -> View:
        taps = {tap: torch.randn(2, width, *SIZE, generator=draw) for tap in TAPS}
        return View(torch.randn(2, CLASSES, *SIZE, generator=draw), taps, image)

    return view(STUDENT_WIDTH), view(TEACHER_WIDTH), labels
